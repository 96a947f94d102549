// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which nodes hang on a link that has become slow. Heartbeats are too small to tell.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace strake::cluster {

/// Pure bookkeeping in one thread; the time is an argument.
///
/// A node that is new sends back some kilobytes, a few times: what that takes on a good day. When frames take far
/// longer than they did, all nodes of the job are asked again, and one whose bytes are late has a slow link until they
/// are not any more. They go there and back piece by piece, so that heartbeats pass between them. A link that was
/// always slow is as good as it ever was: plans know it.
class LinkWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  struct Limits {
    std::chrono::milliseconds late_by{300};     // beyond what a good round trip takes
    double times = 5;                           // of a good round trip
    std::chrono::milliseconds ask_again{2000};  // while a link is slow
    std::chrono::milliseconds suspect_again{1000};
    std::chrono::milliseconds suspect_again_in_vain{2000};  // where the link was well
    int least_rest = 20;                                    // after a suspicion, of good round trips
    std::chrono::milliseconds forget_suspicion{60000};
    std::chrono::milliseconds accept_after{600000};  // then slow is what is usual there
  };

  explicit LinkWatch(Limits limits) : limits_(limits) {}

  /// Of one piece.
  static constexpr std::size_t piece_bytes = 4096;

  /// As many as a link of 1.3 Mbit/s carries while they are late: where it is as fast in one direction only, and good
  /// ones take no time, they just are.
  [[nodiscard]] int n_pieces() const;

  /// The node is there, perhaps again, or by another connection: what was under way may be lost.
  void arrived(const std::string& name);
  /// Frames take long: nodes of the job are asked, unless they were just now.
  void suspect(const std::vector<std::string>& names, Time now);

  struct Question {
    std::string name;
    std::uint64_t number = 0;
  };
  /// Who is to be sent a piece now; each counts as sent.
  [[nodiscard]] std::vector<Question> questions(Time now);
  void answered(const std::string& name, std::uint64_t number, Time now);

  /// Nobody looked at what came for so long: that is no fault of the links.
  void excuse(Duration stall);

  /// Nodes whose link has become slow since the last call, with a sentence for each.
  struct Slow {
    std::string name;
    std::string why;
  };
  /// @param is_heard  whether a node's heartbeats come: else it has twice the time, since it may be gone
  [[nodiscard]] std::vector<Slow> became_slow(Time now, const std::function<bool(const std::string&)>& is_heard);

  [[nodiscard]] bool is_slow(const std::string& name) const;
  /// What the last echo took; 0 before the first one.
  [[nodiscard]] std::chrono::microseconds last_echo(const std::string& name) const;

 private:
  struct Link {
    std::optional<Duration> good;  // the shortest round trip so far
    Duration last{};
    std::uint64_t number = 0;  // of the last piece
    int pieces_left = 0;       // that have not come back
    bool next_piece = false;   // is to be sent
    Time asked{};
    bool waits = false;  // for the answer to it
    int answers = 0;
    bool wanted = false;
    bool suspected = false;
    bool in_vain = false;  // was the last suspicion
    bool slow = false;
    bool told = false;  // that it is slow
    Time slow_since{};
  };

  [[nodiscard]] Duration limit(const Link& link) const;

  Limits limits_;
  std::map<std::string, Link> links_;
};

/// When frames of a job take far longer than they did.
class FrameTimes {
 public:
  using Duration = std::chrono::steady_clock::duration;

  /// Another job: nothing is known of its frames.
  void clear() { best_.reset(); }
  void add(Duration took) { best_ = best_ ? std::min(*best_, took) : took; }
  /// Twice what the fastest frame took, and 50 ms more than it. False before there is one.
  [[nodiscard]] bool is_overdue(Duration runs) const {
    return best_ && runs > 2 * *best_ && runs > *best_ + std::chrono::milliseconds(50);
  }

 private:
  std::optional<Duration> best_;
};

}  // namespace strake::cluster
