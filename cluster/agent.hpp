// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `strake node`: makes this host a node of a cluster. Tells the supervisor how it is, and starts and ends Open MPI's
/// daemon for it, and nothing else.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/addresses.hpp"
#include "cluster/keys.hpp"
#include "cluster/listen.hpp"
#include "cluster/process.hpp"
#include "cluster/socket.hpp"

namespace strake::cluster {

struct AgentOptions {
  Address supervisor;
  Identity identity;
  std::string build;
  std::function<std::string()> facts;        // about this host, as JSON
  std::chrono::milliseconds patience{1500};  // without an answer, then what runs for the supervisor is ended
};

/// Runs until it is asked to end. What it starts ends with it.
class Agent {
 public:
  /// @throws InvalidInput for the address
  Agent(AgentOptions options, Signals& signals);
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent();

  /// @return the exit code: 0 when asked to end, 2 where the supervisor refuses this node
  int run();

 private:
  friend struct Feeder;  // hands messages over without a socket (tests/fuzz)

  using Time = std::chrono::steady_clock::time_point;

  struct RankSeen {
    std::uint32_t pid = 0;
    Time heard;
  };

  void connect();
  void turn();
  void on_supervisor(const wire::Envelope& body);
  void register_here();
  void beat();
  void start_daemon(const wire::StartDaemon& request);
  void end_daemon();
  void tend_daemon();
  void tell_ended(int exit_code, const std::string& reason);
  void tell_out_of_memory();
  [[nodiscard]] bool has_lost_a_rank() const;
  void look_for_memory();

  AgentOptions options_;
  Signals& signals_;
  PrivateFolder folder_;
  ListenLibrary listen_library_;
  zmq::context_t context_;
  std::unique_ptr<Socket> socket_;  // no optional: g++ 14 warns of what it holds before there is one
  Socket private_;                  // of the ranks here
  std::string private_address_;
  std::uint64_t incarnation_;
  Child daemon_;
  std::uint64_t job_ = 0;  // of the daemon
  std::map<std::uint32_t, RankSeen> ranks_;
  // What the kernel had ended for want of memory when it was last looked at, and a second before.
  std::uint64_t ended_for_memory_;
  std::uint64_t ended_before_;
  wire::Health health_;
  Time now_;
  Time health_read_{};
  Time next_beat_{};
  Time answered_;   // when the supervisor last spoke
  Time connected_;  // when the connection was made anew
  bool registered_ = false;
  std::string last_refusal_;
  std::optional<int> exit_code_;
};

}  // namespace strake::cluster
