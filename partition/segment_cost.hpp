// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What OODP asks about a segment: T_r(s, e), given the rows that ranks have of the tensors before it.

#include <span>
#include <vector>

#include "partition/oodp.hpp"
#include "partition/strip_plan.hpp"

namespace strake::partition {

/// What it costs to bring rows of one tensor, the output of an operator, to one rank.
class FetchCost {
 public:
  /// @param produced  rows of each rank, together all rows
  /// @param held      rows that `dst` has in any case: its own, and those fetched for earlier operators
  FetchCost(const CostModel& costs, OpId id, int dst, std::span<const Interval> produced, Interval held, Index n_rows,
            double row_bytes);

  /// Microseconds of all messages that bring the rows `need`, those that are held left out.
  [[nodiscard]] double us(Interval need) const;

 private:
  [[nodiscard]] double fetch_us(Interval rows) const;

  Interval held_;
  std::vector<double> bytes_us_;    // [row]: of all rows before it
  std::vector<double> begun_us_;    // [row]: latencies of all messages that begin with it or before it
  std::vector<double> latency_us_;  // [row]: of the message that it belongs to
};

/// Whether cuts are chosen with an eye on transfers. Greedy steps that see them never begin to share a network whose
/// first step alone does not pay; those that do not see them share everything.
enum class TransferCosts : unsigned char { counted, ignored };

/// Rows that ranks have in the course of planning, from the first operator to the last.
struct Holdings {
  Rows produced;
  Rows held;  // produced or fetched
};

/// Cuts of the last operator of a segment.
class SegmentCost {
 public:
  SegmentCost(const StripModel& model, std::vector<int> order, std::vector<OpId> ops, const Holdings& holdings,
              TransferCosts transfers);

  /// T of the rank at `position`.
  [[nodiscard]] double us(int position, Index begin, Index end) const;

  /// At least this long for these rows or any that include them.
  [[nodiscard]] double least_us(int position, Index begin, Index end) const;

  /// The best cuts, and their makespan.
  [[nodiscard]] Division divide() const;

  /// What these cuts take.
  [[nodiscard]] Division price(std::vector<Index> cuts) const;

 private:
  struct Layer {
    OpId id = 0;
    RowMap rows;                  // of it, for rows of the last operator
    double output_row_bytes = 0;  // on their way to the user
  };
  struct Source {
    RowMap rows;                  // of it, for rows of the last operator
    std::vector<FetchCost> cost;  // [position]
  };

  template <class LayerUs>
  [[nodiscard]] double sum_us(int position, Interval rows, LayerUs layer_us) const;
  void add_source(OpId id, RowMap rows, const Holdings& holdings, double share);

  const StripModel& model_;
  std::vector<int> order_;
  Segment segment_;
  Index n_rows_;
  std::vector<Layer> layers_;
  std::vector<Source> sources_;
};

}  // namespace strake::partition
