// SPDX-License-Identifier: Apache-2.0
#include "comm/link_probe.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <string>

#include "core/blob.hpp"
#include "core/errors.hpp"

namespace strake::comm {

namespace {

using Clock = std::chrono::steady_clock;

// Messages grow until one takes so long that the speed of the link shows: a megabyte between processes of one host, 16
// kilobytes over a slow radio. Small bursts may pass at more than the speed that lasts, so the time is not too short.
constexpr Index sizes_in_floats[] = {16, 4 * 1024, 32 * 1024, 256 * 1024};
constexpr double long_enough_us = 20'000;
constexpr int most_rounds = 15;
constexpr auto time_per_size = std::chrono::milliseconds(5);
// Of more ranks than this, one pair of ranks speaks for all pairs on the same two hosts.
constexpr int most_ranks_in_full = 16;
// All messages of a probe are through before a program opens its own, so they may share a tag with it.
constexpr int tag = 0;

// What comes after a round; the rank that keeps the time tells the other in the first element of each message.
enum class Next : unsigned char { round, size, end };

struct Ball {
  Blob memory;
  View view;

  explicit Ball(Index n_floats) : memory(Blob::allocate(static_cast<std::size_t>(n_floats) * sizeof(float))) {
    std::memset(memory.data(), 0, memory.size_bytes());
    view = dense_view(whole({n_floats}), ElementType::f32, memory.data());
  }
};

struct Volley {
  double us = 0;  // half of a round trip, the median of several rounds
  Next next = Next::end;
};

double median(std::vector<double> samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

// The side that keeps the time. What takes `enough_us` is the last size.
Volley serve(Communicator& communicator, int peer, Index n_floats, double enough_us, Timeout timeout) {
  Ball out(n_floats);
  Ball in(n_floats);
  const auto there = communicator.redistribution(tag, {{peer, out.view}}, {});
  const auto back = communicator.redistribution(tag, {}, {{peer, in.view}});
  std::vector<double> samples;
  const Clock::time_point end = Clock::now() + time_per_size;
  for (int round = 0;; ++round) {
    Next next = Next::round;
    if (round == most_rounds || (round >= 2 && Clock::now() > end))
      next = median(samples) >= enough_us ? Next::end : Next::size;
    out.memory.floats()[0] = static_cast<float>(next);
    const Clock::time_point begin = Clock::now();
    back->start();
    there->start();
    there->finish_sends(timeout);
    back->finish_receives(timeout);
    // The first round only warms connections up.
    if (round > 0) samples.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count() / 2);
    if (next != Next::round) return {median(samples), next};
  }
}

Next answer(Communicator& communicator, int peer, Index n_floats, Timeout timeout) {
  Ball out(n_floats);
  Ball in(n_floats);
  const auto there = communicator.redistribution(tag, {}, {{peer, in.view}});
  const auto back = communicator.redistribution(tag, {{peer, out.view}}, {});
  while (true) {
    there->start();
    there->finish_receives(timeout);
    const auto next = static_cast<Next>(in.memory.floats()[0]);
    back->start();
    back->finish_sends(timeout);
    if (next != Next::round) return next;
  }
}

Link measure(Communicator& communicator, int peer, Timeout timeout) {
  constexpr double never = std::numeric_limits<double>::infinity();
  Link link;
  for (const Index size : sizes_in_floats) {
    const bool first = size == sizes_in_floats[0];
    const Volley volley = serve(communicator, peer, size, first ? never : link.latency_us + long_enough_us, timeout);
    if (first)
      link.latency_us = volley.us;
    else
      link.us_per_byte = std::max(volley.us - link.latency_us, 0.0) /
                         static_cast<double>((size - sizes_in_floats[0]) * static_cast<Index>(sizeof(float)));
    if (volley.next == Next::end) break;
  }
  return link;
}

void help_to_measure(Communicator& communicator, int peer, Timeout timeout) {
  for (const Index size : sizes_in_floats)
    if (answer(communicator, peer, size, timeout) == Next::end) break;
}

// Names of all ranks' hosts.
std::vector<std::string> hosts_of(Communicator& communicator, Timeout timeout) {
  const auto bytes_of = [](const std::string& text) {
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return Bytes(begin, begin + text.size());
  };
  std::vector<std::string> hosts;
  const std::vector<Bytes> all = communicator.gather(bytes_of(communicator.host()), 0, timeout);
  for (int rank = 0; rank < communicator.size(); ++rank) {
    const Bytes name = communicator.broadcast(all.empty() ? Bytes{} : all[static_cast<std::size_t>(rank)], 0, timeout);
    hosts.emplace_back(reinterpret_cast<const char*>(name.data()), name.size());
  }
  return hosts;
}

// The link of ranks a < b, known to all. The others sleep until the two are done.
Link probe_pair(Communicator& communicator, int a, int b, Timeout timeout) {
  Link link;
  if (communicator.rank() == a) link = measure(communicator, b, timeout);
  if (communicator.rank() == b) help_to_measure(communicator, a, timeout);
  Bytes bytes(sizeof(Link));
  std::memcpy(bytes.data(), &link, sizeof(Link));
  bytes = communicator.broadcast(std::move(bytes), a, timeout);
  ensure(bytes.size() == sizeof(Link), "all ranks probe links at the same time");
  std::memcpy(&link, bytes.data(), sizeof(Link));
  return link;
}

}  // namespace

std::vector<std::vector<Link>> probe_links(Communicator& communicator, Timeout timeout) {
  const auto n = static_cast<std::size_t>(communicator.size());
  std::vector<std::vector<Link>> links(n, std::vector<Link>(n));
  const bool in_full = communicator.size() <= most_ranks_in_full;
  const std::vector<std::string> hosts = in_full ? std::vector<std::string>(n) : hosts_of(communicator, timeout);
  std::map<std::pair<std::string, std::string>, Link> known;  // by the two hosts, in alphabetical order
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = a + 1; b < n; ++b) {
      const auto [first, second] = std::minmax(hosts[a], hosts[b]);
      const auto found = known.find({first, second});
      const bool measured = !in_full && found != known.end();
      links[a][b] =
          measured ? found->second : probe_pair(communicator, static_cast<int>(a), static_cast<int>(b), timeout);
      links[b][a] = links[a][b];
      known[{first, second}] = links[a][b];
    }
  return links;
}

}  // namespace strake::comm
