// SPDX-License-Identifier: Apache-2.0
#include "core/slab_layout.hpp"

#include <algorithm>

#include "core/view.hpp"

namespace strake {

namespace {

class Builder {
 public:
  Builder(const Graph& graph, const Plan& plan, int rank, Messages messages)
      : graph_(graph), plan_(plan), rank_(rank), end_(graph.size()) {
    layout_.slabs.resize(graph.ops.size());
    layout_.spans.resize(graph.ops.size());
    layout_.sends.resize(graph.ops.size());
    layout_.receives.resize(graph.ops.size());
    first_reader_.assign(graph.ops.size(), -1);
    last_reader_.assign(graph.ops.size(), -1);
    for (OpId id = 0; id < graph.size(); ++id) {
      layout_.slabs[at(id)].box = holds(graph, plan, id)[static_cast<std::size_t>(rank)];
      if (messages == Messages::sent) find_messages(id);
    }
    find_readers();
  }

  SlabLayout build() {
    for (OpId id = 0; id < graph_.size(); ++id) span_messages(id);
    for (OpId id = 0; id < graph_.size(); ++id) place(id);
    for (OpId id = 0; id < graph_.size(); ++id) grow_to_buffer(id);
    return std::move(layout_);
  }

 private:
  void find_messages(OpId id) {
    for (Transfer& transfer : transfers(graph_, plan_, id)) {
      if (transfer.src == rank_) layout_.sends[at(id)].push_back(transfer);
      if (transfer.dst == rank_) layout_.receives[at(id)].push_back(std::move(transfer));
    }
  }

  void find_readers() {
    for (OpId id = 0; id < graph_.size(); ++id) {
      if (plan_.boxes(id, rank_).empty()) continue;
      for (const OpId input : graph_.op(id).inputs) {
        if (first_reader_[at(input)] < 0) first_reader_[at(input)] = id;
        last_reader_[at(input)] = id;
      }
    }
    if (rank_ != 0) return;
    for (const Port& port : graph_.outputs) {
      if (first_reader_[at(port.op)] < 0) first_reader_[at(port.op)] = end_;
      last_reader_[at(port.op)] = end_;
    }
  }

  void span_messages(OpId id) {
    MessageSpan& span = layout_.spans[at(id)];
    if (!layout_.receives[at(id)].empty()) span.finish_receives = std::max(first_reader_[at(id)], id + 1);
    // One operator later at the earliest, so that nobody waits for a message that was just posted.
    if (!layout_.sends[at(id)].empty()) span.finish_sends = std::min(std::max(last_reader_[at(id)], id + 1), end_);
  }

  // All inputs are written before the first step.
  [[nodiscard]] int first_use(OpId id) const { return rank_ == 0 && as<Input>(graph_.op(id)) != nullptr ? 0 : id; }

  [[nodiscard]] int last_use(OpId id) const {
    return std::max({id, last_reader_[at(id)], layout_.spans[at(id)].finish_sends});
  }

  // A residual that nobody reads afterwards is added in place: the operator's output takes over its memory.
  [[nodiscard]] OpId overwritten_residual(OpId id) const {
    const Op& op = graph_.op(id);
    const int input = residual_input(op);
    if (input < 0 || plan_.boxes(id, rank_).empty()) return -1;
    const OpId residual = op.inputs[static_cast<std::size_t>(input)];
    if (layout_.slabs[at(residual)].buffer < 0 || last_reader_[at(residual)] != id) return -1;
    if (std::count(op.inputs.begin(), op.inputs.end(), residual) != 1) return -1;
    return as<Input>(graph_.op(residual)) != nullptr ? -1 : residual;
  }

  void place(OpId id) {
    Slab& slab = layout_.slabs[at(id)];
    if (slab.box.empty() || as<Constant>(graph_.op(id)) != nullptr) return;
    const OpId residual = overwritten_residual(id);
    if (residual >= 0) {
      MessageSpan& span = layout_.spans[at(residual)];
      if (span.finish_sends >= id) span = {span.finish_receives, id, true};
      slab.buffer = layout_.slabs[at(residual)].buffer;
      auto& members = members_[static_cast<std::size_t>(slab.buffer)];
      members.box = hull(members.box, slab.box);
      members.request.last = std::max(members.request.last, last_use(id));
    } else {
      slab.buffer = static_cast<int>(members_.size());
      members_.push_back({slab.box, graph_.op(id).type, {.n_bytes = 0, .first = first_use(id), .last = last_use(id)}});
    }
  }

  // Slabs that share a buffer share its box, so that a row lies at the same place in all of them.
  void grow_to_buffer(OpId id) {
    if (layout_.buffers.empty()) {
      for (Member& member : members_) {
        member.request.n_bytes = dense_bytes(member.box, member.type);
        layout_.buffers.push_back(member.request);
      }
    }
    Slab& slab = layout_.slabs[at(id)];
    if (slab.buffer >= 0) slab.box = members_[static_cast<std::size_t>(slab.buffer)].box;
  }

  struct Member {
    Box box;
    ElementType type = ElementType::f32;
    BufferRequest request;
  };

  const Graph& graph_;
  const Plan& plan_;
  int rank_;
  int end_;
  SlabLayout layout_;
  std::vector<int> first_reader_;  // [op]: first step of this rank that reads it, -1 if none
  std::vector<int> last_reader_;
  std::vector<Member> members_;  // [buffer]
};

}  // namespace

SlabLayout lay_out_slabs(const Graph& graph, const Plan& plan, int rank, Messages messages) {
  return Builder(graph, plan, rank, messages).build();
}

}  // namespace strake
