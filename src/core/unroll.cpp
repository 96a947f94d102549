// SPDX-License-Identifier: Apache-2.0
#include "core/unroll.hpp"

#include "core/errors.hpp"

namespace strake {

namespace {

bool is_input(const Op& op) { return as<Input>(op) != nullptr; }
bool is_constant(const Op& op) { return as<Constant>(op) != nullptr; }

/// Copies operators one after the other; `places` says where those of each frame went.
class Unroller {
 public:
  Unroller(const Graph& graph, const Plan& plan)
      : graph_(graph),
        plan_(plan),
        places_(static_cast<std::size_t>(plan.frames), std::vector<OpId>(graph.ops.size())) {
    Plan& one = unrolled_.plan;
    one = plan;
    one.frames = 1;
    one.produces.clear();
    one.overlap.clear();
    unrolled_.graph.name = graph.name;
    for (const Weight& weight : graph.weights)
      unrolled_.graph.weights.push_back(
          {.name = weight.name, .shape = weight.shape, .values = {}, .type = weight.type});
  }

  Unrolled run() {
    copy_all(is_input);
    for (OpId id = 0; id < graph_.size(); ++id)
      if (is_constant(graph_.op(id))) copy_constant(id);
    copy_all([](const Op& op) { return !is_input(op) && !is_constant(op); });
    for (int frame = 0; frame < plan_.frames; ++frame) {
      copy_ports(graph_.inputs, frame, unrolled_.graph.inputs);
      copy_ports(graph_.outputs, frame, unrolled_.graph.outputs);
    }
    place_constants(unrolled_.graph, unrolled_.plan);
    unrolled_.plan.model = fingerprint(unrolled_.graph);
    return std::move(unrolled_);
  }

 private:
  template <class Wanted>
  void copy_all(Wanted wanted) {
    for (int frame = 0; frame < plan_.frames; ++frame)
      for (OpId id = 0; id < graph_.size(); ++id)
        if (wanted(graph_.op(id))) place(frame, id) = copy(frame, id);
  }

  // All frames read the same one.
  void copy_constant(OpId id) {
    const OpId copied = copy(0, id);
    for (int frame = 0; frame < plan_.frames; ++frame) place(frame, id) = copied;
  }

  OpId copy(int frame, OpId id) {
    Op op = graph_.op(id);
    for (OpId& input : op.inputs) input = place(frame, input);
    unrolled_.graph.ops.push_back(std::move(op));
    unrolled_.originals.push_back(id);
    unrolled_.frames.push_back(frame);
    const std::size_t entry = static_cast<std::size_t>(frame) * graph_.ops.size() + static_cast<std::size_t>(id);
    unrolled_.plan.produces.push_back(plan_.produces[entry]);
    unrolled_.plan.overlap.push_back(plan_.overlap[entry]);
    return unrolled_.graph.size() - 1;
  }

  void copy_ports(const std::vector<Port>& ports, int frame, std::vector<Port>& copies) {
    for (Port port : ports) {
      port.op = place(frame, port.op);
      copies.push_back(std::move(port));
    }
  }

  OpId& place(int frame, OpId id) { return places_[static_cast<std::size_t>(frame)][static_cast<std::size_t>(id)]; }

  const Graph& graph_;
  const Plan& plan_;
  std::vector<std::vector<OpId>> places_;  // [frame][op of the model]
  Unrolled unrolled_;
};

}  // namespace

Plan frame_plan(const Plan& plan, int frame) {
  ensure(frame >= 0 && frame < plan.frames, "a cycle has the frame");
  const std::size_t n_ops = plan.produces.size() / static_cast<std::size_t>(plan.frames);
  const auto begin = static_cast<std::ptrdiff_t>(n_ops * static_cast<std::size_t>(frame));
  const auto end = begin + static_cast<std::ptrdiff_t>(n_ops);
  Plan one = plan;
  one.frames = 1;
  one.produces.assign(plan.produces.begin() + begin, plan.produces.begin() + end);
  one.overlap.assign(plan.overlap.begin() + begin, plan.overlap.begin() + end);
  return one;
}

Plan cycle_plan(std::vector<Plan> frames, std::string strategy) {
  ensure(!frames.empty(), "a cycle has a frame");
  Plan cycle = frames.front();
  cycle.frames = static_cast<int>(frames.size());
  cycle.strategy = std::move(strategy);
  cycle.predicted_us = 0;
  for (std::size_t i = 1; i < frames.size(); ++i) {
    ensure(frames[i].model == cycle.model && frames[i].n_ranks == cycle.n_ranks,
           "a cycle is of one model and its ranks");
    cycle.produces.insert(cycle.produces.end(), frames[i].produces.begin(), frames[i].produces.end());
    cycle.overlap.insert(cycle.overlap.end(), frames[i].overlap.begin(), frames[i].overlap.end());
  }
  return cycle;
}

Unrolled unroll(const Graph& graph, const Plan& plan) {
  ensure(plan.produces.size() == graph.ops.size() * static_cast<std::size_t>(plan.frames),
         "a plan has rows for the operators of every frame");
  return Unroller(graph, plan).run();
}

std::span<const Port> ports_of(const std::vector<Port>& ports, int frame, int n_frames) {
  const std::size_t n = ports.size() / static_cast<std::size_t>(n_frames);
  return std::span(ports).subspan(static_cast<std::size_t>(frame) * n, n);
}

}  // namespace strake
