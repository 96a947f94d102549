// SPDX-License-Identifier: Apache-2.0
#include "partition/timeline.hpp"

#include "core/interior.hpp"
#include "core/view.hpp"
#include "partition/frame_clock.hpp"

namespace strake::partition {

namespace {

Work work_of(const CostModel& costs, const Plan& plan, OpId id, int rank) {
  Work work;
  const BoxList& boxes = plan.boxes(id, rank);
  for (const Box& box : boxes) work.us += costs.compute_us(rank, id, box);
  const int axis = costs.strip_axis(id);
  if (plan.overlap[at(id)] != Overlap::interior_first || boxes.size() != 1 || axis < 0) return work;
  const InteriorSplit split = split_interior(costs.graph(), plan, id, rank, boxes.front(), at(axis));
  if (!split.interior.empty())
    for (const Interval part : interior_pieces(split.interior[at(axis)]))
      work.interior_us += costs.compute_us(rank, id, with_axis(split.interior, at(axis), part));
  for (const Box& border : split.borders) work.border_us += costs.compute_us(rank, id, border);
  return work;
}

std::vector<Message> messages_of(const CostModel& costs, const Plan& plan, OpId id, std::vector<double>& sent_bytes) {
  const Graph& graph = costs.graph();
  std::vector<Message> messages;
  for (const Transfer& transfer : transfers(graph, plan, id)) {
    const auto bytes = static_cast<double>(dense_bytes(transfer.box, graph.op(id).type));
    messages.push_back({transfer.src, transfer.dst, bytes});
    sent_bytes[at(transfer.src)] += costs.sent_bytes(transfer, id);
  }
  return messages;
}

}  // namespace

Timeline evaluate(const CostModel& costs, const Plan& plan) {
  const Graph& graph = costs.graph();
  Timeline timeline;
  timeline.ranks.resize(at(plan.n_ranks));
  timeline.compute_us.resize(at(plan.n_ranks));
  timeline.wait_us.resize(at(plan.n_ranks));
  timeline.sent_bytes.resize(at(plan.n_ranks));
  FrameClock clock(costs);
  for (OpId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.op(id);
    if (as<Constant>(op) != nullptr) continue;  // every rank has its own copy
    for (int rank = 0; rank < plan.n_ranks; ++rank) {
      if (plan.boxes(id, rank).empty()) continue;
      const TimelineStep step =
          clock.compute(rank, id, op.inputs, work_of(costs, plan, id, rank), plan.overlap[at(id)]);
      timeline.compute_us[at(rank)] += step.end_us - step.begin_us;
      timeline.wait_us[at(rank)] += step.wait_us;
      timeline.ranks[at(rank)].push_back(step);
    }
    std::vector<Message> messages = messages_of(costs, plan, id, timeline.sent_bytes);
    clock.send(id, messages);
  }
  std::vector<OpId> outputs;
  for (const Port& port : graph.outputs) outputs.push_back(port.op);
  const double before = clock.now(0);
  timeline.makespan_us = clock.finish(outputs);
  timeline.wait_us.front() += timeline.makespan_us - before;
  return timeline;
}

}  // namespace strake::partition
