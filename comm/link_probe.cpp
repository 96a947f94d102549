// SPDX-License-Identifier: Apache-2.0
#include "comm/link_probe.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
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
constexpr int least_rounds = 3;
constexpr int most_rounds = 25;
constexpr auto time_per_size = std::chrono::milliseconds(5);
// Of more ranks than this, one pair of ranks speaks for all pairs on the same two hosts.
constexpr int most_ranks_in_full = 16;
// All messages of a probe before the first frame are through before a program opens its own, so they may share a tag.
constexpr int first_tag = 0;

// What comes after a round; the rank that keeps the time tells the other in the first element of each message.
enum class Next : unsigned char { round, size, end };

// What a rank does between two exchanges: its caches then hold other things than messages, as in a frame. Out of warm
// caches a megabyte seems to pass in a tenth of the time.
constexpr auto time_of_work = std::chrono::microseconds(150);
constexpr std::size_t work_bytes = std::size_t{1} << 20;

// What disturbs adds, and on a busy machine it does so often.
double lower_quartile(std::vector<double> samples) {
  const auto place = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 4);
  std::nth_element(samples.begin(), place, samples.end());
  return *place;
}

double microseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

// What all who take part in a probe share.
struct Line {
  Communicator& communicator;
  int tag = first_tag;
  Timeout timeout;
};

struct Parcel {
  Blob memory;
  View view;

  explicit Parcel(Index n_floats) : memory(Blob::allocate(static_cast<std::size_t>(n_floats) * sizeof(float))) {
    std::memset(memory.data(), 0, memory.size_bytes());
    view = dense_view(whole({n_floats}), ElementType::f32, memory.data());
  }
};

// One size of messages that two ranks exchange, each sending while it receives, as halos travel.
class Exchange {
 public:
  Exchange(const Line& line, int peer, Index n_floats)
      : timeout_(line.timeout),
        out_(n_floats),
        in_(n_floats),
        work_(Blob::allocate(work_bytes)),
        messages_(line.communicator.redistribution(line.tag, {{peer, out_.view}}, {{peer, in_.view}})) {
    std::memset(work_.data(), 0, work_.size_bytes());
  }

  /// One round. Gives what the peer wants next.
  Next round(Next next) {
    work(next);
    const Clock::time_point begin = Clock::now();
    messages_->start();
    overhead_us_.push_back(microseconds_since(begin));
    messages_->finish_receives(timeout_);
    messages_->finish_sends(timeout_);
    us_.push_back(microseconds_since(begin));
    return static_cast<Next>(in_.memory.floats()[0]);
  }

  /// Over all rounds but the first one, which warms connections up. At least three rounds. A rank that begins a round
  /// late by d waits d less, and its peer then begins the next one early by as much: the mean of two rounds is free of
  /// d.
  [[nodiscard]] double us() const {
    std::vector<double> means;
    for (std::size_t i = 2; i < us_.size(); ++i) means.push_back((us_[i - 1] + us_[i]) / 2);
    return lower_quartile(std::move(means));
  }
  [[nodiscard]] double overhead_us() const { return lower_quartile({overhead_us_.begin() + 1, overhead_us_.end()}); }

 private:
  // Writes what is sent, as the kernel before an exchange does, and other memory until the time is over.
  void work(Next next) {
    constexpr std::size_t stretch = 8 * 1024;
    const Clock::time_point end = Clock::now() + time_of_work;
    std::memset(out_.memory.data(), 0, out_.memory.size_bytes());
    out_.memory.floats()[0] = static_cast<float>(next);
    for (std::size_t at = 0; Clock::now() < end; at = (at + stretch) % work_.floats().size())
      for (float& value : work_.floats().subspan(at, stretch)) value += 1;
  }

  Timeout timeout_;
  Parcel out_;
  Parcel in_;
  Blob work_;
  std::unique_ptr<Redistribution> messages_;
  std::vector<double> us_;           // [round]
  std::vector<double> overhead_us_;  // [round]
};

struct Volley {
  double us = 0;           // that an exchange adds to a frame
  double overhead_us = 0;  // of it, the sender's own work
  Next next = Next::end;
};

// The side that keeps the time. What takes `enough_us` is the last size.
Volley lead(const Line& line, int peer, Index n_floats, double enough_us) {
  Exchange exchange(line, peer, n_floats);
  const Clock::time_point end = Clock::now() + time_per_size;
  for (int round = 0;; ++round) {
    Next next = Next::round;
    if (round == most_rounds || (round >= least_rounds && Clock::now() > end))
      next = exchange.us() >= enough_us ? Next::end : Next::size;
    (void)exchange.round(next);
    if (next != Next::round) return {exchange.us(), exchange.overhead_us(), next};
  }
}

Next follow(const Line& line, int peer, Index n_floats) {
  Exchange exchange(line, peer, n_floats);
  while (true)
    if (const Next next = exchange.round(Next::round); next != Next::round) return next;
}

Link measure(const Line& line, int peer) {
  constexpr double never = std::numeric_limits<double>::infinity();
  Link link{.same_host = line.communicator.shares_host(peer)};
  for (const Index size : sizes_in_floats) {
    const bool first = size == sizes_in_floats[0];
    const Volley volley = lead(line, peer, size, first ? never : link.latency_us + long_enough_us);
    if (first) {
      link.latency_us = volley.us;
      link.overhead_us = volley.overhead_us;
    } else {
      // Smaller messages are not slower.
      link.latency_us = std::min(link.latency_us, volley.us);
      link.overhead_us = std::min(link.overhead_us, volley.overhead_us);
      const auto n_bytes = static_cast<double>((size - sizes_in_floats[0]) * static_cast<Index>(sizeof(float)));
      link.overhead_us_per_byte = (volley.overhead_us - link.overhead_us) / n_bytes;
      // No byte is there before its sender has seen to it.
      link.us_per_byte = std::max((volley.us - link.latency_us) / n_bytes, link.overhead_us_per_byte);
    }
    if (volley.next == Next::end) break;
  }
  return link;
}

void help_to_measure(const Line& line, int peer) {
  for (const Index size : sizes_in_floats)
    if (follow(line, peer, size) == Next::end) break;
}

// Names of all ranks' hosts.
std::vector<std::string> hosts_of(Communicator& communicator, Timeout timeout) {
  std::vector<std::string> hosts;
  for (const Bytes& name : communicator.gather_for_all(text_to_bytes(communicator.host()), timeout))
    hosts.push_back(text_from_bytes(name));
  return hosts;
}

// The link of ranks a < b, known to all. The others sleep until the two are done.
Link probe_pair(const Line& line, int a, int b) {
  Link link;
  if (line.communicator.rank() == a) link = measure(line, b);
  if (line.communicator.rank() == b) help_to_measure(line, a);
  Bytes bytes(sizeof(Link));
  std::memcpy(bytes.data(), &link, sizeof(Link));
  bytes = line.communicator.broadcast(std::move(bytes), a, line.timeout);
  ensure(bytes.size() == sizeof(Link), "all ranks probe links at the same time");
  std::memcpy(&link, bytes.data(), sizeof(Link));
  return link;
}

// One pair of ranks speaks for all on the same two hosts.
std::vector<std::vector<Link>> probe_by_host(const Line& line, bool within_hosts) {
  const std::vector<std::string> hosts = hosts_of(line.communicator, line.timeout);
  const std::size_t n = hosts.size();
  std::vector<std::vector<Link>> links(n, std::vector<Link>(n));
  std::map<std::pair<std::string, std::string>, Link> known;  // by the two hosts, in alphabetical order
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = a + 1; b < n; ++b) {
      if (!within_hosts && hosts[a] == hosts[b]) continue;
      const std::pair<std::string, std::string> pair = std::minmax(hosts[a], hosts[b]);
      auto found = known.find(pair);
      if (found == known.end())
        found = known.emplace(pair, probe_pair(line, static_cast<int>(a), static_cast<int>(b))).first;
      links[a][b] = links[b][a] = found->second;
    }
  return links;
}

}  // namespace

std::vector<std::vector<Link>> probe_links(Communicator& communicator, Timeout timeout) {
  const Line line{.communicator = communicator, .tag = first_tag, .timeout = timeout};
  if (communicator.size() > most_ranks_in_full) return probe_by_host(line, true);
  const auto n = static_cast<std::size_t>(communicator.size());
  std::vector<std::vector<Link>> links(n, std::vector<Link>(n));
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = a + 1; b < n; ++b)
      links[a][b] = links[b][a] = probe_pair(line, static_cast<int>(a), static_cast<int>(b));
  return links;
}

std::vector<std::vector<Link>> probe_links_between_hosts(Communicator& communicator, int tag, Timeout timeout) {
  return probe_by_host({.communicator = communicator, .tag = tag, .timeout = timeout}, false);
}

}  // namespace strake::comm
