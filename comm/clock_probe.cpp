// SPDX-License-Identifier: Apache-2.0
#include "comm/clock_probe.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace strake::comm {

namespace {

// The first rounds open connections and wake the other rank up; of the rest one is undisturbed, nearly always.
constexpr int rounds = 40;
// Kernels steer clocks by at most 500 millionths; what seems to drift faster was read wrongly.
constexpr double fastest_drift = 1e-3;
// All messages of a frame are through before and after, so they may share a tag with these.
constexpr int tag = 0;

// A number that travels.
struct Cell {
  std::int64_t value = 0;
  [[nodiscard]] View view() { return dense_view(whole({1}), ElementType::i64, reinterpret_cast<std::byte*>(&value)); }
};

ClockOffset ask(Communicator& communicator, int peer, const LocalClock& clock, Timeout timeout) {
  Cell asked;
  Cell answered;
  const auto question = communicator.redistribution(tag, {{peer, asked.view()}}, {});
  const auto answer = communicator.redistribution(tag, {}, {{peer, answered.view()}});
  communicator.send({}, peer, timeout);
  ClockOffset best;
  for (int round = 0; round < rounds; ++round) {
    answer->start();
    const std::int64_t begin = clock();
    question->start();
    answer->finish_receives(timeout);
    const std::int64_t end = clock();
    question->finish_sends(timeout);
    const std::int64_t half = (end - begin + 1) / 2;
    if (round == 0 || half < best.error) best = {answered.value, answered.value - (begin + half), half};
  }
  if (std::abs(best.ahead) <= best.error) best = {best.at, 0, best.error + std::abs(best.ahead)};
  return best;
}

void reply(Communicator& communicator, const LocalClock& clock, Timeout timeout) {
  Cell asked;
  Cell answered;
  const auto question = communicator.redistribution(tag, {}, {{0, asked.view()}});
  const auto answer = communicator.redistribution(tag, {{0, answered.view()}}, {});
  (void)communicator.receive(0, timeout);
  for (int round = 0; round < rounds; ++round) {
    question->start();
    question->finish_receives(timeout);
    answered.value = clock();
    answer->start();
    answer->finish_sends(timeout);
  }
}

}  // namespace

std::vector<ClockOffset> probe_clocks(Communicator& communicator, const LocalClock& clock, Timeout timeout) {
  if (communicator.rank() != 0) {
    reply(communicator, clock, timeout);
    return {};
  }
  std::vector<ClockOffset> offsets{{.at = clock(), .ahead = 0, .error = 0}};
  for (int peer = 1; peer < communicator.size(); ++peer) offsets.push_back(ask(communicator, peer, clock, timeout));
  return offsets;
}

std::int64_t time_of_root(std::int64_t time, const ClockOffset& before, const ClockOffset& after) {
  const auto between = static_cast<double>(after.at - before.at);
  const auto gained = static_cast<double>(after.ahead - before.ahead);
  const double drift = between > 0 ? std::clamp(gained / between, -fastest_drift, fastest_drift) : 0;
  return time - before.ahead - std::llround(drift * static_cast<double>(time - before.at));
}

}  // namespace strake::comm
