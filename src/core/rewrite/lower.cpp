// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <optional>

#include "core/rewrite/edit.hpp"
#include "core/rewrite/rewrite.hpp"

namespace strake::rewrite {

// ---- global pools -------------------------------------------------------------------------------------------------

namespace {

/// A reduction of whole maps to one cell.
struct GlobalPool {
  ReduceKind kind = ReduceKind::sum;
  bool mean = false;
};

std::optional<GlobalPool> global_pool(const Reduce& reduce) {
  std::vector<int> axes = reduce.axes;
  std::sort(axes.begin(), axes.end());
  if (axes != std::vector<int>{2, 3}) return std::nullopt;
  switch (reduce.kind) {
    case GenericReduceKind::sum:
      return GlobalPool{.kind = ReduceKind::sum, .mean = false};
    case GenericReduceKind::mean:
      return GlobalPool{.kind = ReduceKind::sum, .mean = true};
    case GenericReduceKind::max:
      return GlobalPool{.kind = ReduceKind::max, .mean = false};
    default:
      return std::nullopt;
  }
}

bool covers(const WindowAxis& window, Index src_size) {
  return window.kernel == src_size && window.dilation == 1 && window.pad_begin == 0 && window.pad_end == 0;
}

std::optional<GlobalPool> global_pool(const Pool& pool, const Shape& src) {
  if (!covers(pool.window.h, src[2]) || !covers(pool.window.w, src[3])) return std::nullopt;
  if (pool.kind == PoolKind::max) return GlobalPool{.kind = ReduceKind::max, .mean = false};
  return GlobalPool{.kind = ReduceKind::sum, .mean = pool.kind == PoolKind::average};
}

std::optional<GlobalPool> global_pool(const Graph& graph, const Op& op) {
  if (op.inputs.size() != 1 || op.type != ElementType::f32 || graph.shape(op.inputs.front()).size() != 4)
    return std::nullopt;
  if (const auto* reduce = as<Reduce>(op)) return global_pool(*reduce);
  const auto* pool = as<Pool>(op);
  return pool == nullptr ? std::nullopt : global_pool(*pool, graph.shape(op.inputs.front()));
}

}  // namespace

bool lower_global_pools(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>&) {
    const std::optional<GlobalPool> pool = global_pool(graph, graph.op(id));
    if (!pool) return false;
    const OpId src = graph.op(id).inputs.front();
    const Shape& map = graph.shape(src);
    const float scale = pool->mean ? 1.0F / static_cast<float>(map[2] * map[3]) : 1.0F;
    const OpId rows = insert(graph, id,
                             {.name = unique_name(graph, graph.op(id).name + "/rows"),
                              .inputs = {src},
                              .shape = {map[0], map[1], map[2], 1},
                              .type = graph.op(id).type,
                              .attributes = ReduceRows{.kind = pool->kind}});
    Op& parts = graph.op(rows + 1);
    parts.inputs = {rows};
    parts.attributes = ReduceParts{.kind = pool->kind, .scale = scale};
    return true;
  });
}

// ---- flatten ------------------------------------------------------------------------------------------------------

namespace {

bool is_pointwise(const WindowAxis& window) {
  return window.kernel == 1 && window.stride == 1 && window.pad_begin == 0 && window.pad_end == 0;
}

// The map whose channels, rows and columns are the channels that the convolution reads, or -1.
OpId flattened_map(const Graph& graph, const Op& op) {
  const auto* conv = as<Conv>(op);
  if (conv == nullptr || conv->groups != 1 || !is_pointwise(conv->window.h) || !is_pointwise(conv->window.w)) return -1;
  OpId map = op.inputs.front();
  while (as<Reshape>(graph.op(map)) != nullptr) map = graph.op(map).inputs.front();
  const Shape& flat = graph.shape(op.inputs.front());
  const Shape& shape = graph.shape(map);
  const bool fits =
      map != op.inputs.front() && shape.size() == 4 && shape[0] == flat[0] && flat[2] == 1 && flat[3] == 1;
  return fits ? map : -1;
}

}  // namespace

bool lower_flatten(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>&) {
    const OpId map = flattened_map(graph, graph.op(id));
    if (map < 0) return false;
    auto& conv = *as<Conv>(graph.op(id));
    const Shape& src = graph.shape(map);
    if (is_shared(graph, conv.weights)) {
      Weight same_values = graph.weight(conv.weights);
      conv.weights = graph.add_weight(same_values.name, same_values.shape, std::move(same_values.values));
    }
    Shape& weights = graph.weight(conv.weights).shape;
    weights = {weights[0], src[1], src[2], src[3]};
    conv.window = {.h = {.kernel = src[2]}, .w = {.kernel = src[3]}};
    graph.op(id).inputs.front() = map;
    return true;
  });
}

// ---- pads ---------------------------------------------------------------------------------------------------------

namespace {

bool pads(const WindowAxis& window) { return window.pad_begin != 0 || window.pad_end != 0; }

// True when padding with `value` is what the operator does at its own border.
bool pads_like(const Op& op, const Window2d& window, float value) {
  if (as<Conv>(op) != nullptr) return value == 0;
  const auto& pool = *as<Pool>(op);
  if (pool.kind == PoolKind::max) return value == std::numeric_limits<float>::lowest();
  // Without padding of its own, the cells that it divides by are those of the Pad's output.
  if (pool.kind == PoolKind::sum) return value == 0;
  return value == 0 && (pool.over == AverageOver::padded_cells || (!pads(window.h) && !pads(window.w)));
}

// The window over the map before the Pad, unless a window could then lie in nothing but padding: kernels are slow
// there, or refuse.
std::optional<WindowAxis> widen(WindowAxis window, Index begin, Index end, Index src_size, Index dst_size) {
  window.pad_begin += begin;
  window.pad_end += end;
  const bool fits = window.pad_begin < window.reach() && window.pad_end < window.reach();
  // Rounding up drops windows that begin behind the map, which a Pad makes larger.
  const bool same = output_size(window, src_size, Rounding::floor) == dst_size ||
                    output_size(window, src_size, Rounding::ceil) == dst_size;
  return fits && same ? std::optional(window) : std::nullopt;
}

std::optional<Window2d> without_pad(const Graph& graph, const Op& op, const Window2d& window) {
  const Op& source = graph.op(op.inputs.front());
  const auto* pad = as<Pad>(source);
  if (pad == nullptr || source.type != ElementType::f32 || !pads_like(op, window, pad->value)) return std::nullopt;
  const Shape& src = graph.shape(source.inputs.front());
  if (source.shape[0] != src[0] || source.shape[1] != src[1]) return std::nullopt;
  const auto axis = [&](const WindowAxis& one, std::size_t i) {
    return widen(one, pad->begin[i], source.shape[i] - src[i] - pad->begin[i], src[i], op.shape[i]);
  };
  const std::optional<WindowAxis> h = axis(window.h, 2);
  const std::optional<WindowAxis> w = axis(window.w, 3);
  return h && w ? std::optional(Window2d{.h = *h, .w = *w}) : std::nullopt;
}

Window2d* window_of(Op& op) {
  if (auto* conv = as<Conv>(op)) return &conv->window;
  if (auto* pool = as<Pool>(op)) return &pool->window;
  return nullptr;
}

}  // namespace

bool fold_pads(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>&) {
    Op& op = graph.op(id);
    Window2d* window = window_of(op);
    if (window == nullptr) return false;
    const std::optional<Window2d> padded = without_pad(graph, op, *window);
    if (!padded) return false;
    *window = *padded;
    if (auto* pool = as<Pool>(op); pool != nullptr && pool->kind == PoolKind::average)
      pool->over = AverageOver::padded_cells;
    op.inputs.front() = graph.op(op.inputs.front()).inputs.front();
    return true;
  });
}

// ---- reshapes -----------------------------------------------------------------------------------------------------

namespace {

// True when the operator does the same to each element wherever it stands, or to each channel and the Reshape in front
// of it leaves the channels alone.
bool ignores_reshape(const Op& op, const Shape& before, const Shape& after) {
  if (as<Elementwise>(op) != nullptr) return true;
  return as<ScaleShift>(op) != nullptr && before.size() >= 2 && before[0] == after[0] && before[1] == after[1];
}

}  // namespace

bool lift_over_reshapes(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>& uses) {
    Op& op = graph.op(id);
    if (op.inputs.empty()) return false;
    const OpId above = op.inputs.front();
    Op& reshape = graph.op(above);
    if (as<Reshape>(reshape) == nullptr || !read_once(uses, above)) return false;
    const Shape& before = graph.shape(reshape.inputs.front());
    if (!ignores_reshape(op, before, reshape.shape)) return false;
    trade_places(op, reshape);
    reshape.shape = before;
    return true;
  });
}

}  // namespace strake::rewrite
