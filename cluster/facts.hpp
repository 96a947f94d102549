// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What hosts say about themselves when somebody asks: `strake doctor ADDRESS`.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace strake::cluster {

/// Milliseconds since 1970: the clock that people read.
[[nodiscard]] std::int64_t wall_clock_ms();

/// What `facts` says; empty where there is none, or it throws.
[[nodiscard]] std::string facts_from(const std::function<std::string()>& facts);

/// Who has asked, and what nodes answered. Pure bookkeeping in one thread; the time is an argument.
class FactsOfNodes {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds longest_wait{2000};
  static constexpr std::chrono::milliseconds fresh_for{1000};  // nodes are asked no more often than this
  static constexpr std::size_t most_who_ask = 16;
  static constexpr std::size_t most_bytes = 1 << 13;         // of a node's answer; a longer one is none
  static constexpr std::size_t most_bytes_of_all = 3 << 18;  // behind these, nodes have not answered

  enum class Verdict : unsigned char { ask_nodes, wait, too_many };

  /// Who asks again while it waits is answered once.
  [[nodiscard]] Verdict ask(const std::string& peer, Time now);
  [[nodiscard]] bool is_anybody_waiting() const { return !asked_.empty(); }
  /// @param ahead_ms  of the node's wall clock before this host's, as far as the message took no time
  void answered(const std::string& node, std::string json, double ahead_ms, Time now);
  /// Those who asked and whom there is nothing more to wait for: all these nodes have answered, or time is over. They
  /// are forgotten.
  [[nodiscard]] std::vector<std::string> ready(const std::vector<std::string>& nodes, Time now);

  /// {"hosts": [{"node": "", "facts": TEXT}, {"node": NAME, "facts": TEXT, "clock_ahead_ms": N, "clock_error_ms": N},
  /// ...], "state": {...}}, this host first; a node that did not answer lately has no facts. Texts of nodes are JSON.
  /// @param own    this host's facts
  /// @param state  of the supervisor, as state.hpp writes it
  [[nodiscard]] std::string to_json(const std::string& own, const std::vector<std::string>& nodes,
                                    const std::string& state, Time now) const;

 private:
  struct Facts {
    std::string json;
    double ahead_ms = 0;
    double error_ms = 0;  // question and answer took so long
    Time came;
  };
  struct Asked {
    std::string peer;
    Time at;
  };

  std::map<std::string, Facts> facts_;  // by node
  std::vector<Asked> asked_;
  std::optional<Time> nodes_asked_;
};

}  // namespace strake::cluster
