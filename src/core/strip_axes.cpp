// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/interval_map.hpp"
#include "core/op_rules.hpp"
#include "core/reshape_map.hpp"

namespace strake {

namespace {

constexpr int not_cut = -1;

bool is_window(const Op& op) {
  if (const auto* resize = as<Resize>(op)) return op.shape.size() == 4 && resize->scale[1] == 1;
  return as<Conv>(op) != nullptr || as<IntegerConv>(op) != nullptr || as<Pool>(op) != nullptr ||
         as<PoolIndices>(op) != nullptr || as<MaxUnpool>(op) != nullptr || as<DepthToSpace>(op) != nullptr ||
         as<SpaceToDepth>(op) != nullptr || as<GridSample>(op) != nullptr;
}

/// Walks the graph once and writes down where strips run.
class StripAxes {
 public:
  StripAxes(const Graph& graph, SplitAxis axis) : graph_(graph), spatial_(axis == SplitAxis::rows ? 2 : 3) {
    find_channels_last();
  }

  std::vector<int> run() {
    for (OpId id = 0; id < graph_.size(); ++id) {
      int axis = follow(id);
      if (axis == not_cut && starts(id)) axis = start_axis(id);
      if (!cuttable(id, axis) && reads_input(id) && !is_window(graph_.op(id))) axis = any_axis(id);
      axes_.push_back(cuttable(id, axis) ? axis : not_cut);
    }
    return std::move(axes_);
  }

 private:
  // Maps that a Transpose is yet to bring into our order: (n, h, w, c), as some tools write their inputs.
  void find_channels_last() {
    channels_last_.resize(graph_.ops.size());
    for (OpId id = graph_.size() - 1; id >= 0; --id) {
      const Op& op = graph_.op(id);
      const auto* transpose = as<Transpose>(op);
      const bool to_ours = transpose != nullptr && transpose->axes == std::vector<int>{0, 3, 1, 2};
      const bool keeps_order = transpose == nullptr && as<Reshape>(op) == nullptr && !is_window(op);
      if (!to_ours && !(keeps_order && channels_last_[static_cast<std::size_t>(id)])) continue;
      for (const OpId input : op.inputs) channels_last_[static_cast<std::size_t>(input)] = true;
    }
  }

  int axis_of(OpId id) const { return axes_[static_cast<std::size_t>(id)]; }

  bool cuttable(OpId id, int axis) const {
    return axis != not_cut && can_cut(graph_, id, static_cast<std::size_t>(axis)) &&
           graph_.shape(id)[static_cast<std::size_t>(axis)] > 1;
  }

  // The axis of `input` as an axis of the broadcast output of `id`: axes count from the last.
  int aligned(OpId id, OpId input) const {
    if (axis_of(input) == not_cut) return not_cut;
    return axis_of(input) + static_cast<int>(graph_.shape(id).size() - graph_.shape(input).size());
  }

  int transposed(const Transpose& transpose, int axis) const {
    const auto at = std::find(transpose.axes.begin(), transpose.axes.end(), axis);
    return at == transpose.axes.end() ? not_cut : static_cast<int>(at - transpose.axes.begin());
  }

  // The axis on which the inputs come, carried through the operator.
  int follow(OpId id) const {
    const Op& op = graph_.op(id);
    if (op.inputs.empty()) return not_cut;
    if (as<Reshape>(op) != nullptr)
      return reshaped_axis(graph_.shape(op.inputs.front()), op.shape, axis_of(op.inputs.front()));
    if (const auto* transpose = as<Transpose>(op)) return transposed(*transpose, axis_of(op.inputs.front()));
    return std::visit([&](const auto& attributes) { return follow(id, attributes); }, op.attributes);
  }

  template <class T>
  int follow(OpId id, const T& attributes) const {
    const Op& op = graph_.op(id);
    std::vector<int> axes;
    for (const OpId input : op.inputs) axes.push_back(aligned(id, input));
    if constexpr (requires(const OpRules& rules) { strip_axis(rules, attributes, axes); })
      return strip_axis(OpRules(graph_, op), attributes, axes);
    const auto first = std::ranges::find_if(axes, [](int axis) { return axis != not_cut; });
    return first == axes.end() ? not_cut : *first;
  }

  // True where maps enter that nobody has cut yet.
  bool starts(OpId id) const {
    const Op& op = graph_.op(id);
    if (op.shape.size() != 4 || as<Reshape>(op) != nullptr) return false;
    return reads_input(id) || is_window(op);
  }

  bool reads_input(OpId id) const {
    return std::ranges::any_of(graph_.op(id).inputs,
                               [this](OpId input) { return as<Input>(graph_.op(input)) != nullptr; });
  }

  // For what a model does to inputs that are no maps, or that cannot be cut along the wanted axis: the axis of rows or
  // columns counted from the last, else the first that can be cut.
  int any_axis(OpId id) const {
    const int n_axes = static_cast<int>(graph_.shape(id).size());
    const int wanted = std::max(n_axes - 4, -2) + spatial_;
    if (wanted >= 0 && wanted < n_axes && cuttable(id, wanted)) return wanted;
    for (int axis = 0; axis < n_axes; ++axis)
      if (cuttable(id, axis)) return axis;
    return not_cut;
  }

  int start_axis(OpId id) const {
    const auto* transpose = as<Transpose>(graph_.op(id));
    if (transpose != nullptr) return transposed(*transpose, spatial_in(graph_.op(id).inputs.front()));
    return spatial_in(id);
  }

  int spatial_in(OpId id) const { return channels_last_[static_cast<std::size_t>(id)] ? spatial_ - 1 : spatial_; }

  const Graph& graph_;
  int spatial_;
  std::vector<bool> channels_last_;
  std::vector<int> axes_;
};

SplitAxis longer_of(const Shape& map) { return map[3] > map[2] ? SplitAxis::columns : SplitAxis::rows; }

}  // namespace

std::vector<int> strip_axes(const Graph& graph, SplitAxis axis) { return StripAxes(graph, axis).run(); }

SplitAxis longer_axis(const Graph& graph) {
  // What a window slides over is (n, c, h, w), whatever order the model's input came in.
  for (const Op& op : graph.ops)
    if (is_window(op)) return longer_of(graph.shape(op.inputs.front()));
  for (const Port& input : graph.inputs)
    if (graph.shape(input.op).size() == 4) return longer_of(graph.shape(input.op));
  return SplitAxis::rows;
}

}  // namespace strake
