// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which nodes are there, and which of them a job may use. Heartbeats decide.

#include <wire.pb.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace strake::cluster {

/// Pure bookkeeping in one thread; the time is an argument.
class Membership {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Limits {
    std::chrono::milliseconds lost_after{700};
    std::chrono::milliseconds steady_for{3000};       // before a node joins; doubles with each loss, up to 16 times
    std::chrono::milliseconds forgive_after{600000};  // without a loss
  };

  struct Node {
    std::string peer;  // where it is reached
    std::string key;   // public
    wire::Register about;
    wire::Health health;
    Time steady_since;  // it has been there without a break, and as it should be
    Time heard;
    bool there = false;
    int losses = 0;  // recent ones
    Time lost{};
    std::vector<wire::RankBeat> ranks;
  };

  explicit Membership(Limits limits) : limits_(limits) {}

  /// @param name  what its key says
  void registered(const std::string& name, const std::string& peer, const std::string& key, const wire::Register& about,
                  Time now);
  /// @return false where the node is unknown, or another incarnation: it shall register (again)
  bool beat(const std::string& name, const std::string& peer, const wire::Beat& beat, Time now);
  /// The node's own doing: its daemon failed, its key was revoked.
  void lose(const std::string& name, Time now);
  /// It is there, but not as it should be: its time of steadiness begins anew.
  void unsettle(const std::string& name, Time now);
  /// Nodes that have just fallen silent; they are lost from now on.
  [[nodiscard]] std::vector<std::string> fallen_silent(Time now);

  /// Whether a job may use it: there for long enough, and longer where it was lost before.
  [[nodiscard]] bool is_steady(const Node& node, Time now) const;
  [[nodiscard]] std::vector<std::string> steady(Time now) const;
  [[nodiscard]] const std::map<std::string, Node>& nodes() const { return nodes_; }
  [[nodiscard]] const Node* node(const std::string& name) const;

 private:
  Limits limits_;
  std::map<std::string, Node> nodes_;
};

}  // namespace strake::cluster
