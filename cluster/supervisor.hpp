// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `strake serve`: membership, the MPI job, and the frames between it and the clients, in one thread.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/addresses.hpp"
#include "cluster/facts.hpp"
#include "cluster/frame_queue.hpp"
#include "cluster/gate.hpp"
#include "cluster/link_watch.hpp"
#include "cluster/listen.hpp"
#include "cluster/membership.hpp"
#include "cluster/process.hpp"
#include "cluster/socket.hpp"
#include "cluster/state.hpp"

namespace strake::cluster {

struct SupervisorOptions {
  Address local{.host = "127.0.0.1", .port = default_port};  // of this host only, without keys
  std::vector<Address> listen;                               // with keys
  std::filesystem::path keys;                                // the folder; needed where `listen` is not empty
  std::string build;
  std::function<std::string()> facts;  // about this host, as JSON
  std::vector<std::string> worker;     // arguments of every rank: the verb, the model, how to run it
  int local_ranks = 1;
  int first_nodes = 0;                             // the first job waits for so many nodes
  std::chrono::milliseconds first_wait{30000};     // but no longer than this
  std::chrono::milliseconds frame_timeout{10000};  // a frame that takes longer ends the job
  std::chrono::milliseconds start_timeout{600000};
  std::chrono::milliseconds join_after{30000};  // at the latest, where frames leave no quiet moment
  std::chrono::milliseconds beat_timeout{700};  // of ranks and nodes
  FrameQueue::Limits queue;
  Membership::Limits membership;
};

/// Runs until it is asked to end. What it starts ends with it.
class Supervisor {
 public:
  /// Listens. @throws InvalidInput for addresses and keys
  Supervisor(SupervisorOptions options, Signals& signals);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  /// @return the exit code: 0 when asked to end, 2 where the ranks refuse the model or the options
  int run();

  /// Called at every turn of the loop, several times a second; for those who show the state.
  void watch(std::function<void(const State&)> observer) { observer_ = std::move(observer); }

 private:
  friend struct Feeder;  // hands messages over without a socket (tests/fuzz)

  using Time = std::chrono::steady_clock::time_point;

  struct Rank {
    std::string node;  // its name; empty on this host
    std::string host;
    int pid = 0;
    bool gone = false;  // its agent says so
    std::optional<Time> heard;
    wire::RankShare share;
    wire::RankTimes times;
  };

  // A daemon that a node was asked for, until its rank is heard.
  struct Launch {
    std::string peer;  // of the launcher, on the private socket
    wire::StartDaemon request;
    Time asked{};
  };

  enum class Phase : unsigned char { none, starting, ready, ending };

  struct Job {
    Phase phase = Phase::none;
    std::uint64_t id = 0;
    Child mpirun;
    Time started{};
    Time ends_until{};  // phase ending
    std::vector<Rank> ranks;
    std::string rank0;  // peer on the private socket
    wire::JobReady about;
    std::map<std::string, Launch> launchers;  // by node
  };

  // supervisor.cpp: who speaks, and what is answered
  void listen();
  void turn();
  void on_public(std::size_t socket, Message message);
  void on_client(Message& message, const std::string& user);
  void on_node(const std::string& name, Message& message);
  void on_private(Message message);
  void reply(const std::string& peer, Message message);
  void refuse(const std::string& peer, const std::string& reason);
  void welcome(const std::string& client, const std::string& peer, std::uint64_t asked);
  void send_answer(FrameQueue::Answer answer);
  void look_at_keys();
  void on_facts_request(const std::string& peer);
  void ask_for_facts(const std::string& peer);
  void answer_who_asked_for_facts();
  [[nodiscard]] State& observed();
  void happened(const std::string& kind, const std::string& text);

  // supervisor_job.cpp: the job's life
  void tend_job();
  void start_job();
  [[nodiscard]] bool may_start();
  void watch_ranks();
  void watch_links();
  [[nodiscard]] std::optional<Time> frame_began() const;
  [[nodiscard]] bool is_in_job(const std::string& node) const;
  void give_up_newcomers();
  void consider_joining();
  void end_job_quietly(const std::string& why);
  void lose_job(const std::string& why, Time last_sign, const std::string& culprit = {});
  void kill_job();
  void feed();
  void ask_for_daemons();
  void on_launch(const std::string& peer, const wire::LaunchRequest& request);
  void on_daemon_ended(const std::string& node, const wire::DaemonEnded& ended);
  void on_out_of_memory(const std::string& node, std::uint64_t job);
  [[nodiscard]] bool had_a_rank(const std::string& node, std::uint64_t job) const;
  void on_rank_beat(const std::string& peer, const wire::RankHello& hello);
  void on_ready(const std::string& peer, const wire::JobReady& ready);
  void on_refused(const wire::JobRefused& refused);
  void on_done(Message& message);
  void on_look(const wire::JobLook& look);
  void show_frame(const Tensors& tensors, std::vector<zmq::message_t>& parts);
  [[nodiscard]] std::vector<std::string> nodes_for_job() const;
  [[nodiscard]] std::optional<Time> heard_of(const Rank& rank) const;

  SupervisorOptions options_;
  Signals& signals_;
  PrivateFolder folder_;
  ListenLibrary listen_library_;
  zmq::context_t context_;
  std::unique_ptr<Gate> gate_;
  std::vector<Socket> public_;  // the first without keys
  Socket private_;
  FrameQueue queue_;
  FactsOfNodes facts_;
  Membership members_;
  LinkWatch links_;
  FrameTimes frame_times_;  // of the job
  Job job_;
  std::string private_address_;
  std::vector<std::string> ended_nodes_;  // of the job before the present one, as far as they were not blamed
  std::uint64_t ended_job_ = 0;
  std::optional<Interface> interface_;  // of the first address that others reach; without one, loopback
  Time began_;
  Time now_;
  std::optional<Time> lost_at_;  // the decision, until frames flow again
  Time quiet_since_;             // no frame waits or runs
  std::optional<Time> newcomers_since_;
  std::vector<std::string> suspects_;           // left out of the next start unless it was another's fault
  Time not_before_{};                           // of the next start
  int failed_starts_ = 0;                       // in a row
  bool was_ready_ = false;                      // some job
  std::vector<std::string> last_nodes_;         // of the last job that was ready
  std::chrono::milliseconds longest_start_{0};  // of jobs that became ready
  bool closing_ = false;
  std::optional<int> exit_code_;
  Time last_done_{};  // a frame
  Time shown_{};      // the last frame that was made a picture of
  State state_;
  std::function<void(const State&)> observer_;
};

}  // namespace strake::cluster
