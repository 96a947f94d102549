// SPDX-License-Identifier: Apache-2.0
#include "partition/planner.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <tuple>

#include "core/errors.hpp"
#include "partition/anneal.hpp"
#include "partition/course.hpp"
#include "partition/deepen.hpp"
#include "partition/lean.hpp"
#include "partition/memory.hpp"
#include "partition/polish.hpp"
#include "partition/rank_orders.hpp"
#include "partition/strategies/strategies.hpp"
#include "partition/strip_clock.hpp"
#include "partition/throughput.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {

namespace {

// Frames of one plan differ by this much from each other: a rank that earns less only adds a risk.
constexpr double least_gain_of_a_rank = 0.03;

// Places tried for the change from rows to channels.
constexpr std::size_t most_changes = 16;

// Of so many plans for one set of ranks, divided by operators and squared ranks, the local search begins at each.
constexpr double starts_effort = 400;
constexpr double most_starts = 12;

// Of the least: plans that differ less in memory are told apart by their speed.
constexpr double same_memory = 0.01;

// A plan this many times slower than another of its strategy stays so.
constexpr double worth_polishing = 1.1;

struct Candidate {
  std::string strategy;
  std::shared_ptr<const StripModel> model;
  StripPlan plan;
  double us = 0;
};

std::string milliseconds(double us) {
  // Three digits behind the point, as every table of the program.
  const std::string text = std::to_string(us / 1000);
  return text.substr(0, text.find('.') + 4) + " ms";
}

using ModelPtr = std::shared_ptr<const StripModel>;

// [way][model]
std::vector<std::vector<StripPlan>> split_plans(std::span<const ModelPtr> models, const std::string& strategy,
                                                const std::vector<int>& order) {
  std::vector<const StripModel*> list;
  std::vector<StripPlan> one_each;
  for (const ModelPtr& model : models) {
    list.push_back(model.get());
    one_each.push_back(strategy == "oodp-recompute" ? plan_recompute(*model, order) : plan_aligned(*model, order));
  }
  if (strategy == "oodp-recompute") return {std::move(one_each)};
  std::vector<std::vector<StripPlan>> ways = {plan_exchange(list, order, TransferCosts::counted),
                                              plan_exchange(list, order, TransferCosts::ignored), std::move(one_each)};
  if (strategy == "oodp-hybrid") ways.push_back(plan_recompute_then_exchange(list, order));
  return ways;
}

// Rows throughout; for the hybrid rows up to some place where everything passes through one tensor, channels behind it.
std::vector<ModelPtr> models_of(const ModelPtr& rows, const std::string& strategy) {
  if (strategy != "oodp-hybrid") return {rows};
  std::vector<ModelPtr> models;
  const std::size_t n = rows->frontiers().size();
  const std::size_t step = (n + most_changes - 1) / most_changes;
  // Evenly, and the last ones above all.
  for (std::size_t i = n; i > step; i -= step)
    models.push_back(std::make_shared<StripModel>(*rows, rows->frontiers()[i - step - 1].op + 1));
  return models;
}

// Plans for a set of ranks, whatever their order, before they are polished, the fastest first; none where there is no
// model.
std::vector<Candidate> starts_of(std::span<const ModelPtr> models, const std::string& strategy,
                                 const std::vector<int>& ranks) {
  if (models.empty()) return {};
  std::vector<Candidate> all;
  for (const std::vector<int>& order : rank_orders(models.front()->costs(), ranks)) {
    std::vector<std::vector<StripPlan>> plans = split_plans(models, strategy, order);
    for (std::size_t i = 0; i < models.size(); ++i) {
      StripClock clock(*models[i]);
      for (std::vector<StripPlan>& of_models : plans) {
        const double us = clock.predict_us(of_models[i]);
        all.push_back({strategy, models[i], std::move(of_models[i]), us});
      }
    }
  }
  std::ranges::stable_sort(all, {}, &Candidate::us);
  return all;
}

// The best that the local search finds from the first few of them.
Candidate polished(std::vector<Candidate> starts) {
  const StripModel& model = *starts.front().model;
  const double size = model.size() * static_cast<double>(model.n_ranks()) * model.n_ranks();
  const auto n = static_cast<std::size_t>(std::clamp(starts_effort / size, 1.0, most_starts));
  Candidate best = starts.front();
  for (Candidate& start : std::span(starts).first(std::min(n, starts.size()))) {
    const bool fused = start.strategy == "oodp-recompute";
    start.plan = polish(*start.model, std::move(start.plan), fused ? Segments::changed : Segments::kept);
    start.us = predict_us(*start.model, start.plan);
    if (start.us < best.us) best = std::move(start);
  }
  return best;
}

// The best plan of a strategy for each set of ranks. Sets shrink little by little, and so the place of the change from
// rows to channels moves little: all places are tried for the first set, the next ones to the last best place after.
void add_best(const ModelPtr& rows, const std::string& strategy, std::vector<Candidate>& all) {
  const std::vector<ModelPtr> models = models_of(rows, strategy);
  std::span<const ModelPtr> tried = models;
  double least_us = std::numeric_limits<double>::infinity();
  for (const std::vector<int>& ranks : rank_sets(rows->costs())) {
    std::vector<Candidate> starts = starts_of(tried, strategy, ranks);
    if (starts.empty()) return;
    const auto place = std::find(models.begin(), models.end(), starts.front().model) - models.begin();
    const std::size_t first = at(place) == 0 ? 0 : at(place) - 1;
    tried = std::span(models).subspan(first, std::min(at(place) + 2, models.size()) - first);
    const bool worth_it = starts.front().us <= least_us * worth_polishing;
    Candidate best = worth_it ? polished(std::move(starts)) : std::move(starts.front());
    least_us = std::min(least_us, best.us);
    all.push_back(std::move(best));
  }
}

// [rank]: whether it computes anything.
std::vector<bool> working(const StripModel& model, const StripPlan& plan) {
  std::vector<bool> works(at(model.n_ranks()));
  const Rows rows = rows_of(model, plan);
  for (OpId id = 0; id < model.size(); ++id)
    for (std::size_t rank = 0; rank < works.size(); ++rank)
      if (model.op(id).kind != StripKind::input && !rows[at(id)][rank].empty()) works[rank] = true;
  return works;
}

std::ptrdiff_t n_working(const Candidate& one) { return std::ranges::count(working(*one.model, one.plan), true); }

// What a rank must earn where frames differ from each other.
double gain_of_a_rank(const CostModel& costs) {
  const bool varies =
      std::ranges::any_of(costs.profile().ranks, [](const RankProfile& rank) { return rank.jitter_us > 0; });
  return varies ? least_gain_of_a_rank : 0;
}

// The fastest once more, with more patience. Who asked for exchange does not get recomputed halos.
void deepen_best(const std::string& strategy, bool anneals, std::vector<Candidate>& all) {
  const bool kept = strategy == "oodp-exchange" || strategy == "oodp-hybrid";
  const Segments segments = kept ? Segments::kept : Segments::changed;
  Candidate& best = *std::ranges::min_element(all, {}, &Candidate::us);
  const StripModel& model = *best.model;
  // What a rank earns is seen by comparing sets of ranks.
  const Ranks ranks = gain_of_a_rank(model.costs()) > 0 ? Ranks::of_plan : Ranks::any;
  best.plan = deepen(model, std::move(best.plan), segments);
  if (anneals) best.plan = deepen(model, anneal(model, std::move(best.plan), segments, ranks), segments);
  best.us = predict_us(model, best.plan);
}

// What others would do, and rules to compare with.
const std::map<std::string, StripPlan (*)(const StripModel&), std::less<>>& rules() {
  static const std::map<std::string, StripPlan (*)(const StripModel&), std::less<>> list = {
      {"aofl", plan_aofl},
      {"coedge", plan_co_edge},
      {"deepslicing", plan_deep_slicing},
      {"deepthings", plan_deep_things},
      {"edgeld", plan_edge_ld},
      {"equal", plan_equal},
      {"modnn", plan_proportional},
      {"oodp-published", plan_published},
      {"pipeline", plan_pipeline},
      {"proportional", plan_proportional},
      {"single", plan_single},
  };
  return list;
}

std::vector<Candidate> candidates_of(const ModelPtr& rows, const std::string& strategy, bool anneals) {
  std::vector<std::string> splits = {strategy};
  if (strategy == "oodp" || strategy == "auto") splits = {"oodp-exchange", "oodp-recompute"};
  if (strategy == "auto") splits.emplace_back("oodp-hybrid");
  std::vector<Candidate> all;
  if (strategy == "auto") {
    StripPlan single = plan_single(*rows);
    const double us = predict_us(*rows, single);
    all.push_back({"single", rows, std::move(single), us});
    if (rows->n_ranks() == 1) return all;
  }
  for (const std::string& split : splits) add_best(rows, split, all);
  if (!all.empty()) deepen_best(strategy, anneals, all);
  return all;
}

// The fewest ranks that are not much slower than the fastest; among those the fastest.
const Candidate& choose(const std::vector<Candidate>& all) {
  double enough = std::numeric_limits<double>::infinity();
  for (const Candidate& one : all) enough = std::min(enough, one.us);
  enough *= 1 + gain_of_a_rank(all.front().model->costs());
  const Candidate* best = nullptr;
  std::ptrdiff_t fewest = 0;
  for (const Candidate& one : all) {
    if (one.us > enough) continue;
    const std::ptrdiff_t n_ranks = n_working(one);
    if (best != nullptr && std::tie(n_ranks, one.us) >= std::tie(fewest, best->us)) continue;
    best = &one;
    fewest = n_ranks;
  }
  ensure(best != nullptr, "some plan is the fastest");
  return *best;
}

std::vector<std::string> notes_on(const std::vector<Candidate>& all, const Candidate& chosen) {
  std::vector<std::string> notes;
  for (const std::string& strategy : strategies()) {
    const Candidate* best = nullptr;
    for (const Candidate& one : all)
      if (one.strategy == strategy && (best == nullptr || one.us < best->us)) best = &one;
    if (best == nullptr) continue;
    const std::string who = strategy == "single" ? "rank " + std::to_string(best->plan.order.front()) + " alone"
                                                 : std::to_string(n_working(*best)) + " ranks";
    notes.push_back(std::string("compared: ").append(strategy) + ", " + who + ", " + milliseconds(best->us));
  }
  std::vector<std::vector<bool>> works;
  for (const Candidate& one : all) works.push_back(working(*one.model, one.plan));
  const std::vector<bool> chosen_works = working(*chosen.model, chosen.plan);
  for (std::size_t rank = 0; rank < chosen_works.size(); ++rank) {
    if (chosen_works[rank]) continue;
    std::optional<double> with_it;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (works[i][rank]) with_it = std::min(with_it.value_or(all[i].us), all[i].us);
    std::string why = "every step is faster without it";
    if (with_it) why = "best plan with it " + milliseconds(*with_it) + ", without " + milliseconds(chosen.us);
    if (with_it && *with_it < chosen.us) why += " (ranks must earn 3 %)";
    notes.push_back(std::string("rank ").append(std::to_string(rank)) + " left out: " + why);
  }
  return notes;
}

// Plans that hold little: what the strategy cuts, but never for speed.
void add_lean(const ModelPtr& rows, const std::string& strategy, std::vector<Candidate>& all) {
  std::vector<ModelPtr> models = {rows};
  if (strategy == "auto" || strategy == "oodp-hybrid" || strategy == "lean") {
    const std::vector<ModelPtr> hybrid = models_of(rows, "oodp-hybrid");
    models.insert(models.end(), hybrid.begin(), hybrid.end());
  }
  for (LeanPlan& lean : lean_plans(models)) {
    const double us = predict_us(*lean.model, lean.plan);
    all.push_back({"lean", std::move(lean.model), std::move(lean.plan), us});
  }
}

// Those that keep within the limit; under Objective::memory only the leanest.
std::vector<Candidate> within(const Goal& goal, std::vector<Candidate> all) {
  std::vector<double> bytes;
  for (const Candidate& one : all)
    bytes.push_back(most_process_bytes(one.model->graph(), one.model->costs().profile(),
                                       to_plan(*one.model, one.plan, one.strategy)));
  const double least = *std::ranges::min_element(bytes);
  if (least > goal.most_bytes)
    throw InvalidInput(needs_more_memory(all.front().model->graph(), least, goal.most_bytes));
  const double most =
      goal.objective == Objective::memory ? std::min(least * (1 + same_memory), goal.most_bytes) : goal.most_bytes;
  std::vector<Candidate> kept;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (bytes[i] <= most) kept.push_back(std::move(all[i]));
  return kept;
}

Plan make_oodp(const CostModel& costs, const std::string& strategy, const Goal& goal) {
  const auto rows = std::make_shared<StripModel>(costs);
  const bool lean = strategy == "lean";
  std::vector<Candidate> all;
  if (!lean) all = candidates_of(rows, strategy, goal.anneals);
  // A network that cannot be divided anywhere has no place to change.
  if (!lean && all.empty()) return make_oodp(costs, "oodp-exchange", goal);
  if (lean || goal.objective == Objective::memory || goal.most_bytes < std::numeric_limits<double>::infinity()) {
    add_lean(rows, strategy, all);
    all =
        within({.objective = lean ? Objective::memory : goal.objective, .most_bytes = goal.most_bytes}, std::move(all));
  }
  const Candidate& chosen = choose(all);
  Plan plan = to_plan(*chosen.model, chosen.plan, chosen.strategy);
  plan.notes = notes_on(all, chosen);
  if (strategy != "auto" || chosen.strategy == "single" || all.front().strategy != "single") return plan;
  // Rows are a little coarser than boxes: what counts is the timeline of the plan itself.
  Plan single = to_plan(*all.front().model, all.front().plan, "single");
  if (single.predicted_us > plan.predicted_us) return plan;
  single.notes = notes_on(all, all.front());
  return single;
}

}  // namespace

std::vector<std::string> strategies() {
  std::vector<std::string> names = {"auto", "oodp", "oodp-exchange", "oodp-recompute", "oodp-hybrid", "lean"};
  for (const auto& [name, plan] : rules()) names.push_back(name);
  names.emplace_back("data-parallel");
  names.emplace_back("frame-groups");
  return names;
}

std::vector<std::string> objectives() { return {"latency", "throughput", "memory"}; }

Objective objective_of(const std::string& name) {
  if (name == "latency") return Objective::latency;
  if (name == "throughput") return Objective::throughput;
  if (name == "memory") return Objective::memory;
  throw InvalidInput("objective '" + name + "' is unknown, expected latency, throughput or memory");
}

bool has_choice(const std::string& strategy) {
  return !rules().contains(strategy) && !needs_frames_in_flight(strategy);
}

Plan make_plan(const CostModel& costs, const std::string& strategy, const Goal& goal) {
  const std::vector<std::string> known = strategies();
  if (std::find(known.begin(), known.end(), strategy) == known.end()) {
    std::string list;
    for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
    throw InvalidInput("strategy '" + strategy + "' is unknown, expected one of " + list);
  }
  if (goal.objective == Objective::throughput || needs_frames_in_flight(strategy))
    return make_throughput_plan(costs, strategy, goal);
  const auto rule = rules().find(strategy);
  if (rule == rules().end()) return make_oodp(costs, strategy, goal);
  const StripModel model(costs);
  return to_plan(model, rule->second(model), strategy);
}

Plan plan_for_ranks(const CostModel& costs, const std::vector<int>& ranks) {
  const auto rows = std::make_shared<StripModel>(costs);
  std::optional<Candidate> best;
  for (const char* strategy : {"oodp-exchange", "oodp-recompute", "oodp-hybrid"}) {
    std::vector<Candidate> starts = starts_of(models_of(rows, strategy), strategy, ranks);
    if (starts.empty()) continue;
    Candidate one = polished(std::move(starts));
    if (!best || one.us < best->us) best = std::move(one);
  }
  ensure(best.has_value(), "strips of rows always make a plan");
  return to_plan(*best->model, best->plan, best->strategy);
}

Plan equal_plan(const Graph& graph, int n_ranks, SplitAxis axis) {
  ensure(n_ranks >= 1, "a plan has at least one rank");
  // Everything is free: then the prediction is 0, which says that nobody measured.
  const OpCost nothing_costs{.extents = {1}, .microseconds = {0}};
  RankProfile rank;
  rank.ops.assign(graph.ops.size(), nothing_costs);
  const CostModel costs(graph, {.model = {},
                                .axis = axis,
                                .ranks = std::vector<RankProfile>(at(n_ranks), rank),
                                .links = std::vector<std::vector<Link>>(at(n_ranks), std::vector<Link>(at(n_ranks)))});
  return make_plan(costs, "equal");
}

}  // namespace strake::partition
