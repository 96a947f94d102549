// SPDX-License-Identifier: Apache-2.0
#pragma once
/// When a running plan is given up for another one. Knows no clock: time is the sum of the frames' latencies.

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "core/plan.hpp"
#include "partition/cost_model.hpp"
#include "partition/live_factors.hpp"
#include "partition/live_links.hpp"

namespace strake::partition {

struct LiveRules {
  double least_gain = 0.08;               // predicted, of a frame's time: for less nobody moves
  double worth_planning = 0.08;           // a rank's speed has changed so much against another's since the last plan
  double worth_planning_together = 0.25;  // all ranks' have: links weigh more or less than they did
  double agreement = 0.15;                // of the last window with the factors: else speeds are still changing
  double cool_down_us = 0.5e6;            // after a switch, and after planning
  double longest_cool_down_us = 30e6;     // planning in vain doubles it up to here, until speeds change much
  long frames_after_rollback = 1000;      // at least, unless speeds change by `worth_planning_together`
  int windows_to_settle = 10;             // after a switch; then it stays unproved
  double same_speed = 0.2;                // factors that differ less compare frames before and after a switch
  LiveLinkRules links;
};

/// What happened and why, in the order in which it did.
struct LiveEvent {
  long frame = 0;    // frames that were done
  std::string what;  // "kept", "planned", "switched", "confirmed", "unproved", "rolled-back", "given-up", "links"
  std::string why;   // a sentence, with figures
  std::vector<double> factors;
  double predicted_gain = 0;  // of a frame's time, 0.2 for a fifth less; 0 where none was predicted
  double measured_gain = 0;   // of "confirmed" and "rolled-back"
};

/// What is to be done next. A plan is wanted at once where speeds have changed by `worth_planning_together`: frames may
/// wait for it a while.
enum class LiveStep : unsigned char { stay, make_plan, make_plan_at_once, roll_back, measure_links };

/// The running plan, the one that it may be given up for, and the one before it. Calls come in the order of the frames:
///
///   observe ─ make_plan ─▶ consider(plan) ─ true ─▶ (all ranks prepare) still_worth() ─ true ─▶ switched()
///   observe ─ roll_back ─▶ rolled_back()
///   observe ─ measure_links ─▶ links_measured(links) ─ make_plan_at_once ─▶ as above
class LiveDecision {
 public:
  /// `graph` must outlive it. @param profile   what `running` was planned from
  ///                         @param probe_us  see `LiveFactors`
  LiveDecision(const Graph& graph, Profile profile, Plan running, std::vector<double> probe_us,
               const LiveRules& rules = {});

  /// What frames under the running plan took.
  [[nodiscard]] LiveStep observe(const LiveWindow& window);

  /// @param links    [src][dst]; those within a host are not looked at
  /// @param took_us  during which no frame ran
  /// @return `make_plan_at_once` or `stay`
  [[nodiscard]] LiveStep links_measured(const LiveLinks::Table& links, double took_us);

  /// The profile with times as they are now: what a new plan is to be made from.
  [[nodiscard]] Profile present_profile() const;

  /// Whether it is to be prepared: under the present factors it promises enough.
  [[nodiscard]] bool consider(Plan plan);
  /// Whether what was considered, and is prepared now, still promises at least half of that.
  [[nodiscard]] bool still_worth();
  /// The plan that was considered cannot be had.
  void give_up(const std::string& why);
  /// Of the plan that was considered, when it was.
  [[nodiscard]] double promised_gain() const { return promised_gain_; }

  /// The plan that was considered runs from the next frame on.
  void switched();
  /// The plan before it runs from the next frame on.
  void rolled_back();

  [[nodiscard]] const Plan& running() const { return running_; }
  [[nodiscard]] const LiveFactors& factors() const { return factors_; }
  [[nodiscard]] const std::vector<LiveEvent>& events() const { return events_; }

 private:
  [[nodiscard]] double gain_of(const Plan& plan, const std::vector<double>& factors) const;
  [[nodiscard]] bool worth_planning() const;
  [[nodiscard]] bool was_in_vain() const;
  [[nodiscard]] LiveStep verify(bool settled);
  void run(Plan plan);
  void begin_planning();
  void cool_down();
  void tell(std::string what, std::string why, double predicted_gain = 0, double measured_gain = 0);

  const Graph* graph_;
  Profile profile_;
  LiveRules rules_;
  CostModel costs_;  // of the profile as it was measured
  LiveFactors factors_;
  LiveLinks links_;
  Plan running_;
  std::optional<Plan> considered_;
  std::optional<Plan> before_;                         // until the switch from it is confirmed
  std::vector<double> planned_for_;                    // factors when planning began
  std::vector<double> planned_for_before_;             // of the time before
  std::vector<std::vector<double>> planned_in_vain_;   // factors, under the running plan and its links
  std::vector<double> switched_at_;                    // factors
  std::optional<std::vector<double>> rolled_back_at_;  // factors, while frames_after_rollback last
  double before_us_ = 0;                               // latency under `before_`
  double window_us_ = 0;                               // latency in the last window
  bool for_links_ = false;                             // links have changed since the last switch
  double promised_gain_ = 0;
  bool planning_ = false;
  double now_us_ = 0;
  double cooling_since_us_ = -INFINITY;
  double cool_down_us_ = 0;
  long frames_ = 0;
  int windows_since_switch_ = 0;
  long rest_until_frame_ = 0;
  long rest_frames_ = 0;
  std::vector<LiveEvent> events_;
};

}  // namespace strake::partition
