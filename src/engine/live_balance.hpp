// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Changes the plan while frames run, when ranks have become faster or slower.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/background_planner.hpp"
#include "engine/session.hpp"
#include "engine/speed_probe.hpp"
#include "partition/live_decision.hpp"

namespace strake::engine {

struct LiveOptions {
  std::string strategy = "auto";
  partition::Goal goal;
  partition::LiveRules rules;
};

/// Every rank makes one and calls `after_cycle` after each frame; rank 0 decides (`partition/live_decision.hpp`).
///
/// Ranks exchange a few numbers every tenth of a second or so, by messages of the data path, after a frame: a rank
/// tells what its frames took, rank 0 answers with what is to be done, and all ranks do it before the next frame. Plans
/// are made in a thread of rank 0. Programs are prepared in pieces between frames and run when all ranks have theirs;
/// the one before stays until its successor's successor is prepared, so that going back takes no time.
class LiveBalance {
 public:
  /// Collective, after `compile` of a session that keeps weights. Does nothing where several frames are in flight.
  /// @param session  outlives this
  /// @param profile  what the running plan was made from; read on rank 0 only
  LiveBalance(Session& session, const std::optional<Profile>& profile, LiveOptions options);

  /// Collective: between two frames, after each one of the session. @throws PeerLost
  void after_cycle();

  /// Collective: no messages are under way afterwards. Nothing is balanced any more.
  void close();

  /// What happened, in order. Rank 0 only; empty on the others.
  [[nodiscard]] std::vector<partition::LiveEvent> events() const;

 private:
  enum class Action : std::int64_t { none, prepare, run, forget, measure_links };

  // What a rank says: plain numbers, since they travel as bytes.
  struct Report {
    double compute_us = 0;  // of all frames since the last one
    double probe_us = 0;
    std::int64_t frames = 0;
    std::int64_t prepared = 0;  // program that is ready; negative where it cannot be
  };

  // What rank 0 answers, and all do.
  struct Verdict {
    std::int64_t next_exchange = 0;  // after this frame, which may be the last one
    Action action = Action::none;
    std::int64_t program = 0;     // that is meant
    std::int64_t forgotten = 0;   // to make room; 0 for none
    std::int64_t plan_bytes = 0;  // that follow
    double piece_us = 0;          // between two frames, for preparing
  };

  struct Known {
    std::int64_t number = 0;
    std::shared_ptr<Compiled> compiled;
  };

  // A program on its way.
  struct Coming {
    std::int64_t number = 0;
    Plan plan;
    std::vector<std::vector<std::vector<WeightId>>> pieces;  // [piece][rank]: weights that are sent together
    std::size_t next_piece = 0;
    std::unique_ptr<comm::Redistribution> piece;  // under way
    std::vector<Blob> arriving;                   // weights of it, on the rank that gets them
    std::shared_ptr<Compiled> compiled;
    bool ready = false;
    bool failed = false;
  };

  void open_messages();
  [[nodiscard]] Report take_report();
  void send_report();
  void exchange();
  void carry_out();
  void change_to(std::int64_t program);
  void measure_links();

  void begin_coming();
  void go_on_coming();
  [[nodiscard]] bool weights_are_here();
  void start_piece();
  void take_piece();
  void finish_weights();

  // Of rank 0; in live_decide.cpp but for `send_plan`.
  void begin_window();
  void gather_window();
  [[nodiscard]] partition::LiveStep observe_window();
  [[nodiscard]] Verdict decide();
  [[nodiscard]] Verdict answer_to_coming();
  [[nodiscard]] Verdict answer_to_plan(Plan plan);
  [[nodiscard]] std::optional<std::int64_t> known_number(const Plan& plan) const;
  [[nodiscard]] double piece_us() const;
  [[nodiscard]] std::int64_t next_exchange_after(Action action) const;
  void send_plan();
  void tell_events();

  Session* session_;
  bool active_ = false;
  long frame_ = 0;          // frames that were done
  long next_exchange_ = 0;  // after this frame
  bool skip_frame_ = true;  // the first under a plan finds cold caches
  bool works_ = true;       // this rank, under the running plan
  SpeedProbe probe_;
  Report report_;                 // since the last exchange
  Report leaving_;                // under way
  std::vector<Report> arriving_;  // [rank], on rank 0
  Verdict verdict_;               // the last one, under way while it is due
  bool report_under_way_ = false;
  bool verdict_under_way_ = false;  // on rank 0
  std::unique_ptr<comm::Redistribution> report_messages_;
  std::unique_ptr<comm::Redistribution> verdict_messages_;
  std::unique_ptr<comm::Redistribution> plan_message_;
  comm::Bytes plan_bytes_;
  std::int64_t running_ = 1;  // number of the program that runs
  std::vector<Known> known_;  // others, the one that ran last at the end
  std::unique_ptr<Coming> coming_;

  // Rank 0.
  std::optional<partition::LiveDecision> decision_;
  std::optional<BackgroundPlanner> planner_;
  std::vector<Report> reports_;  // [rank], of the last exchange
  std::int64_t newest_ = 1;      // program
  double latency_us_ = 0;        // of frames since the last exchange, summed
  double last_latency_us_ = 0;
  partition::LiveWindow window_;      // sums since the last one that was observed
  std::vector<long> window_counted_;  // [rank]: frames of these sums
  long window_begin_ = 0;             // frame
  std::optional<Plan> plan_to_send_;
  partition::LiveStep after_links_ = partition::LiveStep::stay;  // what was measured asks for this
  std::size_t told_ = 0;                                         // events
};

}  // namespace strake::engine
