// SPDX-License-Identifier: Apache-2.0
#include "core/concat_layout.hpp"

#include <algorithm>

namespace strake {

namespace {

constexpr std::size_t channel_axis = 1;

bool takes_gaps(const Op& op) { return as<Concat>(op) != nullptr || is_cell_arithmetic(op); }

class Placement {
 public:
  Placement(const Graph& graph, const Plan& plan, int rank, const std::vector<Box>& boxes)
      : graph_(graph), plan_(plan), rank_(rank), boxes_(boxes), inside_(graph.ops.size()), movable_(graph.ops.size()) {
    for (OpId id = 0; id < graph.size(); ++id) movable_[at(id)] = is_movable(id);
    for (OpId id = 0; id < graph.size(); ++id) {
      if (plan.boxes(id, rank).empty() || takes_gaps(graph.op(id))) continue;
      for (const OpId input : graph.op(id).inputs) movable_[at(input)] = false;
    }
    for (const Port& port : graph.outputs) movable_[at(port.op)] = false;
  }

  // The last first: of several concatenations of one operator's output it is the largest.
  std::vector<Inside> find() {
    for (OpId id = graph_.size(); id-- > 0;) {
      const auto* concat = as<Concat>(graph_.op(id));
      if (concat == nullptr || concat->axis != static_cast<int>(channel_axis) || !is_map(id)) continue;
      if (plan_.boxes(id, rank_).size() == 1 && !is_part(id)) take_in(id);
    }
    return std::move(inside_);
  }

 private:
  [[nodiscard]] bool is_map(OpId id) const {
    return graph_.shape(id).size() == 4 && graph_.op(id).type == ElementType::f32;
  }

  // A residual is added in place, which wants the memory of its own.
  [[nodiscard]] bool is_movable(OpId id) const {
    const Op& op = graph_.op(id);
    return is_map(id) && !boxes_[at(id)].empty() && as<Input>(op) == nullptr && as<Constant>(op) == nullptr &&
           residual_input(op) < 0;
  }

  [[nodiscard]] bool fits(OpId id, const Inside& place) const {
    return inside_[at(id)].container < 0 && movable_[at(id)] &&
           plan_.boxes(place.container, rank_).front().contains(in_container(boxes_[at(id)], place));
  }

  // Whether all inputs lie in one concatenation, one behind the other; then the operator lies there as well.
  bool is_part(OpId id) {
    const std::vector<OpId>& inputs = graph_.op(id).inputs;
    const Inside first = inside_[at(inputs.front())];
    if (first.container < 0 || !fits(id, first)) return false;
    Index channel = first.channel;
    for (const OpId input : inputs) {
      const Inside& place = inside_[at(input)];
      if (place.container != first.container || place.channel != channel) return false;
      channel += graph_.shape(input)[channel_axis];
    }
    inside_[at(id)] = first;
    return true;
  }

  void take_in(OpId id) {
    const std::vector<OpId>& inputs = graph_.op(id).inputs;
    Inside place{.container = id, .channel = 0};
    for (const OpId input : inputs) {
      if (std::count(inputs.begin(), inputs.end(), input) == 1 && fits(input, place)) inside_[at(input)] = place;
      place.channel += graph_.shape(input)[channel_axis];
    }
  }

  const Graph& graph_;
  const Plan& plan_;
  int rank_;
  const std::vector<Box>& boxes_;
  std::vector<Inside> inside_;
  std::vector<char> movable_;  // [op]
};

}  // namespace

std::vector<Inside> concatenate_in_place(const Graph& graph, const Plan& plan, int rank,
                                         const std::vector<Box>& boxes) {
  return Placement(graph, plan, rank, boxes).find();
}

Box in_container(Box box, const Inside& inside) {
  box[channel_axis] = {box[channel_axis].begin + inside.channel, box[channel_axis].end + inside.channel};
  return box;
}

}  // namespace strake
