// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "core/rewrite/edit.hpp"
#include "core/rewrite/rewrite.hpp"

namespace strake::rewrite {

namespace {

/// What a reduction does first, and what it does with the partial results. Means of equally many are means again, and
/// roots of sums of squares are squared again.
struct Stages {
  GenericReduceKind first;
  GenericReduceKind second;
};

Stages stages_of(GenericReduceKind kind) {
  switch (kind) {
    case GenericReduceKind::l1:
    case GenericReduceKind::sum_square:
      return {kind, GenericReduceKind::sum};
    case GenericReduceKind::mean_square:
      return {kind, GenericReduceKind::mean};
    case GenericReduceKind::log_sum:
      return {GenericReduceKind::sum, kind};
    default:
      return {kind, kind};
  }
}

// The operator as a Reduce, where it is one over whole maps.
std::optional<Reduce> reduction_of(const Graph& graph, const Op& op) {
  if (const auto* reduce = as<Reduce>(op)) {
    const bool whole_numbers = !is_float(op.type) && reduce->kind == GenericReduceKind::mean;
    return whole_numbers ? std::nullopt : std::optional(*reduce);
  }
  const auto* pool = as<Pool>(op);
  if (pool == nullptr || op.inputs.size() != 1) return std::nullopt;
  const Shape& src = graph.shape(op.inputs.front());
  const auto covers = [](const WindowAxis& window, Index size) {
    return window.kernel == size && window.dilation == 1 && window.pad_begin == 0 && window.pad_end == 0;
  };
  if (!covers(pool->window.h, src[2]) || !covers(pool->window.w, src[3])) return std::nullopt;
  return Reduce{.kind = pool->kind == PoolKind::max ? GenericReduceKind::max : GenericReduceKind::mean, .axes = {2, 3}};
}

// The axis along which strips of the input run; -1 where it is whole.
int source_axis(const Graph& graph, const std::vector<int>& axes, SplitAxis parts, OpId src) {
  if (as<Input>(graph.op(src)) == nullptr) return axes[static_cast<std::size_t>(src)];
  // Rank 0 has all of an input and may send any strip: rows or columns counted from the last axis.
  const int rank = static_cast<int>(graph.shape(src).size());
  return std::max(rank - 4, -2) + (parts == SplitAxis::rows ? 2 : 3);
}

// `lower_global_pools` has faster kernels for these.
bool is_global_pool_of_rows(const Op& op, const Reduce& reduce, int axis) {
  std::vector<int> axes = reduce.axes;
  std::sort(axes.begin(), axes.end());
  const bool known = reduce.kind == GenericReduceKind::sum || reduce.kind == GenericReduceKind::mean ||
                     reduce.kind == GenericReduceKind::max;
  return known && axis == 2 && op.type == ElementType::f32 && op.shape.size() == 4 && axes == std::vector<int>{2, 3};
}

bool split_one(Graph& graph, OpId id, int axis) {
  const std::optional<Reduce> reduce = reduction_of(graph, graph.op(id));
  if (!reduce || axis < 0) return false;
  const OpId src = graph.op(id).inputs.front();
  const Shape& map = graph.shape(src);
  const auto size = [&](int one) { return map[static_cast<std::size_t>(one)]; };
  if (axis >= static_cast<int>(map.size()) || size(axis) == 1) return false;
  std::vector<int> others = reduce->axes;
  if (std::erase(others, axis) == 0) return false;
  if (std::all_of(others.begin(), others.end(), [&](int one) { return size(one) == 1; })) return false;
  if (is_global_pool_of_rows(graph.op(id), *reduce, axis)) return false;

  const Stages stages = stages_of(reduce->kind);
  Op partial{.name = unique_name(graph, graph.op(id).name + "/parts"),
             .inputs = graph.op(id).inputs,
             .shape = map,
             .type = graph.op(id).type,
             .attributes = Reduce{.kind = stages.first, .axes = others}};
  for (const int one : others) partial.shape[static_cast<std::size_t>(one)] = 1;
  const OpId parts = insert(graph, id, std::move(partial));
  Op& all = graph.op(parts + 1);
  all.inputs = {parts};
  all.attributes = Reduce{.kind = stages.second, .axes = {axis}};
  return true;
}

}  // namespace

bool split_reductions(Graph& graph, SplitAxis parts) {
  bool changed = false;
  std::vector<int> axes = strip_axes(graph, parts);
  const std::vector<int> uses = count_uses(graph);
  std::vector<OpId> reductions;
  for (OpId id = 0; id < graph.size(); ++id)
    if (uses[static_cast<std::size_t>(id)] > 0 && reduction_of(graph, graph.op(id))) reductions.push_back(id);
  // From the last to the first: what is inserted renumbers only what was looked at.
  for (auto id = reductions.rbegin(); id != reductions.rend(); ++id)
    changed = split_one(graph, *id, source_axis(graph, axes, parts, graph.op(*id).inputs.front())) || changed;
  return changed;
}

}  // namespace strake::rewrite
