// SPDX-License-Identifier: Apache-2.0
#include "engine/program.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>

#include "core/interior.hpp"

namespace strake::engine {

namespace {

BoxList pieces(const Box& box, std::size_t axis) {
  BoxList list;
  for (const Interval part : interior_pieces(box[axis])) list.push_back(with_axis(box, axis, part));
  return list;
}

}  // namespace

Program::~Program() {
  if (std::uncaught_exceptions() == 0 || options_.messages == Messages::left_out) return;
  static std::mutex mutex;  // ranks may be threads
  static std::vector<Blob> kept;
  const std::scoped_lock lock(mutex);
  kept.push_back(arena_);
}

Program::Program(const Graph& graph, const Plan& plan, int rank, comm::Communicator* communicator,
                 kernels::WeightStore& weights, const ProgramOptions& options)
    : graph_(graph),
      plan_(plan),
      rank_(rank),
      options_(options),
      layout_(lay_out_slabs(graph, plan, rank, options.messages)),
      constants_(graph.ops.size()),
      views_(graph.ops.size()),
      messages_(graph.ops.size()) {
  place_slabs();
  for (OpId id = 0; id < graph.size(); ++id)
    if (as<Constant>(graph.op(id)) != nullptr && !options.replay) place_constant(id, weights);
  if (communicator != nullptr && options.messages == Messages::sent)
    for (OpId id = 0; id < graph.size(); ++id) open_messages(id, *communicator);
  if (options.prepare == Prepare::in_pieces) return;
  while (prepare_next(weights)) {
  }
}

// False when nothing is left.
bool Program::prepare_next(kernels::WeightStore& weights) {
  if (next_op_ > graph_.size()) return false;
  if (next_op_ < graph_.size()) {
    add_op(next_op_, weights);
  } else {
    finish_receives_before(next_op_);
    finish_after(next_op_);
  }
  return ++next_op_ <= graph_.size();
}

bool Program::prepare_until(std::chrono::steady_clock::time_point deadline, kernels::WeightStore& weights) {
  while (prepare_next(weights))
    if (std::chrono::steady_clock::now() >= deadline) return false;
  return true;
}

View Program::slab(OpId id) const { return views_[at(id)]; }

void Program::place_slabs() {
  const ArenaLayout arena = lay_out(layout_.buffers);
  if (options_.replay) {
    arena_ = Blob::allocate(arena.n_bytes);  // pages that nobody touches take no memory
  } else {
    arena_ = kernels::on_large_pages(arena.n_bytes);
    // Rows that nobody has sent yet are read by strips that are measured alone: numbers, not denormals.
    std::memset(arena_.data(), 0, arena.n_bytes);
  }
  liveness_peak_ = arena.liveness_peak;
  for (OpId id = 0; id < graph_.size(); ++id) {
    const Slab& slab = layout_.slabs[at(id)];
    std::byte* data = slab.buffer < 0 ? nullptr : arena_.data() + arena.offsets[static_cast<std::size_t>(slab.buffer)];
    views_[at(id)] = dense_view(slab.box, graph_.op(id).type, data);
  }
  for (OpId id = graph_.size(); id-- > 0;) {
    const Slab& slab = layout_.slabs[at(id)];
    if (slab.inside.container < 0) continue;
    views_[at(id)] = views_[at(slab.inside.container)].window(in_container(slab.box, slab.inside));
    views_[at(id)].box = slab.box;
  }
}

void Program::place_constant(OpId id, kernels::WeightStore& weights) {
  const Box& box = layout_.slabs[at(id)].box;
  if (box.empty()) return;
  Blob original = weights.original(as<Constant>(graph_.op(id))->value);
  const ElementType type = graph_.op(id).type;
  constants_[at(id)] = Blob::allocate(dense_bytes(box, type));
  views_[at(id)] = dense_view(box, type, constants_[at(id)].data());
  copy_box(row_major_view(whole(graph_.shape(id)), type, original.data()), views_[at(id)], box);
}

void Program::open_messages(OpId id, comm::Communicator& communicator) {
  const std::vector<Transfer>& sends = layout_.sends[at(id)];
  const std::vector<Transfer>& receives = layout_.receives[at(id)];
  if (sends.empty() && receives.empty()) return;
  const TransferType between_hosts = travels_as(graph_.op(id), plan_.transfer_type);
  const auto message = [&](int peer, const Box& box) {
    const TransferType type = communicator.shares_host(peer) ? TransferType::f32 : between_hosts;
    if (type != TransferType::f32) rounding_bytes_ += travelling_bytes(box, type);
    return comm::Message{peer, views_[at(id)].window(box), type};
  };
  std::vector<comm::Message> out;
  std::vector<comm::Message> in;
  for (const Transfer& transfer : sends) out.push_back(message(transfer.dst, transfer.box));
  for (const Transfer& transfer : receives) in.push_back(message(transfer.src, transfer.box));
  messages_[at(id)] = communicator.redistribution(id, std::move(out), std::move(in));
  sent_bytes_ += messages_[at(id)]->sent_bytes();
  received_bytes_ += messages_[at(id)]->received_bytes();
}

// The messages that an operator of this rank waits for, if there are any.
comm::Redistribution* Program::incoming(OpId id) const {
  for (const OpId input : graph_.op(id).inputs)
    if (layout_.spans[at(input)].finish_receives == id) return messages_[at(input)].get();
  return nullptr;
}

void Program::add_op(OpId id, kernels::WeightStore& weights) {
  const BoxList& boxes = plan_.boxes(id, rank_);
  const bool computes = !boxes.empty() && as<Input>(graph_.op(id)) == nullptr && as<Constant>(graph_.op(id)) == nullptr;
  comm::Redistribution* halo = incoming(id);
  finish_sends_before(id);
  const bool split =
      computes && halo != nullptr && boxes.size() == 1 && plan_.overlap[at(id)] == Overlap::interior_first;
  if (split) {
    const int strips = strip_axes(graph_, plan_.axis)[at(id)];
    ensure(strips >= 0, "plans are checked: what is not cut has no interior");
    const auto axis = static_cast<std::size_t>(strips);
    const InteriorSplit parts = split_interior(graph_, plan_, id, rank_, boxes.front(), axis);
    if (!parts.interior.empty()) add_kernels(id, pieces(parts.interior, axis), weights, halo);
    finish_receives_before(id);
    add_kernels(id, parts.borders, weights, nullptr);
  } else {
    finish_receives_before(id);
    if (computes) add_kernels(id, boxes, weights, nullptr);
  }
  if (computes && !options_.replay) weights.release(graph_.op(id));
  if (messages_[at(id)]) steps_.push_back({StepKind::start_messages, id, nullptr, messages_[at(id)].get(), nullptr});
  finish_after(id);
}

std::unique_ptr<kernels::Kernel> Program::prepare(OpId id, const Box& box, kernels::WeightStore& weights) {
  if (options_.replay) return replayed_kernel(options_.replay(id, box));
  kernels::Request request{.graph = graph_,
                           .op = id,
                           .src = {},
                           .dst = views_[at(id)].window(box),
                           .exactness = options_.exactness,
                           .family = options_.families.empty() ? kernels::Family::direct : options_.families[at(id)]};
  const std::vector<Box> sources = input_boxes(graph_, id, box);
  for (std::size_t i = 0; i < sources.size(); ++i)
    request.src.push_back(views_[at(graph_.op(id).inputs[i])].window(sources[i]));
  return kernels::prepare(request, weights, workspace_);
}

void Program::add_kernels(OpId id, const BoxList& boxes, kernels::WeightStore& weights, comm::Redistribution* poke) {
  for (const Box& box : boxes) {
    kernels_.push_back(prepare(id, box, weights));
    steps_.push_back({StepKind::compute, id, kernels_.back().get(), nullptr, poke, box});
  }
}

void Program::finish_receives_before(int step) {
  for (OpId id = 0; id < graph_.size(); ++id)
    if (messages_[at(id)] && layout_.spans[at(id)].finish_receives == step)
      steps_.push_back({StepKind::finish_receives, id, nullptr, messages_[at(id)].get(), nullptr});
}

void Program::finish_sends_before(int step) {
  for (OpId id = 0; id < graph_.size(); ++id) {
    const MessageSpan& span = layout_.spans[at(id)];
    if (messages_[at(id)] && span.finish_sends == step && span.before_compute)
      steps_.push_back({StepKind::finish_sends, id, nullptr, messages_[at(id)].get(), nullptr});
  }
}

void Program::finish_after(int step) {
  for (OpId id = 0; id < graph_.size(); ++id) {
    const MessageSpan& span = layout_.spans[at(id)];
    if (messages_[at(id)] && span.finish_sends == step && !span.before_compute)
      steps_.push_back({StepKind::finish_sends, id, nullptr, messages_[at(id)].get(), nullptr});
  }
}

}  // namespace strake::engine
