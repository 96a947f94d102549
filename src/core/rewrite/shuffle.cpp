// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <optional>

#include "core/rewrite/edit.hpp"
#include "core/rewrite/rewrite.hpp"

namespace strake::rewrite {

namespace {

// Longer chains of moves are no shuffle that anybody writes.
constexpr int most_moves = 8;
constexpr Index most_cells = Index{1} << 24;

bool is_move(const Op& op) {
  return as<Reshape>(op) != nullptr || as<Transpose>(op) != nullptr || as<Slice>(op) != nullptr ||
         as<Gather>(op) != nullptr;
}

std::vector<Index> strides_of(const Shape& shape) {
  std::vector<Index> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

// The place along an axis of the input, and that axis, for place `at` along axis `axis` of the output.
struct Along {
  std::size_t axis;
  Index at;
};

Along source_of(const Op& op, std::size_t axis, Index at) {
  if (const auto* transpose = as<Transpose>(op)) return {static_cast<std::size_t>(transpose->axes[axis]), at};
  if (const auto* slice = as<Slice>(op)) return {axis, slice->begin[axis] + at * slice->step[axis]};
  const auto* gather = as<Gather>(op);
  if (gather != nullptr && axis == static_cast<std::size_t>(gather->axis))
    return {axis, gather->indices[static_cast<std::size_t>(at)]};
  return {axis, at};
}

// Cells (counted in row-major order) of the operator's output become the cells of its input that they come from.
void step_back(const Graph& graph, const Op& op, std::vector<Index>& cells) {
  if (as<Reshape>(op) != nullptr) return;
  const std::vector<Index> src_strides = strides_of(graph.shape(op.inputs.front()));
  const std::vector<Index> dst_strides = strides_of(op.shape);
  for (Index& cell : cells) {
    Index rest = cell;
    cell = 0;
    for (std::size_t axis = 0; axis < op.shape.size(); ++axis) {
      const Along from = source_of(op, axis, rest / dst_strides[axis]);
      rest %= dst_strides[axis];
      cell += from.at * src_strides[from.axis];
    }
  }
}

bool is_same_map(const Shape& a, const Shape& b) {
  return a.size() == 4 && b.size() == 4 && a[0] == b[0] && a[2] == b[2] && a[3] == b[3];
}

// The channel that each channel of `dst` is a copy of, if that is all that the moves did.
std::optional<std::vector<Index>> channels_of(const std::vector<Index>& cells, const Shape& src, const Shape& dst) {
  const Index pixels = dst[2] * dst[3];
  std::vector<Index> channels;
  for (Index c = 0; c < dst[1]; ++c) channels.push_back(cells[static_cast<std::size_t>(c * pixels)] / pixels);
  std::size_t cell = 0;
  for (Index n = 0; n < dst[0]; ++n)
    for (const Index channel : channels) {
      if (channel >= src[1]) return std::nullopt;
      for (Index pixel = 0; pixel < pixels; ++pixel)
        if (cells[cell++] != (n * src[1] + channel) * pixels + pixel) return std::nullopt;
    }
  return channels;
}

// The operator behind which a chain of moves begins that ends in `id` and keeps the map's size; -1 if there is none.
OpId shuffle_source(const Graph& graph, OpId id) {
  bool reshapes = false;
  OpId at = id;
  for (int moves = 0; moves < most_moves && is_move(graph.op(at)); ++moves) {
    reshapes = reshapes || as<Reshape>(graph.op(at)) != nullptr;
    at = graph.op(at).inputs.front();
    if (reshapes && moves > 0 && is_same_map(graph.shape(at), graph.shape(id))) return at;
  }
  return -1;
}

}  // namespace

bool find_shuffles(Graph& graph) {
  return for_each_used(graph, [&](OpId id, const std::vector<int>&) {
    const OpId source = shuffle_source(graph, id);
    if (source < 0 || volume(graph.shape(id)) > most_cells) return false;
    std::vector<Index> cells(static_cast<std::size_t>(volume(graph.shape(id))));
    std::iota(cells.begin(), cells.end(), Index{0});
    for (OpId at = id; at != source; at = graph.op(at).inputs.front()) step_back(graph, graph.op(at), cells);
    auto channels = channels_of(cells, graph.shape(source), graph.shape(id));
    if (!channels) return false;
    graph.op(id).inputs = {source};
    graph.op(id).attributes = Gather{.axis = 1, .indices = std::move(*channels)};
    return true;
  });
}

}  // namespace strake::rewrite
