// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What hosts say about themselves when somebody asks: `strake doctor ADDRESS`.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace strake::cluster {

/// Milliseconds since 1970: the clock that people read.
[[nodiscard]] std::int64_t wall_clock_ms();

/// Who has asked, and what nodes answered. Pure bookkeeping in one thread; the time is an argument.
class FactsOfNodes {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds longest_wait{2000};
  static constexpr std::size_t most_who_ask = 16;
  static constexpr std::size_t most_bytes = 1 << 16;  // of a node's answer; a longer one is none

  /// @return whether there is room for one more
  [[nodiscard]] bool ask(const std::string& peer, Time now);
  /// @param ahead_ms  of the node's wall clock before this host's, as far as the message took no time
  void answered(const std::string& node, std::string json, std::int64_t ahead_ms, Time now);
  /// Those who asked and whom there is nothing more to wait for: all these nodes have answered, or time is over. They
  /// are forgotten.
  [[nodiscard]] std::vector<std::string> ready(const std::vector<std::string>& nodes, Time now);

  /// {"hosts": [{"node": "", "facts": TEXT}, {"node": NAME, "facts": TEXT, "clock_ahead_ms": N}, ...], "state": {...}},
  /// this host first; a node that did not answer lately has no facts. Texts of nodes are as they came.
  /// @param own    this host's facts
  /// @param state  of the supervisor, as state.hpp writes it
  [[nodiscard]] std::string to_json(const std::string& own, const std::vector<std::string>& nodes,
                                    const std::string& state, Time now) const;

 private:
  struct Facts {
    std::string json;
    std::int64_t ahead_ms = 0;
    Time came;
  };
  struct Asked {
    std::string peer;
    Time at;
  };

  std::map<std::string, Facts> facts_;  // by node
  std::vector<Asked> asked_;
};

}  // namespace strake::cluster
