// SPDX-License-Identifier: Apache-2.0
// What rank 0 makes of the ranks' reports.

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "engine/live_balance.hpp"

namespace strake::engine {

namespace {

// Shorter ones vary too much, longer ones are late.
constexpr double window_length_us = 100e3;

// Of a frame's time: what ranks may take between two frames to prepare a program. More where going on as before costs
// more than that.
constexpr double least_piece_share = 0.5;
constexpr double most_piece_share = 10;

// Where a plan promises so much, the frames wait until it is prepared, as long as a piece may take.
constexpr double urgent_gain = 0.2;

// Of a frame's time: frames wait so long for a plan that is wanted at once.
constexpr double patience_share = 0.5;

// Waiting programs beside the one that runs and the one that comes.
constexpr std::size_t most_known = 2;

}  // namespace

void LiveBalance::begin_window() {
  const auto n_ranks = static_cast<std::size_t>(session_->size());
  window_ = {.frames = 0,
             .latency_us = 0,
             .compute_us = std::vector<double>(n_ranks),
             .probe_us = std::vector<double>(n_ranks)};
  window_counted_.assign(n_ranks, 0);
  window_begin_ = frame_;
}

// Sums of what ranks reported since the last window.
void LiveBalance::gather_window() {
  for (std::size_t rank = 0; rank < reports_.size(); ++rank) {
    window_.compute_us[rank] += reports_[rank].compute_us;
    if (reports_[rank].probe_us > 0) window_.probe_us[rank] = reports_[rank].probe_us;
    window_counted_[rank] += static_cast<long>(reports_[rank].frames);
  }
  window_.latency_us += std::exchange(latency_us_, 0);
}

partition::LiveStep LiveBalance::observe_window() {
  const bool counted = std::ranges::all_of(window_counted_, [](long frames) { return frames > 0; });
  if (!counted || window_.latency_us < window_length_us) return partition::LiveStep::stay;
  window_.frames = frame_ - window_begin_;
  window_.latency_us /= static_cast<double>(window_counted_.front());
  for (std::size_t rank = 0; rank < window_counted_.size(); ++rank)
    window_.compute_us[rank] /= static_cast<double>(window_counted_[rank]);
  const partition::LiveStep step = decision_->observe(window_);
  begin_window();
  return step;
}

LiveBalance::Verdict LiveBalance::decide() {
  using partition::LiveStep;
  const LiveStep observed = observe_window();
  const LiveStep step = after_links_ != LiveStep::stay ? std::exchange(after_links_, LiveStep::stay) : observed;
  if (step == LiveStep::measure_links)
    return {.next_exchange = frame_, .action = Action::measure_links, .piece_us = piece_us()};
  if (step == LiveStep::make_plan || step == LiveStep::make_plan_at_once) planner_->start(decision_->present_profile());
  if (step == LiveStep::make_plan_at_once)
    planner_->wait(std::chrono::microseconds(static_cast<std::int64_t>(patience_share * last_latency_us_)));
  Verdict verdict;
  if (coming_) {
    verdict = answer_to_coming();
  } else if (std::optional<BackgroundPlanner::Answer> answer = planner_->take()) {
    if (answer->plan)
      verdict = answer_to_plan(*std::move(answer->plan));
    else
      decision_->give_up("there is no plan: " + answer->error);
  } else if (step == LiveStep::roll_back) {
    decision_->rolled_back();
    verdict = {.action = Action::run, .program = known_.back().number};
  }
  verdict.next_exchange = next_exchange_after(verdict.action);
  verdict.piece_us = piece_us();
  return verdict;
}

// All are asked again and again until each has said whether it has the program.
LiveBalance::Verdict LiveBalance::answer_to_coming() {
  const std::int64_t number = coming_->number;
  const bool sent = !coming_->piece && coming_->next_piece == coming_->pieces.size();
  const auto says = [&](std::int64_t what) { return [what](const Report& report) { return report.prepared == what; }; };
  if (sent && std::ranges::any_of(reports_, says(-number))) {
    decision_->give_up("a rank cannot prepare it");
    return {.action = Action::forget, .program = number};
  }
  if (!std::ranges::all_of(reports_, says(number))) return {};
  if (!decision_->still_worth()) return {.action = Action::forget, .program = number};
  decision_->switched();
  return {.action = Action::run, .program = number};
}

LiveBalance::Verdict LiveBalance::answer_to_plan(Plan plan) {
  plan.epoch = static_cast<int>(newest_);
  if (!decision_->consider(plan)) return {};
  if (const std::optional<std::int64_t> number = known_number(plan)) {
    decision_->switched();
    return {.action = Action::run, .program = *number};
  }
  Verdict verdict{.action = Action::prepare, .program = ++newest_};
  if (known_.size() >= most_known) verdict.forgotten = known_.front().number;
  plan_to_send_ = std::move(plan);
  return verdict;
}

std::optional<std::int64_t> LiveBalance::known_number(const Plan& plan) const {
  for (const Known& known : known_)
    if (known.compiled->plan.produces == plan.produces && known.compiled->plan.overlap == plan.overlap)
      return known.number;
  return std::nullopt;
}

// What is lost by going on as before may be spent on changing.
double LiveBalance::piece_us() const {
  const double gain = std::min(decision_->promised_gain(), 0.99);
  return last_latency_us_ * std::clamp(gain / (1 - gain), least_piece_share, most_piece_share);
}

std::int64_t LiveBalance::next_exchange_after(Action action) const {
  if (action == Action::prepare && decision_->promised_gain() >= urgent_gain) return frame_;
  const bool waits = coming_ || planner_->is_planning() || action == Action::prepare;
  const double frames =
      waits || last_latency_us_ <= 0 ? 1 : std::clamp(window_length_us / last_latency_us_, 1.0, 10'000.0);
  return frame_ + static_cast<std::int64_t>(frames);
}

void LiveBalance::tell_events() {
  const std::vector<partition::LiveEvent>& events = decision_->events();
  for (; told_ < events.size(); ++told_) {
    const partition::LiveEvent& event = events[told_];
    const bool changes = event.what == "switched" || event.what == "rolled-back";
    log(changes ? LogLevel::info : LogLevel::debug,
        "live balance, frame " + std::to_string(event.frame) + ": " + event.what + ": " + event.why);
  }
}

}  // namespace strake::engine
