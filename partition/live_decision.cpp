// SPDX-License-Identifier: Apache-2.0
#include "partition/live_decision.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/errors.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {

namespace {

// So many plans in vain are remembered.
constexpr std::size_t most_in_vain = 16;

// Rolled-back switches double the rest up to so many times the first one.
constexpr long longest_rest = 64;

std::string percent(double share) { return std::to_string(std::lround(share * 1000) / 10) + " %"; }

std::string ms_text(double us) { return two_digits(us / 1000) + " ms"; }

std::string factors_text(const std::vector<double>& factors) {
  std::string text;
  for (const double factor : factors) text += (text.empty() ? "" : ", ") + two_digits(factor);
  return text;
}

CostModel costs_at(const Graph& graph, Profile profile, const std::vector<double>& factors) {
  for (std::size_t rank = 0; rank < factors.size(); ++rank) scale_times(profile.ranks[rank], factors[rank]);
  return {graph, std::move(profile)};
}

}  // namespace

LiveDecision::LiveDecision(const Graph& graph, Profile profile, Plan running, std::vector<double> probe_us,
                           const LiveRules& rules)
    : graph_(&graph),
      profile_(std::move(profile)),
      rules_(rules),
      costs_(graph, profile_),
      factors_(std::move(probe_us)),
      links_(profile_.links, rules.links),
      planned_for_(factors_.factors()),
      cool_down_us_(rules.cool_down_us),
      rest_frames_(rules.frames_after_rollback) {
  ensure(running.n_ranks == profile_.n_ranks() && factors_.factors().size() == profile_.ranks.size(),
         "plan, profile and probes are of the same ranks");
  ensure(running.frames == 1, "plans of one frame are balanced");
  run(std::move(running));
}

void LiveDecision::run(Plan plan) {
  running_ = std::move(plan);
  factors_.begin_plan(evaluate(costs_, running_).compute_us);
  links_.begin_plan(evaluate(costs_at(*graph_, profile_, factors_.factors()), running_).makespan_us,
                    factors_.factors());
  planned_in_vain_.clear();
  promised_gain_ = 0;
}

void LiveDecision::cool_down() { cooling_since_us_ = now_us_; }

void LiveDecision::tell(std::string what, std::string why, double predicted_gain, double measured_gain) {
  events_.push_back({.frame = frames_,
                     .what = std::move(what),
                     .why = std::move(why) + "; factors " + factors_text(factors_.factors()),
                     .factors = factors_.factors(),
                     .predicted_gain = predicted_gain,
                     .measured_gain = measured_gain});
}

Profile LiveDecision::present_profile() const {
  Profile present = profile_;
  for (std::size_t rank = 0; rank < present.ranks.size(); ++rank)
    scale_times(present.ranks[rank], factors_.factors()[rank]);
  return present;
}

double LiveDecision::gain_of(const Plan& plan, const std::vector<double>& factors) const {
  const CostModel costs = costs_at(*graph_, profile_, factors);
  return 1 - evaluate(costs, plan).makespan_us / evaluate(costs, running_).makespan_us;
}

bool LiveDecision::worth_planning() const {
  const SpeedChange change = change_of(planned_for_, factors_.factors());
  if (change.apart() < rules_.worth_planning && change.any() < rules_.worth_planning_together) return false;
  if (!rolled_back_at_ || frames_ >= rest_until_frame_) return true;
  return change_of(*rolled_back_at_, factors_.factors()).any() >= rules_.worth_planning_together;
}

// Speeds that come and go, as those of ranks that take turns on a core, would have plans made for ever.
bool LiveDecision::was_in_vain() const {
  return std::ranges::any_of(planned_in_vain_, [&](const std::vector<double>& factors) {
    const SpeedChange change = change_of(factors, factors_.factors());
    return change.apart() < rules_.worth_planning && change.any() < rules_.worth_planning_together;
  });
}

LiveStep LiveDecision::observe(const LiveWindow& window) {
  factors_.add(window);
  frames_ += window.frames;
  window_us_ = window.latency_us;
  now_us_ += static_cast<double>(window.frames) * window.latency_us;
  if (planning_ || considered_) return LiveStep::stay;
  if (links_.are_suspicious_at_once(now_us_, window.latency_us, factors_.of_last_window()))
    return LiveStep::measure_links;
  const bool settled = factors_.settled(rules_.agreement);
  if (before_ && (settled || ++windows_since_switch_ >= rules_.windows_to_settle)) return verify(settled);
  if (before_ || !settled) return LiveStep::stay;
  links_.settle(factors_.latency_us(), factors_.factors());
  if (links_.are_suspicious(now_us_, factors_.latency_us(), factors_.factors()) || links_.look_again(now_us_))
    return LiveStep::measure_links;
  if (was_in_vain()) return LiveStep::stay;
  const bool much = change_of(planned_for_, factors_.factors()).any() >= rules_.worth_planning_together;
  if (much) cool_down_us_ = rules_.cool_down_us;
  if (now_us_ < cooling_since_us_ + cool_down_us_ || !worth_planning()) return LiveStep::stay;
  begin_planning();
  return much ? LiveStep::make_plan_at_once : LiveStep::make_plan;
}

// Planning takes a part of rank 0's core: what it is for is how fast ranks were before.
void LiveDecision::begin_planning() {
  planning_ = true;
  planned_for_before_ = std::exchange(planned_for_, factors_.factors());
}

LiveStep LiveDecision::links_measured(const LiveLinks::Table& links, double took_us) {
  now_us_ += took_us;
  const std::vector<std::string> changes = links_.take(links, now_us_, took_us);
  if (changes.empty()) {
    tell("links", "they cost what they did");
    return LiveStep::stay;
  }
  std::string why;
  for (const std::string& change : changes) why += (why.empty() ? "" : ", ") + change;
  tell("links", std::move(why));
  profile_.links = links_.links();
  if (before_) {
    tell("unproved", "links have changed since the switch", promised_gain_);
    before_.reset();
  }
  planned_in_vain_.clear();
  for_links_ = true;
  begin_planning();
  return LiveStep::make_plan_at_once;
}

bool LiveDecision::consider(Plan plan) {
  ensure(planning_, "a plan was asked for");
  planning_ = false;
  promised_gain_ = plan.produces == running_.produces ? 0 : gain_of(plan, planned_for_);
  cool_down();
  if (promised_gain_ < rules_.least_gain) {
    tell("kept",
         "a plan for the present speeds promises " + percent(std::max(promised_gain_, 0.0)) +
             " of a frame, less than " + percent(rules_.least_gain),
         promised_gain_);
    for_links_ = false;
    // What was in vain will be so again.
    cool_down_us_ = std::min(2 * cool_down_us_, rules_.longest_cool_down_us);
    promised_gain_ = 0;
    planned_in_vain_.push_back(planned_for_);
    if (planned_in_vain_.size() > most_in_vain) planned_in_vain_.erase(planned_in_vain_.begin());
    return false;
  }
  tell("planned",
       "another plan (" + plan.strategy + ") promises " + percent(promised_gain_) + " of a frame of " +
           ms_text(factors_.latency_us()),
       promised_gain_);
  considered_ = std::move(plan);
  return true;
}

bool LiveDecision::still_worth() {
  ensure(considered_.has_value(), "a plan is considered");
  const double gain = gain_of(*considered_, factors_.factors());
  if (gain >= rules_.least_gain / 2) return true;
  give_up("speeds have changed meanwhile: it would bring " + percent(gain) + " instead of " + percent(promised_gain_));
  return false;
}

void LiveDecision::give_up(const std::string& why) {
  tell("given-up", why, promised_gain_);
  // Where there was no plan at all, it is tried again.
  if (planning_) planned_for_ = planned_for_before_;
  planning_ = false;
  for_links_ = false;
  considered_.reset();
  promised_gain_ = 0;
  cool_down();
}

void LiveDecision::switched() {
  ensure(considered_.has_value(), "a plan is considered");
  // Of the frames that made links be measured there may be one.
  before_us_ = std::exchange(for_links_, false) ? window_us_ : factors_.latency_us();
  switched_at_ = factors_.factors();
  windows_since_switch_ = 0;
  const double promised = promised_gain_;
  tell("switched", "the next frame runs under the new plan", promised);
  before_ = std::move(running_);
  run(*std::exchange(considered_, std::nullopt));
  promised_gain_ = promised;
  cool_down_us_ = rules_.cool_down_us;
  cool_down();
}

// Frames before and after compare where speeds are the same.
LiveStep LiveDecision::verify(bool settled) {
  const double gain = 1 - factors_.latency_us() / before_us_;
  const std::string figures = ms_text(before_us_) + " before, " + ms_text(factors_.latency_us()) + " now, " +
                              percent(gain) + " less of " + percent(promised_gain_) + " promised";
  const bool comparable = settled && change_of(switched_at_, factors_.factors()).any() < rules_.same_speed;
  if (gain <= 0 && comparable) return LiveStep::roll_back;
  if (comparable)
    tell("confirmed", figures, promised_gain_, gain);
  else
    tell("unproved", "speeds have changed since the switch: " + figures, promised_gain_);
  before_.reset();
  rest_frames_ = rules_.frames_after_rollback;
  return LiveStep::stay;
}

void LiveDecision::rolled_back() {
  ensure(before_.has_value(), "there is a plan to go back to");
  const double gain = 1 - factors_.latency_us() / before_us_;
  tell("rolled-back",
       "frames took " + ms_text(before_us_) + " before the switch and " + ms_text(factors_.latency_us()) + " after it",
       promised_gain_, gain);
  rolled_back_at_ = factors_.factors();
  rest_until_frame_ = frames_ + rest_frames_;
  rest_frames_ = std::min(2 * rest_frames_, longest_rest * rules_.frames_after_rollback);
  run(*std::exchange(before_, std::nullopt));
  cool_down();
}

}  // namespace strake::partition
