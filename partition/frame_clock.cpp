// SPDX-License-Identifier: Apache-2.0
#include "partition/frame_clock.hpp"

#include <algorithm>

namespace strake::partition {

namespace {

// Above about this size messages do not move before the receiver calls MPI: see `most_pieces` in comm.
constexpr double eager_bytes = 16 << 20;

}  // namespace

FrameClock::FrameClock(const CostModel& costs)
    : costs_(costs),
      now_(static_cast<std::size_t>(costs.n_ranks())),
      link_free_(now_.size() * now_.size()),
      under_way_(costs.graph().ops.size() * now_.size()) {}

FrameClock::Arrival& FrameClock::arrival(OpId id, int rank) {
  return under_way_[static_cast<std::size_t>(id) * now_.size() + static_cast<std::size_t>(rank)];
}

double& FrameClock::link_free(int src, int dst) {
  return link_free_[static_cast<std::size_t>(src) * now_.size() + static_cast<std::size_t>(dst)];
}

FrameClock::Arrival FrameClock::take_arrivals(int rank, const std::vector<OpId>& inputs) {
  Arrival all;
  for (const OpId input : inputs) {
    Arrival& one = arrival(input, rank);
    all.at_us = std::max(all.at_us, one.at_us);
    all.copying_us += one.copying_us;
    one = {};
  }
  return all;
}

TimelineStep FrameClock::compute(int rank, OpId id, const std::vector<OpId>& inputs, const Work& work,
                                 Overlap overlap) {
  double& now = now_[static_cast<std::size_t>(rank)];
  const Arrival halo = take_arrivals(rank, inputs);
  TimelineStep step{.op = id};
  if (overlap == Overlap::interior_first && halo.at_us > 0 && work.interior_us > 0) {
    // The wait lies behind the interior; written down before it, so that begin to end is computing alone.
    step.wait_us = std::max(halo.at_us - now - work.interior_us, 0.0);
    step.begin_us = now + step.wait_us;
    step.end_us = step.begin_us + work.interior_us + work.border_us;
    now = step.end_us;
    return step;
  }
  step.begin_us = std::max({now, halo.at_us, now + halo.copying_us});
  step.wait_us = step.begin_us - now;
  step.end_us = step.begin_us + work.us;
  now = step.end_us;
  return step;
}

void FrameClock::send(OpId id, const std::vector<Message>& messages) {
  for (const Message& message : messages) {
    double& now = now_[static_cast<std::size_t>(message.src)];
    double& free = link_free(message.src, message.dst);
    const Link& link =
        costs_.profile().links[static_cast<std::size_t>(message.src)][static_cast<std::size_t>(message.dst)];
    const double copying = message.bytes * link.us_per_byte;
    // Latencies of messages on one link overlap each other, their bytes do not.
    free = std::max(now, free) + copying;
    Arrival& there = arrival(id, message.dst);
    there.at_us = std::max(there.at_us, free + link.latency_us);
    now += link.overhead_us + message.bytes * link.overhead_us_per_byte;
    if (message.bytes > eager_bytes) there.copying_us += copying;
  }
}

double FrameClock::finish(const std::vector<OpId>& outputs) {
  const Arrival last = take_arrivals(0, outputs);
  double& now = now_.front();
  now = std::max({now, last.at_us, now + last.copying_us});
  return now;
}

}  // namespace strake::partition
