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
    find_parts();
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

  void find_parts() {
    std::vector<Box> boxes;
    for (const Slab& slab : layout_.slabs) boxes.push_back(slab.box);
    const std::vector<Inside> inside = concatenate_in_place(graph_, plan_, rank_, boxes);
    is_shared_.assign(graph_.ops.size(), false);
    for (OpId id = 0; id < graph_.size(); ++id) {
      if (inside[at(id)].container < 0) continue;
      layout_.slabs[at(id)].inside = inside[at(id)];
      is_shared_[at(id)] = is_shared_[at(inside[at(id)].container)] = true;
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

  // What is computed cell by cell from the same cell of `input` may lie where that lay.
  [[nodiscard]] bool may_overwrite(OpId id, OpId input) const {
    const Op& op = graph_.op(id);
    if (layout_.slabs[at(input)].buffer < 0 || last_reader_[at(input)] != id) return false;
    if (is_shared_[at(id)] || is_shared_[at(input)] || as<Input>(graph_.op(input)) != nullptr) return false;
    return std::count(op.inputs.begin(), op.inputs.end(), input) == 1 && graph_.shape(input) == op.shape &&
           graph_.op(input).type == op.type;
  }

  // An input that nobody reads afterwards, a residual or that of a function of single cells, is overwritten: the
  // operator's output takes over its memory. Not for a mere function where it would have to wait until rows of the
  // input have left.
  [[nodiscard]] OpId overwritten_input(OpId id) const {
    const Op& op = graph_.op(id);
    if (plan_.boxes(id, rank_).empty()) return -1;
    const int residual = residual_input(op);
    const bool by_cell = op.type == ElementType::f32 && residual < 0 && is_cell_arithmetic(op);
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const bool fits = by_cell ? layout_.sends[at(op.inputs[i])].empty() : static_cast<int>(i) == residual;
      if (fits && may_overwrite(id, op.inputs[i])) return op.inputs[i];
    }
    return -1;
  }

  [[nodiscard]] OpId outermost(OpId id) const {
    while (layout_.slabs[at(id)].inside.container >= 0) id = layout_.slabs[at(id)].inside.container;
    return id;
  }

  void place(OpId id) {
    Slab& slab = layout_.slabs[at(id)];
    if (slab.box.empty() || as<Constant>(graph_.op(id)) != nullptr) return;
    const OpId overwritten = overwritten_input(id);
    const OpId whole = outermost(id);
    if (overwritten >= 0) {
      MessageSpan& span = layout_.spans[at(overwritten)];
      if (span.finish_sends >= id) span = {span.finish_receives, id, true};
      slab.buffer = layout_.slabs[at(overwritten)].buffer;
      auto& members = members_[static_cast<std::size_t>(slab.buffer)];
      members.box = hull(members.box, slab.box);
      members.request.last = std::max(members.request.last, last_use(id));
    } else if (layout_.slabs[at(whole)].buffer >= 0) {
      slab.buffer = layout_.slabs[at(whole)].buffer;
      BufferRequest& request = members_[static_cast<std::size_t>(slab.buffer)].request;
      request.first = std::min(request.first, first_use(id));
      request.last = std::max(request.last, last_use(id));
    } else {
      slab.buffer = layout_.slabs[at(whole)].buffer = static_cast<int>(members_.size());
      members_.push_back({layout_.slabs[at(whole)].box,
                          graph_.op(id).type,
                          {.n_bytes = 0, .first = first_use(id), .last = last_use(id)}});
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
    if (slab.buffer >= 0 && slab.inside.container < 0) slab.box = members_[static_cast<std::size_t>(slab.buffer)].box;
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
  std::vector<char> is_shared_;  // [op]: lies inside a concatenation, or holds what lies inside it
  std::vector<Member> members_;  // [buffer]
};

}  // namespace

SlabLayout lay_out_slabs(const Graph& graph, const Plan& plan, int rank, Messages messages) {
  return Builder(graph, plan, rank, messages).build();
}

}  // namespace strake
