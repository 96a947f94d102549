// SPDX-License-Identifier: Apache-2.0
#include "core/plan.hpp"

#include <algorithm>

#include "core/interval_map.hpp"
#include "core/unroll.hpp"

namespace strake {

namespace {

// True when `a` and `b` together are exactly one box.
bool join(const Box& a, const Box& b) {
  std::size_t different = 0;
  for (std::size_t axis = 0; axis < a.rank(); ++axis) {
    if (a[axis] == b[axis]) continue;
    if (a[axis].begin > b[axis].end || b[axis].begin > a[axis].end) return false;
    ++different;
  }
  return different <= 1;
}

// Adds a box to a short list that stays short: what is covered goes, what makes one box with another joins it.
void add_box(BoxList& list, Box box) {
  if (box.empty()) return;
  for (auto old = list.begin(); old != list.end();) {
    if (old->contains(box)) return;
    if (!box.contains(*old) && !join(box, *old)) {
      ++old;
      continue;
    }
    box = hull(box, *old);
    list.erase(old);
    old = list.begin();  // the larger box may now cover or meet those that were passed
  }
  list.push_back(std::move(box));
}

bool is_placed(const Op& op) { return as<Input>(op) != nullptr || as<Constant>(op) != nullptr; }

/// One method per rule that a plan keeps.
class Checker {
 public:
  Checker(const Graph& graph, const Plan& plan, int n_ranks) : graph_(graph), plan_(plan), n_ranks_(n_ranks) {}

  void run() const {
    check_sizes();
    check_overlap();
    for (OpId id = 0; id < graph_.size(); ++id) {
      for (int rank = 0; rank < n_ranks_; ++rank) check_boxes(id, rank);
      if (as<Input>(graph_.op(id)) != nullptr) check_input(id);
    }
    for (OpId id = 0; id < graph_.size(); ++id) check_needs(id);
  }

 private:
  static void require(bool holds, const std::string& message) {
    if (!holds) throw InvalidInput("plan: " + message);
  }

  std::string name(OpId id) const { return "operator '" + graph_.op(id).name + "'"; }
  std::string name(OpId id, int rank) const { return name(id) + ", rank " + std::to_string(rank); }

  void check_sizes() const {
    const std::string model = fingerprint(graph_);
    require(plan_.model == model, "made for model " + plan_.model + ", but this is model " + model);
    require(n_ranks_ >= 1 && plan_.n_ranks == n_ranks_,
            "made for " + std::to_string(plan_.n_ranks) + " ranks, but there are " + std::to_string(n_ranks_));
    require(plan_.produces.size() == graph_.ops.size() && plan_.overlap.size() == graph_.ops.size(),
            "expected rows for " + std::to_string(graph_.ops.size()) + " operators, got " +
                std::to_string(plan_.produces.size()) + " and " + std::to_string(plan_.overlap.size()) +
                " choices of overlap");
    for (OpId id = 0; id < graph_.size(); ++id) {
      const std::size_t found = plan_.produces[static_cast<std::size_t>(id)].size();
      require(found == static_cast<std::size_t>(n_ranks_),
              name(id) + ": expected boxes for " + std::to_string(n_ranks_) + " ranks, got " + std::to_string(found));
    }
  }

  // The interior is found along the axis of the strips.
  void check_overlap() const {
    const std::vector<int> axes = strip_axes(graph_, plan_.axis);
    for (OpId id = 0; id < graph_.size(); ++id)
      require(axes[static_cast<std::size_t>(id)] >= 0 || plan_.overlap[static_cast<std::size_t>(id)] == Overlap::none,
              name(id) + ": is not cut into strips, so it has no interior: expected overlap none, got interior_first");
  }

  void check_boxes(OpId id, int rank) const {
    const Box all = whole(graph_.shape(id));
    const BoxList& boxes = plan_.boxes(id, rank);
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const Box& box = boxes[i];
      if (box.empty()) continue;
      require(box.rank() == all.rank() && all.contains(box),
              name(id, rank) + ": expected boxes inside " + to_string(all) + ", got " + to_string(box));
      for (std::size_t axis = 0; axis < box.rank(); ++axis) {
        require(is_placed(graph_.op(id)) || box[axis] == all[axis] || can_cut(graph_, id, axis),
                name(id, rank) + ": " + std::string(kind_name(graph_.op(id))) + " cannot be cut along axis " +
                    std::to_string(axis) + ", got " + to_string(box) + " of " + to_string(all));
      }
      for (std::size_t j = 0; j < i; ++j)
        require(intersect(box, boxes[j]).empty(), name(id, rank) + ": expected boxes that do not overlap, got " +
                                                      to_string(boxes[j]) + " and " + to_string(box));
    }
  }

  void check_input(OpId id) const {
    const Box all = whole(graph_.shape(id));
    require(plan_.boxes(id, 0) == BoxList{all},
            name(id, 0) + ": expected the whole input " + to_string(all) + " on rank 0");
    for (int rank = 1; rank < n_ranks_; ++rank)
      require(hull(plan_.boxes(id, rank), all.rank()).empty(),
              name(id, rank) + ": expected nothing, since only rank 0 has the inputs");
  }

  void check_needs(OpId id) const {
    const bool own_copy = as<Constant>(graph_.op(id)) != nullptr;
    const std::vector<BoxList> need = needs(graph_, plan_, id);
    BoxList produced;
    for (int rank = 0; rank < n_ranks_; ++rank)
      for (const Box& box : plan_.boxes(id, rank)) add_box(produced, box);
    for (int rank = 0; rank < n_ranks_; ++rank) {
      const BoxList& have = own_copy ? plan_.boxes(id, rank) : produced;
      for (const Box& box : need[static_cast<std::size_t>(rank)]) {
        const BoxList missing = subtract(box, have);
        require(missing.empty(), name(id, rank) + ": needs " + to_string(box) + ", but " +
                                     (own_copy ? "has not " : "no rank produces ") +
                                     (missing.empty() ? "" : to_string(missing.front())));
      }
    }
  }

  const Graph& graph_;
  const Plan& plan_;
  int n_ranks_;
};

}  // namespace

Plan empty_plan(const Graph& graph, int n_ranks) {
  ensure(n_ranks >= 1, "a plan has at least one rank");
  Plan plan;
  plan.model = fingerprint(graph);
  plan.n_ranks = n_ranks;
  plan.produces.assign(graph.ops.size(), std::vector<BoxList>(static_cast<std::size_t>(n_ranks)));
  plan.overlap.assign(graph.ops.size(), Overlap::none);
  for (OpId id = 0; id < graph.size(); ++id)
    if (as<Input>(graph.op(id)) != nullptr) plan.boxes(id, 0) = {whole(graph.shape(id))};
  return plan;
}

Plan single_rank_plan(const Graph& graph, int n_ranks, int rank) {
  Plan plan = empty_plan(graph, n_ranks);
  plan.strategy = "single";
  for (OpId id = 0; id < graph.size(); ++id)
    if (!is_placed(graph.op(id))) plan.boxes(id, rank) = {whole(graph.shape(id))};
  place_constants(graph, plan);
  return plan;
}

void place_constants(const Graph& graph, Plan& plan) {
  for (OpId id = 0; id < graph.size(); ++id) {
    if (as<Constant>(graph.op(id)) == nullptr) continue;
    const std::vector<BoxList> need = needs(graph, plan, id);
    for (int rank = 0; rank < plan.n_ranks; ++rank) {
      const Box all = hull(need[static_cast<std::size_t>(rank)], graph.shape(id).size());
      plan.boxes(id, rank) = all.empty() ? BoxList{} : BoxList{all};
    }
  }
}

std::vector<BoxList> needs(const Graph& graph, const Plan& plan, OpId id) {
  std::vector<BoxList> need(static_cast<std::size_t>(plan.n_ranks));
  // Scanned, not looked up in `consumers`: callers ask for one operator after the other.
  for (OpId reader = id + 1; reader < graph.size(); ++reader) {
    const std::vector<OpId>& inputs = graph.op(reader).inputs;
    if (std::find(inputs.begin(), inputs.end(), id) == inputs.end()) continue;
    for (int rank = 0; rank < plan.n_ranks; ++rank) {
      for (const Box& dst : plan.boxes(reader, rank)) {
        const std::vector<Box> sources = input_boxes(graph, reader, dst);
        for (std::size_t i = 0; i < inputs.size(); ++i)
          if (inputs[i] == id) add_box(need[static_cast<std::size_t>(rank)], sources[i]);
      }
    }
  }
  const auto is_output = [id](const Port& port) { return port.op == id; };
  if (std::any_of(graph.outputs.begin(), graph.outputs.end(), is_output)) add_box(need.front(), whole(graph.shape(id)));
  return need;
}

std::vector<Box> holds(const Graph& graph, const Plan& plan, OpId id) {
  const std::size_t n_axes = graph.shape(id).size();
  const std::vector<BoxList> need = needs(graph, plan, id);
  std::vector<Box> kept;
  for (int rank = 0; rank < plan.n_ranks; ++rank)
    kept.push_back(hull(hull(plan.boxes(id, rank), n_axes), hull(need[static_cast<std::size_t>(rank)], n_axes)));
  return kept;
}

void check(const Graph& graph, const Plan& plan, int n_ranks) {
  if (plan.frames == 1) return Checker(graph, plan, n_ranks).run();
  if (plan.frames < 1 || plan.produces.size() % static_cast<std::size_t>(plan.frames) != 0 ||
      plan.overlap.size() != plan.produces.size())
    throw InvalidInput("plan: expected rows for the operators of " + std::to_string(plan.frames) + " frames, got " +
                       std::to_string(plan.produces.size()));
  for (int frame = 0; frame < plan.frames; ++frame) {
    try {
      const Plan one = frame_plan(plan, frame);
      Checker(graph, one, n_ranks).run();
    } catch (const InvalidInput& error) {
      throw InvalidInput(std::string(error.what()) + " (frame " + std::to_string(frame) + " of the cycle)");
    }
  }
}

std::vector<int> working_ranks(const Graph& graph, const Plan& plan) {
  std::vector<int> ranks;
  for (int rank = 0; rank < plan.n_ranks; ++rank)
    for (std::size_t i = 0; i < plan.produces.size(); ++i) {
      if (is_placed(graph.ops[i % graph.ops.size()])) continue;
      if (plan.produces[i][static_cast<std::size_t>(rank)].empty()) continue;
      ranks.push_back(rank);
      break;
    }
  return ranks;
}

std::set<WeightId> weights_needed(const Graph& graph, const Plan& plan, int rank) {
  std::set<WeightId> ids;
  for (OpId id = 0; id < graph.size(); ++id) {
    if (plan.boxes(id, rank).empty()) continue;
    for (const WeightId weight : weights_of(graph.op(id))) ids.insert(weight);
  }
  return ids;
}

std::vector<double> multiply_adds(const Graph& graph, const Plan& plan) {
  std::vector<double> work(static_cast<std::size_t>(plan.n_ranks));
  for (OpId id = 0; id < graph.size(); ++id)
    for (int rank = 0; rank < plan.n_ranks; ++rank)
      for (const Box& box : plan.boxes(id, rank)) work[static_cast<std::size_t>(rank)] += multiply_adds(graph, id, box);
  return work;
}

}  // namespace strake
