// SPDX-License-Identifier: Apache-2.0
#include "core/interior.hpp"

#include <algorithm>

namespace strake {

namespace {

// True when everything that `dst` reads was produced by this rank, or is a constant.
bool is_local(const Graph& graph, const Plan& plan, OpId id, int rank, const Box& dst) {
  const std::vector<OpId>& inputs = graph.op(id).inputs;
  const std::vector<Box> sources = input_boxes(graph, id, dst);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (as<Constant>(graph.op(inputs[i])) != nullptr) continue;
    if (!subtract(sources[i], plan.boxes(inputs[i], rank)).empty()) return false;
  }
  return true;
}

}  // namespace

InteriorSplit split_interior(const Graph& graph, const Plan& plan, OpId id, int rank, const Box& box,
                             std::size_t axis) {
  const auto row = [&](Index at) { return with_axis(box, axis, {at, at + 1}); };
  Interval inner = box[axis];
  while (!inner.empty() && !is_local(graph, plan, id, rank, row(inner.begin))) ++inner.begin;
  while (!inner.empty() && !is_local(graph, plan, id, rank, row(inner.end - 1))) --inner.end;

  InteriorSplit split{.interior = with_axis(box, axis, inner), .borders = {}};
  // Rows between the two ends could still be remote in odd tables: then nothing is called interior.
  if (inner.empty() || !is_local(graph, plan, id, rank, split.interior)) {
    return {.interior = nothing(box.rank()), .borders = {box}};
  }
  const Interval before{box[axis].begin, inner.begin};
  const Interval after{inner.end, box[axis].end};
  if (!before.empty()) split.borders.push_back(with_axis(box, axis, before));
  if (!after.empty()) split.borders.push_back(with_axis(box, axis, after));
  return split;
}

std::vector<Interval> interior_pieces(Interval rows) {
  // Smaller ones would only make kernels slower.
  constexpr Index rows_per_piece = 8;
  constexpr Index most_pieces = 3;
  const Index n = std::clamp<Index>(rows.size() / rows_per_piece, 1, most_pieces);
  std::vector<Interval> list;
  for (Index i = 0; i < n; ++i)
    list.push_back({rows.begin + rows.size() * i / n, rows.begin + rows.size() * (i + 1) / n});
  return list;
}

}  // namespace strake
