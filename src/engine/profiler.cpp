// SPDX-License-Identifier: Apache-2.0
#include "engine/profiler.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <numbers>
#include <numeric>
#include <optional>

#include "comm/simulation.hpp"
#include "engine/executor.hpp"
#include "engine/measure.hpp"

namespace strake::engine {

namespace {

using Clock = comm::Clock;

// What a rank computes of every map while kernels are measured: a part of the strip axis, or of the channels.
struct Cut {
  enum class Along : unsigned char { strips, channels };
  Along along = Along::strips;
  double fraction = 1;
  bool with_uncut = false;  // operators that cannot be cut are measured with it
};

// Half the rows can cost more than all of them (see docs/planning.md), so several; what lies between is interpolated.
constexpr double smallest_strip = 0.03;
constexpr Cut cuts[] = {{Cut::Along::strips, 1.0},   {Cut::Along::strips, 0.75},
                        {Cut::Along::strips, 0.6},   {Cut::Along::strips, 0.5},
                        {Cut::Along::strips, 0.4},   {Cut::Along::strips, 0.25},
                        {Cut::Along::strips, 0.125}, {Cut::Along::strips, smallest_strip},
                        {Cut::Along::channels, 0.5}, {Cut::Along::channels, 0.25},
                        {Cut::Along::channels, 0.1}};
// What many rows cost is in proportion to them, and their fastest kernels are the same: then few, and kernels for one.
constexpr Cut few_cuts[] = {{Cut::Along::strips, 1.0},
                            {Cut::Along::strips, 0.5},
                            {Cut::Along::strips, 0.25},
                            {Cut::Along::strips, 0.125},
                            {Cut::Along::strips, smallest_strip},
                            {Cut::Along::channels, 0.25}};
constexpr Index many_rows = 32;
constexpr double kernels_of_many_rows = 0.25;

// Whether every map that is cut has many rows (columns).
bool has_many_rows(const Graph& graph, SplitAxis split) {
  const std::vector<int> axes = strip_axes(graph, split);
  for (OpId id = 0; id < graph.size(); ++id) {
    const int axis = axes[static_cast<std::size_t>(id)];
    if (axis >= 0 && graph.shape(id)[static_cast<std::size_t>(axis)] < many_rows) return false;
  }
  return true;
}

// What a rank may hold of a heavy operator.
constexpr std::size_t heavy_part_bytes = std::size_t{64} << 20;
constexpr int least_runs = 2;
// Weights that are held at once while operators are measured. More than common caches hold, so that those of one
// operator still push those of the others out; less than what the process will hold later, so that measuring is not
// what it needs most memory for.
constexpr double most_weight_bytes = 64 << 20;
// What the clock can tell.
constexpr double least_us = 0.02;
constexpr int most_runs = 20;
constexpr auto time_per_cut = std::chrono::milliseconds(100);
// Shared machines have slow phases of some tenths of a second. One of them should not make a cut look bad, so all
// are measured several times over, unless that takes long; long runs are disturbed less.
constexpr std::size_t sweeps = 3;
constexpr double most_us_for_sweeps = 50'000;

bool is_computed(const Op& op) { return as<Input>(op) == nullptr && as<Constant>(op) == nullptr; }

// The part of one map under a cut; none where it cannot be cut so.
std::optional<Interval> part_of(const Graph& graph, OpId id, int strip_axis, const Cut& cut) {
  const bool by_channels = cut.along == Cut::Along::channels;
  const Index block = by_channels ? (strip_axis == 1 ? 0 : channel_block(graph, id)) : 1;
  if (block == 0 || (!by_channels && strip_axis < 0)) return std::nullopt;
  const Index all = graph.shape(id)[by_channels ? 1 : static_cast<std::size_t>(strip_axis)];
  const auto blocks =
      static_cast<Index>(std::lround(cut.fraction * static_cast<double>(all) / static_cast<double>(block)));
  const Index extent = std::clamp<Index>(blocks * block, block, all);
  // A strip has neighbours on both sides; of channels a kernel takes any alike.
  const Index begin = by_channels ? 0 : (all - extent) / 2;
  return Interval{begin, begin + extent};
}

std::size_t axis_of(int strip_axis, const Cut& cut) {
  return cut.along == Cut::Along::channels ? 1 : static_cast<std::size_t>(strip_axis);
}

// Operators from `begin` on, before `end`.
struct Stretch {
  OpId begin = 0;
  OpId end = 0;
};

// A plan for one rank that produces a part of every map of a stretch; nothing of heavy operators.
Plan plan_of(const Graph& graph, const ProfilerOptions& options, const Cut& cut, const Stretch& stretch) {
  Plan plan = empty_plan(graph, 1);
  plan.axis = options.axis;
  const std::vector<int> axes = strip_axes(graph, options.axis);
  for (OpId id = stretch.begin; id < stretch.end; ++id) {
    if (!is_computed(graph.op(id)) || is_heavy(graph, graph.op(id))) continue;
    const int axis = axes[static_cast<std::size_t>(id)];
    Box box = whole(graph.shape(id));
    if (const std::optional<Interval> part = part_of(graph, id, axis, cut))
      box = with_axis(box, axis_of(axis, cut), *part);
    else if (!cut.with_uncut)
      continue;
    plan.boxes(id, 0) = {box};
  }
  place_constants(graph, plan);
  return plan;
}

struct Samples {
  std::vector<std::vector<double>> steps;  // [step][run]
  std::vector<double> total;               // [run]

  /// What steps take in a frame of median length. A step is disturbed in few frames and a frame in some of its steps,
  /// so medians of steps add up to less than a median frame, by one to three percent.
  [[nodiscard]] std::vector<double> step_us() const {
    std::vector<double> us;
    for (const std::vector<double>& step : steps) us.push_back(median(step));
    const double sum = std::accumulate(us.begin(), us.end(), 0.0);
    for (double& one : us) one *= sum > 0 ? median(total) / sum : 1;
    return us;
  }

  /// How much the time of a stretch of steps varies from frame to frame: its variance per microsecond, from mean
  /// absolute deviations, which single disturbances hardly move.
  /// Empty where no stretch is long enough.
  [[nodiscard]] std::vector<double> jitters_us() const {
    constexpr double stretch_us = 100;               // about what lies between two exchanges
    constexpr double normal = std::numbers::pi / 2;  // the variance of a normal number by its mean deviation squared
    std::vector<double> jitters;
    std::vector<double> sums(total.size());
    for (const std::vector<double>& step : steps) {
      std::transform(sums.begin(), sums.end(), step.begin(), sums.begin(), std::plus());
      const double middle = median(sums);
      if (middle < stretch_us) continue;
      double deviation = 0;
      for (const double sum : sums) deviation += std::abs(sum - middle) / static_cast<double>(sums.size());
      jitters.push_back(normal * deviation * deviation / middle);
      sums.assign(total.size(), 0.0);
    }
    return jitters;
  }
};

Samples run_repeatedly(const Program& program, const ProfilerOptions& options,
                       std::chrono::nanoseconds least_time = time_per_cut) {
  Executor executor(program, {.slowdown = options.slowdown});
  const auto run_us = [&executor] { return executor.run().total_us; };
  double us = run_us();
  // A second warm-up, unless a run takes so long that it would show nothing new.
  if (us < microseconds(least_time)) us = run_us();
  Samples samples{.steps = std::vector<std::vector<double>>(program.steps().size()), .total = {}};
  const int least = us < long_run_us ? least_runs : 1;
  const std::chrono::duration<double, std::micro> time(
      options.largest(std::max((least - 0.5) * us, microseconds(least_time))));
  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
  for (int i = 0; i < least || Clock::now() < end; ++i) {
    us = run_us();
    if (i >= most_runs) continue;  // to keep the others company
    samples.total.push_back(us);
    for (std::size_t step = 0; step < samples.steps.size(); ++step)
      samples.steps[step].push_back(executor.step_us()[step]);
  }
  return samples;
}

// A convolution of its own with as many output channels as the weight limit allows; the time is scaled up.
double measure_heavy(const Graph& graph, OpId id, const ProfilerOptions& options) {
  const Op& op = graph.op(id);
  const Conv conv = *as<Conv>(op);
  const Shape& weight_shape = graph.weight(conv.weights).shape;
  const double share = static_cast<double>(heavy_part_bytes) / static_cast<double>(weight_bytes(graph, op));
  const Index channels = std::max<Index>(
      static_cast<Index>(share * static_cast<double>(weight_shape[0])) / conv.groups * conv.groups, conv.groups);

  Graph small;
  small.inputs.push_back({small.add({.name = "input",
                                     .inputs = {},
                                     .shape = graph.shape(op.inputs[0]),
                                     .type = ElementType::f32,
                                     .attributes = Input{}}),
                          "input", ElementType::f32});
  Shape small_shape = weight_shape;
  small_shape[0] = channels;
  Conv part = conv;
  part.weights = small.add_weight("weights", small_shape, {});
  part.bias = conv.bias == no_weight ? no_weight : small.add_weight("bias", {channels}, {});
  std::erase_if(part.post_ops, [](const PostOp& post_op) { return std::holds_alternative<AddInput>(post_op); });
  const OpId last = small.add({.name = op.name, .inputs = {0}, .shape = {}, .type = op.type, .attributes = part});
  small.outputs.push_back({last, "output", ElementType::f32});

  kernels::WeightStore weights = kernels::WeightStore::synthetic(small, options.storage);
  const Program program(small, single_rank_plan(small, 1, 0), 0, nullptr, weights,
                        {options.exactness, Messages::left_out, {}});
  const double us = median(run_repeatedly(program, options).total);
  return us * static_cast<double>(weight_shape[0]) / static_cast<double>(channels);
}

double measure_copy_us_per_byte() {
  constexpr std::size_t n_bytes = std::size_t{4} << 20;
  Blob src = Blob::allocate(n_bytes);
  Blob dst = Blob::allocate(n_bytes);
  std::memset(src.data(), 1, n_bytes);
  std::memset(dst.data(), 1, n_bytes);
  std::vector<double> samples;
  constexpr int copies = 9;
  for (int i = 0; i < copies; ++i) {
    const Clock::time_point begin = Clock::now();
    std::memcpy(dst.data(), src.data(), n_bytes);
    samples.push_back(microseconds(Clock::now() - begin));
  }
  return median(samples) / static_cast<double>(n_bytes);
}

// [op]: extent and microseconds of each time that it was measured.
using CostPoints = std::vector<std::map<Index, std::vector<double>>>;

// What a rank holds while it measures a stretch: activations, and weights of direct kernels.
double held_bytes(const Graph& graph, const ProfilerOptions& options, const Cut& cut, const Stretch& stretch) {
  const Plan plan = plan_of(graph, options, cut, stretch);
  auto bytes = static_cast<double>(lay_out(lay_out_slabs(graph, plan, 0, Messages::left_out).buffers).n_bytes);
  for (OpId id = stretch.begin; id < stretch.end; ++id)
    if (!plan.boxes(id, 0).empty()) bytes += static_cast<double>(weight_bytes(graph, graph.op(id)));
  return bytes;
}

// True where all ranks have room for it. Collective, but for profiles without a limit.
bool fits(const Graph& graph, const ProfilerOptions& options, const Cut& cut, const std::vector<Stretch>& list) {
  if (options.most_bytes == std::numeric_limits<double>::infinity()) return true;
  double most = 0;
  for (const Stretch& stretch : list) most = std::max(most, held_bytes(graph, options, cut, stretch));
  return options.largest(most > options.most_bytes ? 1 : 0) == 0;
}

std::vector<Families> families_by_cut(const Graph& graph, const ProfilerOptions& options,
                                      const std::vector<Cut>& measured_cuts) {
  const bool measured = options.policy == KernelPolicy::measured && options.exactness == kernels::Exactness::fastest;
  if (!measured) return std::vector<Families>(measured_cuts.size(), fixed_families(graph, options.policy));
  std::vector<Families> list;
  Candidates candidates = all_candidates(graph);
  const Stretch whole_graph{0, graph.size()};
  const auto measured_for = [&](const Cut& cut) {
    (void)options.largest(0);  // all begin together
    return measure_families(graph, plan_of(graph, options, cut, whole_graph), 0, options.most_bytes, candidates);
  };
  const Cut example{Cut::Along::strips, kernels_of_many_rows, true};
  if (has_many_rows(graph, options.axis) && fits(graph, options, example, {whole_graph}))
    return std::vector<Families>(measured_cuts.size(), measured_for(example));
  for (const Cut& cut : measured_cuts) {
    if (cut.along == Cut::Along::channels) {
      list.push_back(list.front());  // of whole maps: what is fast with all channels is so with fewer
      continue;
    }
    list.push_back(fits(graph, options, cut, {whole_graph}) ? measured_for(cut)
                                                            : fixed_families(graph, KernelPolicy::direct));
  }
  return list;
}

// What frames tell beside the costs of operators.
struct FrameStatistics {
  double us = 0;
  std::vector<double> jitters_us = {};  // of stretches of a frame
};

// All ranks have as many stretches, each of about as many bytes of weights.
std::vector<Stretch> stretches(const Graph& graph, const ProfilerOptions& options, const Cut& cut,
                               const Families& families) {
  const double share = cut.along == Cut::Along::channels ? cut.fraction : 1;
  std::vector<double> bytes(1, 0.0);  // of the operators before each
  for (OpId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.op(id);
    const double factor = kernels::weight_factor(families[static_cast<std::size_t>(id)]);
    const bool counts = is_computed(op) && !is_heavy(graph, op);
    bytes.push_back(bytes.back() + (counts ? share * factor * static_cast<double>(weight_bytes(graph, op)) : 0));
  }
  const auto n = static_cast<int>(std::ceil(std::max(options.largest(bytes.back()) / most_weight_bytes, 1.0)));
  std::vector<Stretch> list;
  for (int i = 1; i <= n; ++i) {
    const auto end = std::ranges::upper_bound(bytes, bytes.back() * i / n) - bytes.begin() - 1;
    list.push_back({list.empty() ? 0 : list.back().end, i == n ? graph.size() : static_cast<OpId>(end)});
  }
  return list;
}

FrameStatistics measure_stretch(const Graph& graph, const ProfilerOptions& options, const Cut& cut,
                                const Families& families, const Stretch& stretch, std::chrono::nanoseconds least_time,
                                std::size_t sweep, CostPoints& points) {
  const Plan plan = plan_of(graph, options, cut, stretch);
  kernels::WeightStore weights = kernels::WeightStore::synthetic(graph, options.storage);
  const Program program(graph, plan, 0, nullptr, weights, {options.exactness, Messages::left_out, families});
  const Samples samples = run_repeatedly(program, options, least_time);
  const std::vector<double> step_us = samples.step_us();
  const std::vector<int> axes = strip_axes(graph, options.axis);
  for (std::size_t step = 0; step < step_us.size(); ++step) {
    const OpId id = program.steps()[step].op;
    const std::optional<Interval> part = part_of(graph, id, axes[static_cast<std::size_t>(id)], cut);
    // Of cuts that round to one extent, the first counts: others may have other kernels.
    std::vector<double>& times = points[static_cast<std::size_t>(id)][part ? part->size() : 1];
    if (times.size() == sweep) times.push_back(step_us[step]);
  }
  return {median(samples.total), samples.jitters_us()};
}

FrameStatistics measure_cut(const Graph& graph, const ProfilerOptions& options, const Cut& cut,
                            const Families& families, std::size_t sweep, CostPoints& points) {
  const std::vector<Stretch> list = stretches(graph, options, cut, families);
  FrameStatistics frame;
  for (const Stretch& stretch : list) {
    const FrameStatistics part =
        measure_stretch(graph, options, cut, families, stretch, time_per_cut / list.size(), sweep, points);
    frame.us += part.us;
    frame.jitters_us.insert(frame.jitters_us.end(), part.jitters_us.begin(), part.jitters_us.end());
  }
  return frame;
}

// Of a large map with little memory only small strips are measured, at least the smallest.
std::vector<Cut> cuts_within(const Graph& graph, const ProfilerOptions& options) {
  std::vector<Cut> list;
  const bool few = has_many_rows(graph, options.axis);
  for (Cut cut : few ? std::span<const Cut>(few_cuts) : std::span<const Cut>(cuts)) {
    cut.with_uncut = list.empty();
    const bool last_strip = cut.fraction == smallest_strip && list.empty();
    if (fits(graph, options, cut, stretches(graph, options, cut, fixed_families(graph, KernelPolicy::direct))) ||
        last_strip)
      list.push_back(cut);
  }
  return list;
}

// @param all  extent of the whole map, at which what was not measured is in proportion to the largest that was
OpCost cost_of(const std::map<Index, std::vector<double>>& points, Index all) {
  OpCost cost;
  for (const auto& [extent, us] : points) {
    cost.extents.push_back(extent);
    cost.microseconds.push_back(median(us));
  }
  if (cost.extents.empty() || cost.extents.back() >= all) return cost;
  cost.microseconds.push_back(cost.microseconds.back() * static_cast<double>(all) /
                              static_cast<double>(cost.extents.back()));
  cost.extents.push_back(all);
  return cost;
}

// A line through what channels cost, with the least squares of relative errors: a beginning and a share for each
// channel. Plans are made of differences between nearly equal parts, and points themselves are too noisy for those.
// None where nobody measured.
OpCost line_through(const OpCost& cost, Index block) {
  if (cost.extents.size() < 2) return {};
  double w = 0;
  double wx = 0;
  double wy = 0;
  double wxx = 0;
  double wxy = 0;
  for (std::size_t i = 0; i < cost.extents.size(); ++i) {
    const auto x = static_cast<double>(cost.extents[i]);
    const double y = std::max(cost.microseconds[i], least_us);
    const double weight = 1 / (y * y);
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
  }
  const double slope = std::clamp((w * wxy - wx * wy) / (w * wxx - wx * wx), 0.0, wxy / wxx);
  const double begin = slope < wxy / wxx ? (wy - slope * wx) / w : 0;
  const Index all = cost.extents.back();
  return {.extents = {block, all},
          .microseconds = {begin + slope * static_cast<double>(block), begin + slope * static_cast<double>(all)}};
}

}  // namespace

RankProfile measure_profile(const Graph& graph, const ProfilerOptions& options) {
  RankProfile profile;
  CostPoints strips(graph.ops.size());
  CostPoints channels(graph.ops.size());
  const std::vector<Cut> list = cuts_within(graph, options);
  const std::vector<Families> families = families_by_cut(graph, options, list);
  std::vector<double> whole_us;
  std::vector<double> jitters;
  double slowest_us = 0;
  do {
    const std::size_t sweep = whole_us.size();
    for (std::size_t i = 0; i < list.size(); ++i) {
      CostPoints& points = list[i].along == Cut::Along::channels ? channels : strips;
      const FrameStatistics frame = measure_cut(graph, options, list[i], families[i], sweep, points);
      if (i == 0) whole_us.push_back(frame.us / list[i].fraction);
      jitters.insert(jitters.end(), frame.jitters_us.begin(), frame.jitters_us.end());
    }
    slowest_us = options.largest(whole_us.back());
    // All ranks see the same times, so all stop together.
  } while (whole_us.size() < sweeps && slowest_us < most_us_for_sweeps);
  const std::vector<int> axes = strip_axes(graph, options.axis);
  profile.whole_us = median(std::move(whole_us));
  profile.jitter_us = median(std::move(jitters));
  for (OpId id = 0; id < graph.size(); ++id) {
    if (!is_heavy(graph, graph.op(id))) continue;
    const double us = measure_heavy(graph, id, options);
    strips[static_cast<std::size_t>(id)][1] = {us};
    profile.whole_us += us;
  }
  for (OpId id = 0; id < graph.size(); ++id) {
    const int axis = axes[static_cast<std::size_t>(id)];
    OpCost cost =
        cost_of(strips[static_cast<std::size_t>(id)], axis < 0 ? 1 : graph.shape(id)[static_cast<std::size_t>(axis)]);
    if (cost.extents.empty()) cost = {.extents = {1}, .microseconds = {0.0}};
    OpCost by_channels = cost_of(channels[static_cast<std::size_t>(id)], 0);
    if (!by_channels.extents.empty() && by_channels.extents.back() < graph.shape(id)[1]) {
      by_channels.extents.push_back(graph.shape(id)[1]);
      by_channels.microseconds.push_back(cost.microseconds.back());
    }
    profile.ops.push_back(std::move(cost));
    profile.channels.push_back(line_through(by_channels, channel_block(graph, id)));
  }
  profile.copy_us_per_byte = measure_copy_us_per_byte();
  return profile;
}

}  // namespace strake::engine
