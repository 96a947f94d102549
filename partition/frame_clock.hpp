// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Every rank's clock within one frame. Knows nothing of boxes: callers say who computes how long and who sends what.

#include <span>
#include <vector>

#include "partition/cost_model.hpp"
#include "partition/timeline.hpp"

namespace strake::partition {

/// One rank's share of one operator, in microseconds.
struct Work {
  double us = 0;           // as one kernel
  double interior_us = 0;  // the part that needs no halo, and
  double border_us = 0;    // the rest, as kernels of their own
};

struct Message {
  int src = 0;
  int dst = 0;
  double bytes = 0;        // of the tensor; of what travels once it is under way
  double decoding_us = 0;  // on its receiver, then
};

/// Operators come in the order of the graph; for each, first all ranks compute, then its output is sent.
class FrameClock {
 public:
  /// A link that takes this many times as long for a byte as its host's port does not share the port with others.
  static constexpr double slow_link = 2;

  explicit FrameClock(const CostModel& costs);

  /// `rank` waits for what it has not yet received of `inputs`, and computes.
  TimelineStep compute(int rank, OpId id, const std::vector<OpId>& inputs, const Work& work, Overlap overlap);

  /// Sends what `id` produced; messages leave when their source has computed, queue on their link, and share the ports
  /// of their hosts, or the medium, with others.
  /// @param messages  left in the order in which they leave, with the bytes that travel
  void send(OpId id, std::span<Message> messages);

  /// A new frame begins: all clocks stand at 0 again.
  void begin();

  /// When rank 0 has all `outputs`.
  [[nodiscard]] double finish(const std::vector<OpId>& outputs);

  [[nodiscard]] double now(int rank) const { return now_[static_cast<std::size_t>(rank)]; }

 private:
  // What is under way of one tensor to one rank.
  struct Arrival {
    double at_us = 0;        // when all is there, if somebody keeps the messages going
    double variance = 0;     // of that time, in square microseconds
    double copying_us = 0;   // of large messages, which do not move before the receiver waits for them
    double decoding_us = 0;  // of what came rounded, once all is there
  };

  // What a rank waits for something that is expected `ahead_us` from now, and what it waits more than that on average
  // since both times vary. A rank that had to wait is taken to go on with its peer: its variance begins anew. (The
  // peer's goes on until it waits itself; of several that a rank waits for, the latest counts.)
  [[nodiscard]] double meet(int rank, double ahead_us, const Arrival& arrival);
  void pass(int rank, double us);

  void encode(OpId id, std::span<Message> messages);
  [[nodiscard]] std::span<const Message> by_source(std::span<const Message> messages);
  void send_from(OpId id, std::span<const Message> messages);
  [[nodiscard]] double leave(std::span<const Message> messages);
  [[nodiscard]] double enter(const Message& message, double begin_us, double sent_us);
  [[nodiscard]] bool between_hosts(const Message& message) const;
  [[nodiscard]] const Link& link_of(const Message& message) const;
  [[nodiscard]] Arrival take_arrivals(int rank, const std::vector<OpId>& inputs);
  [[nodiscard]] Arrival& arrival(OpId id, int rank);
  [[nodiscard]] double& link_free(int src, int dst);

  const CostModel& costs_;
  std::vector<double> jitter_us_;   // [rank]
  std::vector<double> now_;         // [rank]
  std::vector<double> variance_;    // [rank], of its clock since it last waited for another, in square microseconds
  std::vector<double> link_free_;   // [src][dst]
  std::vector<double> out_free_;    // [host], of its port, or the first of the medium
  std::vector<double> in_free_;     // [host]
  std::vector<char> is_sent_;       // [op]
  std::vector<Arrival> under_way_;  // [op][rank], of operators that are sent
  // Of the messages that leave a rank together, so that no memory is asked for under way.
  std::vector<double> left_us_;  // [message]: of its last byte
  std::vector<double> alone_us_;
  std::vector<std::size_t> sharing_;
  std::vector<Message> sorted_;
  std::vector<std::size_t> places_;  // [source]
};

}  // namespace strake::partition
