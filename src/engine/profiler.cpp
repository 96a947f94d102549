// SPDX-License-Identifier: Apache-2.0
#include "engine/profiler.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>

#include "engine/executor.hpp"
#include "engine/measure.hpp"

namespace strake::engine {

namespace {

using Clock = std::chrono::steady_clock;

// Fractions of the strip axis at which kernels are measured. Half the rows can cost more than all of them (see
// docs/planning.md), so several; what lies between is interpolated.
constexpr double fractions[] = {1.0, 0.75, 0.6, 0.5, 0.4, 0.25, 0.125, 0.03};

// What a rank may hold of a heavy operator.
constexpr std::size_t heavy_part_bytes = std::size_t{64} << 20;
constexpr int least_runs = 2;
constexpr int most_runs = 20;
constexpr auto time_per_fraction = std::chrono::milliseconds(100);
// Shared machines have slow phases of some tenths of a second. One of them should not make a fraction look bad, so all
// are measured several times over, unless that takes long; long runs are disturbed less.
constexpr std::size_t sweeps = 3;
constexpr double most_us_for_sweeps = 50'000;

Index extent_at(const Graph& graph, OpId id, int axis, double fraction) {
  const Index whole_extent = graph.shape(id)[static_cast<std::size_t>(axis)];
  return std::clamp<Index>(static_cast<Index>(std::lround(fraction * static_cast<double>(whole_extent))), 1,
                           whole_extent);
}

bool is_computed(const Op& op) { return as<Input>(op) == nullptr && as<Constant>(op) == nullptr; }

// A plan for one rank that produces a strip from the middle of every map; nothing of heavy operators.
Plan strip_plan(const Graph& graph, const ProfilerOptions& options, double fraction) {
  Plan plan = empty_plan(graph, 1);
  plan.axis = options.axis;
  const std::vector<int> axes = strip_axes(graph, options.axis);
  for (OpId id = 0; id < graph.size(); ++id) {
    if (!is_computed(graph.op(id)) || is_heavy(graph, graph.op(id))) continue;
    const int axis = axes[static_cast<std::size_t>(id)];
    Box box = whole(graph.shape(id));
    if (axis >= 0) {
      const Index extent = extent_at(graph, id, axis, fraction);
      const Index begin = (box[static_cast<std::size_t>(axis)].end - extent) / 2;
      box = with_axis(box, static_cast<std::size_t>(axis), {begin, begin + extent});
    } else if (fraction < 1) {
      continue;
    }
    plan.boxes(id, 0) = {box};
  }
  place_constants(graph, plan);
  return plan;
}

struct Samples {
  std::vector<std::vector<double>> steps;  // [step][run]
  std::vector<double> total;               // [run]
};

Samples run_repeatedly(const Program& program, const ProfilerOptions& options) {
  Executor executor(program, {.slowdown = options.slowdown});
  const auto run_us = [&executor] { return executor.run().total_us; };
  double us = run_us();
  // A second warm-up, unless a run takes so long that it would show nothing new.
  if (us < microseconds(time_per_fraction)) us = run_us();
  Samples samples{.steps = std::vector<std::vector<double>>(program.steps().size()), .total = {}};
  const std::chrono::duration<double, std::micro> time(
      options.largest(std::max((least_runs - 0.5) * us, microseconds(time_per_fraction))));
  const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
  for (int i = 0; i < least_runs || Clock::now() < end; ++i) {
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

std::vector<Families> families_by_fraction(const Graph& graph, const ProfilerOptions& options) {
  const bool measured = options.policy == KernelPolicy::measured && options.exactness == kernels::Exactness::fastest;
  if (!measured) return std::vector<Families>(std::size(fractions), fixed_families(graph, options.policy));
  std::vector<Families> list;
  Candidates candidates = all_candidates(graph);
  for (const double fraction : fractions) {
    (void)options.largest(0);  // all begin together
    list.push_back(measure_families(graph, strip_plan(graph, options, fraction), 0, options.most_bytes, candidates));
  }
  return list;
}

// Gives the time of the whole.
double measure_fraction(const Graph& graph, const ProfilerOptions& options, double fraction, const Families& families,
                        std::size_t sweep, CostPoints& points) {
  const Plan plan = strip_plan(graph, options, fraction);
  kernels::WeightStore weights = kernels::WeightStore::synthetic(graph, options.storage);
  const Program program(graph, plan, 0, nullptr, weights, {options.exactness, Messages::left_out, families});
  const Samples samples = run_repeatedly(program, options);
  const std::vector<int> axes = strip_axes(graph, options.axis);
  for (std::size_t step = 0; step < samples.steps.size(); ++step) {
    const OpId id = program.steps()[step].op;
    const int axis = axes[static_cast<std::size_t>(id)];
    const Index extent = axis < 0 ? 1 : plan.boxes(id, 0).front()[static_cast<std::size_t>(axis)].size();
    // Of strips that round to one extent, the first counts: others may have other kernels.
    std::vector<double>& times = points[static_cast<std::size_t>(id)][extent];
    if (times.size() == sweep) times.push_back(median(samples.steps[step]));
  }
  return median(samples.total);
}

}  // namespace

RankProfile measure_profile(const Graph& graph, const ProfilerOptions& options) {
  RankProfile profile;
  CostPoints points(graph.ops.size());
  const std::vector<Families> families = families_by_fraction(graph, options);
  std::vector<double> whole_us;
  double slowest_us = 0;
  do {
    const std::size_t sweep = whole_us.size();
    for (std::size_t i = 0; i < std::size(fractions); ++i) {
      const double us = measure_fraction(graph, options, fractions[i], families[i], sweep, points);
      if (i == 0) whole_us.push_back(us);
    }
    slowest_us = options.largest(whole_us.back());
    // All ranks see the same times, so all stop together.
  } while (whole_us.size() < sweeps && slowest_us < most_us_for_sweeps);
  profile.whole_us = median(std::move(whole_us));
  for (OpId id = 0; id < graph.size(); ++id) {
    if (!is_heavy(graph, graph.op(id))) continue;
    const double us = measure_heavy(graph, id, options);
    points[static_cast<std::size_t>(id)][1] = {us};
    profile.whole_us += us;
  }
  for (const auto& op_points : points) {
    OpCost cost;
    for (const auto& [extent, us] : op_points) {
      cost.extents.push_back(extent);
      cost.microseconds.push_back(median(us));
    }
    if (cost.extents.empty()) cost = {.extents = {1}, .microseconds = {0.0}};
    profile.ops.push_back(std::move(cost));
  }
  profile.copy_us_per_byte = measure_copy_us_per_byte();
  return profile;
}

}  // namespace strake::engine
