// SPDX-License-Identifier: Apache-2.0
#include "partition/frame_clock.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

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
      out_free_(now_.size()),
      in_free_(now_.size()),
      is_sent_(costs.graph().ops.size()),
      under_way_(is_sent_.size() * now_.size()) {
  for (const RankProfile& rank : costs.profile().ranks) jitter_us_.push_back(rank.jitter_us);
}

void FrameClock::begin() {
  for (std::vector<double>* times : {&now_, &variance_, &link_free_, &out_free_, &in_free_})
    std::ranges::fill(*times, 0.0);
  std::ranges::fill(is_sent_, char{0});
}

FrameClock::Arrival& FrameClock::arrival(OpId id, int rank) {
  return under_way_[static_cast<std::size_t>(id) * now_.size() + static_cast<std::size_t>(rank)];
}

double& FrameClock::link_free(int src, int dst) {
  return link_free_[static_cast<std::size_t>(src) * now_.size() + static_cast<std::size_t>(dst)];
}

FrameClock::Arrival FrameClock::take_arrivals(int rank, const std::vector<OpId>& inputs) {
  Arrival all;
  for (const OpId input : inputs) {
    if (is_sent_[at(input)] == 0) continue;
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
  variance_[place] += us * jitter_us_[place];
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

// All is rounded before the first message leaves.
void FrameClock::encode(OpId id, std::span<Message> messages) {
  if (costs_.profile().transfer_type == TransferType::f32) return;
  for (Message& message : messages) {
    const Travel travel = costs_.travel(message.src, message.dst, id);
    now_[static_cast<std::size_t>(message.src)] += message.bytes * travel.encode_us_per_byte;
    message.decoding_us = message.bytes * travel.decode_us_per_byte;
    message.bytes *= travel.share;
  }
}

void FrameClock::send(OpId id, std::span<Message> messages) {
  if (messages.empty()) return;
  is_sent_[at(id)] = 1;
  std::ranges::fill(std::span(under_way_).subspan(at(id) * now_.size(), now_.size()), Arrival{});
  encode(id, messages);
  const std::span<const Message> all = by_source(messages);
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin + 1;
    while (end < all.size() && all[end].src == all[begin].src) ++end;
    send_from(id, all.subspan(begin, end - begin));
    begin = end;
  }
}

// By counting: in the order that they had, those of each source together.
std::span<const Message> FrameClock::by_source(std::span<const Message> messages) {
  places_.assign(now_.size() + 1, 0);
  for (const Message& message : messages) ++places_[static_cast<std::size_t>(message.src) + 1];
  std::partial_sum(places_.begin(), places_.end(), places_.begin());
  sorted_.resize(messages.size());
  for (const Message& message : messages) sorted_[places_[static_cast<std::size_t>(message.src)]++] = message;
  return sorted_;
}

const Link& FrameClock::link_of(const Message& message) const {
  return costs_.profile().links[static_cast<std::size_t>(message.src)][static_cast<std::size_t>(message.dst)];
}

bool FrameClock::between_hosts(const Message& message) const {
  return costs_.host_port(message.src).host != costs_.host_port(message.dst).host;
}

// When the first bytes of a rank's messages leave its host; `left_us_` then says when the last one of each does.
// Messages that leave together share the port evenly, so that small ones are through first; those whose links are much
// slower than the port hardly hold it up.
double FrameClock::leave(std::span<const Message> messages) {
  const HostPort& port = costs_.host_port(messages.front().src);
  const bool shared = costs_.profile().medium == Medium::shared;
  double& free = out_free_[shared ? 0 : static_cast<std::size_t>(port.host)];
  const double begin = std::max(free, now_[static_cast<std::size_t>(messages.front().src)]);
  double all_us = 0;
  alone_us_.assign(messages.size(), 0);
  left_us_.assign(messages.size(), 0);
  sharing_.clear();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (!between_hosts(messages[i])) continue;
    const double link = link_of(messages[i]).us_per_byte;
    alone_us_[i] = messages[i].bytes * (shared ? link : port.out_us_per_byte);
    all_us += alone_us_[i];
    if (shared || link < slow_link * port.out_us_per_byte) sharing_.push_back(i);
  }
  if (all_us > 0) free = begin + all_us;
  std::ranges::sort(sharing_, {}, [this](std::size_t i) { return alone_us_[i]; });
  double passed = 0;
  double at_us = begin;
  for (std::size_t i = 0; i < sharing_.size(); ++i) {
    const double us = alone_us_[sharing_[i]];
    at_us += (us - passed) * static_cast<double>(sharing_.size() - i);
    passed = us;
    left_us_[sharing_[i]] = at_us;
  }
  return begin;
}

// When the last byte of a message is through its receiver's port, where it queues behind others. Its first ones come
// while the last are still leaving.
double FrameClock::enter(const Message& message, double begin_us, double sent_us) {
  if (!between_hosts(message) || costs_.profile().medium == Medium::shared) return sent_us;
  const HostPort& port = costs_.host_port(message.dst);
  double& free = in_free_[static_cast<std::size_t>(port.host)];
  free = std::max(free, begin_us) + message.bytes * port.in_us_per_byte;
  return std::max(free, sent_us);
}

void FrameClock::send_from(OpId id, std::span<const Message> messages) {
  double& now = now_[static_cast<std::size_t>(messages.front().src)];
  const double begin_us = leave(messages);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Message& message = messages[i];
    double& free = link_free(message.src, message.dst);
    const Link& link = link_of(message);
    const double copying = message.bytes * link.us_per_byte;
    // Latencies of messages on one link overlap each other, their bytes do not.
    free = std::max({now + copying, free + copying, left_us_[i]});
    const double at_us = enter(message, begin_us, free) + link.latency_us;
    Arrival& there = arrival(id, message.dst);
    if (at_us > there.at_us) {
      there.at_us = at_us;
      there.variance = variance_[static_cast<std::size_t>(message.src)];
    }
    now += link.overhead_us + message.bytes * link.overhead_us_per_byte;
    if (message.bytes > eager_bytes) there.copying_us += copying;
    there.decoding_us += message.decoding_us;
  }
}

double FrameClock::finish(const std::vector<OpId>& outputs) {
  const Arrival last = take_arrivals(0, outputs);
  double& now = now_.front();
  if (last.at_us > 0) now += std::max(meet(0, last.at_us - now, last), last.copying_us) + last.decoding_us;
  return now;
}

}  // namespace strake::partition
