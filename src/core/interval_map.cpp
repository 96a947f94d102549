// SPDX-License-Identifier: Apache-2.0
#include "core/interval_map.hpp"

#include <algorithm>

#include "core/ops/conv_rules.hpp"
#include "core/reshape_map.hpp"

namespace strake {

namespace {

/// One call operator per kind of operator: what it reads for a box that is not empty.
class Reads {
 public:
  Reads(const Graph& graph, const Op& op, const Box& dst) : graph_(graph), op_(op), dst_(dst) {}

  // Operators of a family bring their own rule: see core/op_rules.hpp.
  template <class T>
  std::vector<Box> operator()(const T& op) const {
    return reads(OpRules(graph_, op_), op, dst_);
  }

  std::vector<Box> operator()(const Input&) const { return {}; }
  std::vector<Box> operator()(const Constant&) const { return {}; }
  std::vector<Box> operator()(const NormalizePicture&) const { return {dst_}; }
  std::vector<Box> operator()(const Elementwise&) const { return {dst_}; }
  std::vector<Box> operator()(const ScaleShift&) const { return {dst_}; }
  std::vector<Box> operator()(const Reshape&) const { return {reshaped_box(src(), op_.shape, dst_)}; }

  std::vector<Box> operator()(const Conv& conv) const {
    std::vector<Box> boxes = {conv_reads(OpRules(graph_, op_), conv.window, conv.groups, dst_)};
    boxes.resize(op_.inputs.size(), dst_);  // a residual is added cell by cell
    return boxes;
  }

  std::vector<Box> operator()(const Pool& pool) const { return {through_window(pool.window)}; }
  std::vector<Box> operator()(const ReduceRows&) const { return {with_axis(dst_, 3, {0, src()[3]})}; }
  std::vector<Box> operator()(const ReduceParts&) const { return {with_axis(dst_, 2, {0, src()[2]})}; }

  std::vector<Box> operator()(const Binary&) const {
    return {broadcast_box(src(0), dst_), broadcast_box(src(1), dst_)};
  }

  std::vector<Box> operator()(const Concat& concat) const {
    const auto axis = static_cast<std::size_t>(concat.axis);
    std::vector<Box> boxes;
    Index begin = 0;
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      const Interval shifted{dst_[axis].begin - begin, dst_[axis].end - begin};
      boxes.push_back(with_axis(dst_, axis, intersect(shifted, {0, src(i)[axis]})));
      begin += src(i)[axis];
    }
    return boxes;
  }

  std::vector<Box> operator()(const Transpose& transpose) const {
    Box box = dst_;
    for (std::size_t axis = 0; axis < dst_.rank(); ++axis)
      box[static_cast<std::size_t>(transpose.axes[axis])] = dst_[axis];
    return {box};
  }

  std::vector<Box> operator()(const Slice& slice) const {
    Box box = dst_;
    for (std::size_t axis = 0; axis < dst_.rank(); ++axis) {
      const Index first = slice.begin[axis] + dst_[axis].begin * slice.step[axis];
      const Index last = slice.begin[axis] + (dst_[axis].end - 1) * slice.step[axis];
      box[axis] = {std::min(first, last), std::max(first, last) + 1};
    }
    return {box};
  }

  std::vector<Box> operator()(const Pad& pad) const {
    Box box = dst_;
    for (std::size_t axis = 0; axis < dst_.rank(); ++axis)
      box[axis] = {dst_[axis].begin - pad.begin[axis], dst_[axis].end - pad.begin[axis]};
    return {box};
  }

  std::vector<Box> operator()(const Gather& gather) const {
    const auto axis = static_cast<std::size_t>(gather.axis);
    const auto [least, most] =
        std::minmax_element(gather.indices.begin() + dst_[axis].begin, gather.indices.begin() + dst_[axis].end);
    return {with_axis(dst_, axis, {*least, *most + 1})};
  }

  std::vector<Box> operator()(const Lrn& lrn) const {
    const Interval channels{dst_[1].begin - (lrn.size - 1) / 2, dst_[1].end + lrn.size / 2};
    return {with_axis(dst_, 1, channels)};
  }

 private:
  const Shape& src(std::size_t i = 0) const { return graph_.shape(op_.inputs[i]); }

  Box through_window(const Window2d& window) const {
    Box box = dst_;
    box[2] = input_interval(window.h, dst_[2], src()[2]);
    box[3] = input_interval(window.w, dst_[3], src()[3]);
    return box;
  }

  const Graph& graph_;
  const Op& op_;
  const Box& dst_;
};

}  // namespace

std::vector<Box> input_boxes(const Graph& graph, OpId id, const Box& dst) {
  const Op& op = graph.op(id);
  std::vector<Box> boxes;
  if (!dst.empty()) boxes = std::visit(Reads(graph, op, dst), op.attributes);
  boxes.resize(op.inputs.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Shape& src = graph.shape(op.inputs[i]);
    boxes[i] = dst.empty() ? nothing(src.size()) : intersect(boxes[i], whole(src));
  }
  return boxes;
}

bool can_cut(const Graph& graph, OpId id, std::size_t axis) {
  const Op& op = graph.op(id);
  if (axis >= op.shape.size()) return false;
  if (as<Input>(op) != nullptr || as<Constant>(op) != nullptr) return false;
  if (as<Reshape>(op) != nullptr) return reshape_cuts_along(graph.shape(op.inputs.front()), op.shape, axis);
  if (const auto* conv = as<Conv>(op)) return conv_cuts_along(OpRules(graph, op), conv->groups, axis);
  if (as<ReduceRows>(op) != nullptr) return axis < 3;
  if (as<ReduceParts>(op) != nullptr) return axis < 2;
  if (const auto* gather = as<Gather>(op)) return axis != static_cast<std::size_t>(gather->axis);
  if (is_cell_arithmetic(op) || as<NormalizePicture>(op) != nullptr) return op.shape[axis] > 1;
  return std::visit(
      [&](const auto& attributes) {
        if constexpr (requires(const OpRules& rules) { cuts_along(rules, attributes, axis); })
          return cuts_along(OpRules(graph, op), attributes, axis);
        else
          return true;
      },
      op.attributes);
}

Index channel_block(const Graph& graph, OpId id) {
  const Shape& shape = graph.shape(id);
  if (shape.size() != 4 || !can_cut(graph, id, 1)) return 0;
  for (const Index block : {16, 8})
    if (shape[1] % block == 0) return block;
  return 0;
}

}  // namespace strake
