// SPDX-License-Identifier: Apache-2.0
#include "partition/frame_clock.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace strake::partition {

namespace {

// Above about this size messages do not move before the receiver calls MPI: see `most_pieces` in comm.
constexpr double eager_bytes = 16 << 20;

// The mean of max(0, X) of a normal X with mean -`early_us`, which is not negative (C. E. Clark, "The greatest of a
// finite set of random variables", 1961).
double mean_lateness_us(double early_us, double variance) {
  constexpr double hardly_ever = 3;
  const double deviation = std::sqrt(variance);
  if (early_us >= hardly_ever * deviation) return 0;
  const double x = early_us / deviation;
  const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
  return deviation * (density - x * std::erfc(x / std::numbers::sqrt2) / 2);
}

}  // namespace

FrameClock::FrameClock(const CostModel& costs)
    : costs_(costs),
      now_(static_cast<std::size_t>(costs.n_ranks())),
      variance_(now_.size()),
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
    if (one.at_us > all.at_us) {
      all.at_us = one.at_us;
      all.variance = one.variance;
    }
    all.copying_us += one.copying_us;
    all.decoding_us += one.decoding_us;
    one = {};
  }
  return all;
}

double FrameClock::meet(int rank, double ahead_us, const Arrival& arrival) {
  double& variance = variance_[static_cast<std::size_t>(rank)];
  const double more = mean_lateness_us(std::abs(ahead_us), variance + arrival.variance);
  if (ahead_us > 0 || more > 0) variance = 0;
  return std::max(ahead_us, 0.0) + more;
}

void FrameClock::pass(int rank, double us) {
  const auto place = static_cast<std::size_t>(rank);
  now_[place] += us;
  variance_[place] += us * costs_.profile().ranks[place].jitter_us;
}

TimelineStep FrameClock::compute(int rank, OpId id, const std::vector<OpId>& inputs, const Work& work,
                                 Overlap overlap) {
  double& now = now_[static_cast<std::size_t>(rank)];
  const Arrival halo = take_arrivals(rank, inputs);
  TimelineStep step{.op = id};
  const bool waits = halo.at_us > 0;
  if (overlap == Overlap::interior_first && waits && work.interior_us > 0) {
    // The wait lies behind the interior; written down before it, so that begin to end is computing alone.
    step.wait_us = meet(rank, halo.at_us - now - work.interior_us, halo) + halo.decoding_us;
    now += step.wait_us;
    step.begin_us = now;
    pass(rank, work.interior_us + work.border_us);
    step.end_us = now;
    return step;
  }
  if (waits) step.wait_us = std::max(meet(rank, halo.at_us - now, halo), halo.copying_us) + halo.decoding_us;
  now += step.wait_us;
  step.begin_us = now;
  pass(rank, work.us);
  step.end_us = now;
  return step;
}

void FrameClock::send(OpId id, const std::vector<Message>& messages) {
  // All is rounded before the first message leaves.
  for (const Message& message : messages)
    now_[static_cast<std::size_t>(message.src)] +=
        message.bytes * costs_.travel(message.src, message.dst, id).encode_us_per_byte;
  for (const Message& message : messages) {
    double& now = now_[static_cast<std::size_t>(message.src)];
    double& free = link_free(message.src, message.dst);
    const Travel travel = costs_.travel(message.src, message.dst, id);
    const Link& link =
        costs_.profile().links[static_cast<std::size_t>(message.src)][static_cast<std::size_t>(message.dst)];
    const double bytes = message.bytes * travel.share;
    const double copying = bytes * link.us_per_byte;
    // Latencies of messages on one link overlap each other, their bytes do not.
    free = std::max(now, free) + copying;
    Arrival& there = arrival(id, message.dst);
    if (free + link.latency_us > there.at_us) {
      there.at_us = free + link.latency_us;
      there.variance = variance_[static_cast<std::size_t>(message.src)];
    }
    now += link.overhead_us + bytes * link.overhead_us_per_byte;
    if (bytes > eager_bytes) there.copying_us += copying;
    there.decoding_us += message.bytes * travel.decode_us_per_byte;
  }
}

double FrameClock::finish(const std::vector<OpId>& outputs) {
  const Arrival last = take_arrivals(0, outputs);
  double& now = now_.front();
  if (last.at_us > 0) now += std::max(meet(0, last.at_us - now, last), last.copying_us) + last.decoding_us;
  return now;
}

}  // namespace strake::partition
