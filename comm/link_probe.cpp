// SPDX-License-Identifier: Apache-2.0
#include "comm/link_probe.hpp"

#include <algorithm>
#include <cstring>

namespace strake::comm {

namespace {

using Clock = std::chrono::steady_clock;

constexpr Index small_floats = 16;
constexpr Index large_floats = 256 * 1024;
constexpr int most_rounds = 15;
constexpr auto time_per_size = std::chrono::milliseconds(8);

// Half of a round trip in microseconds, the median of several rounds. The lower rank keeps the time and tells the other
// with the first element of each message whether there will be another round.
double half_round_trip(Communicator& communicator, int peer, int tag, Index n_floats, Timeout timeout) {
  Blob out = Blob::allocate(static_cast<std::size_t>(n_floats) * sizeof(float));
  Blob in = Blob::allocate(static_cast<std::size_t>(n_floats) * sizeof(float));
  std::memset(out.data(), 0, out.size_bytes());
  std::memset(in.data(), 0, in.size_bytes());
  const Box box = whole({n_floats});
  const auto there = communicator.redistribution(tag, {{peer, dense_view(box, ElementType::f32, out.data())}}, {});
  const auto back = communicator.redistribution(tag + 1, {}, {{peer, dense_view(box, ElementType::f32, in.data())}});
  const auto there_in = communicator.redistribution(tag, {}, {{peer, dense_view(box, ElementType::f32, in.data())}});
  const auto back_out =
      communicator.redistribution(tag + 1, {{peer, dense_view(box, ElementType::f32, out.data())}}, {});

  std::vector<double> samples;
  const bool leads = communicator.rank() < peer;
  const Clock::time_point end = Clock::now() + time_per_size;
  for (int round = 0;; ++round) {
    if (leads) {
      const bool last = round >= most_rounds || (round >= 2 && Clock::now() > end);
      out.floats()[0] = last ? 1.0F : 0.0F;
      const Clock::time_point begin = Clock::now();
      back->start();
      there->start();
      there->finish_sends(timeout);
      back->finish_receives(timeout);
      // The first round only warms connections up.
      if (round > 0) samples.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count() / 2);
      if (last) break;
    } else {
      there_in->start();
      there_in->finish_receives(timeout);
      const bool last = in.floats()[0] != 0.0F;
      back_out->start();
      back_out->finish_sends(timeout);
      if (last) break;
    }
  }
  if (samples.empty()) return 0;
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2), samples.end());
  return samples[samples.size() / 2];
}

Link probe_pair(Communicator& communicator, int peer, int tag, Timeout timeout) {
  const double small_us = half_round_trip(communicator, peer, tag, small_floats, timeout);
  const double large_us = half_round_trip(communicator, peer, tag + 2, large_floats, timeout);
  constexpr auto bytes = static_cast<double>((large_floats - small_floats) * sizeof(float));
  return {.latency_us = small_us, .us_per_byte = std::max(large_us - small_us, 0.0) / bytes};
}

}  // namespace

std::vector<std::vector<Link>> probe_links(Communicator& communicator, Timeout timeout) {
  const auto n = static_cast<std::size_t>(communicator.size());
  std::vector<std::vector<Link>> links(n, std::vector<Link>(n));
  // Tags beyond those of any program's operators.
  constexpr int first_tag = 100000;
  for (int a = 0; a < communicator.size(); ++a)
    for (int b = a + 1; b < communicator.size(); ++b) {
      Link link;
      if (communicator.rank() == a) link = probe_pair(communicator, b, first_tag, timeout);
      if (communicator.rank() == b) (void)probe_pair(communicator, a, first_tag, timeout);
      // Everybody sleeps here until the pair is done.
      Bytes bytes(sizeof(Link));
      std::memcpy(bytes.data(), &link, sizeof(Link));
      bytes = communicator.broadcast(std::move(bytes), a, timeout);
      std::memcpy(&link, bytes.data(), sizeof(Link));
      links[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)] = link;
      links[static_cast<std::size_t>(b)][static_cast<std::size_t>(a)] = link;
    }
  return links;
}

}  // namespace strake::comm
