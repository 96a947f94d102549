// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Plans in strips: few numbers from which the whole table follows, so that planners can change them and look.

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "partition/strip_model.hpp"

namespace strake::partition {

/// Operators that each rank computes for its own rows without asking others in between. Rows of the last one are cut;
/// of the others a rank produces what its rows of the last one need. Of those that are also read elsewhere it produces
/// at least the share that the cuts of the last one, scaled to their number of rows, give it.
struct Segment {
  std::vector<OpId> ops;    // ascending
  std::vector<Index> cuts;  // position p of the order owns [cuts[p], cuts[p + 1])
};

struct StripPlan {
  std::vector<int> order;         // ranks by position, from the first rows to the last; others own no rows
  std::vector<Segment> segments;  // every operator that is cut stands in one
  std::vector<int> home;          // [group]: rank of operators that cannot be cut
  std::vector<Overlap> overlap;   // [op]
};

/// [op][rank]: rows that a rank produces; one row or none where an operator is not cut. At first none.
class Rows {
 public:
  Rows(OpId n_ops, int n_ranks) : n_ranks_(at(n_ranks)), of_(at(n_ops) * n_ranks_) {}
  [[nodiscard]] std::span<Interval> operator[](std::size_t op) {
    return std::span(of_).subspan(op * n_ranks_, n_ranks_);
  }
  [[nodiscard]] std::span<const Interval> operator[](std::size_t op) const {
    return std::span(of_).subspan(op * n_ranks_, n_ranks_);
  }

  void clear() { std::ranges::fill(of_, Interval{}); }

 private:
  std::size_t n_ranks_;
  std::vector<Interval> of_;
};

/// A plan without segments and homes for these ranks.
[[nodiscard]] StripPlan empty_strip_plan(const StripModel& model, std::vector<int> order);

/// Rows that everybody has before a planner begins: the inputs, on rank 0.
[[nodiscard]] Rows input_rows(const StripModel& model);

/// Adds what each rank produces of the segment's operators to `rows`.
void add_segment(const StripModel& model, const std::vector<int>& order, const Segment& segment, Rows& rows);

/// True when some operator outside the segment, or the user, reads the output of `id`.
[[nodiscard]] bool is_read_outside(const StripModel& model, const Segment& segment, OpId id);

/// The plan with segment `i` divided behind its first `n_ops` operators, both parts cut at the same parts of their
/// maps: the halo between them is exchanged instead of recomputed.
/// @param n_ops  at least 1, fewer than the segment has
[[nodiscard]] StripPlan divided(const StripModel& model, StripPlan plan, std::size_t i, std::size_t n_ops);

/// The plan with segments [begin, end) as one, cut as the last of them: halos between them are recomputed. Its
/// operators need not be ascending.
[[nodiscard]] StripPlan joined(StripPlan plan, std::size_t begin, std::size_t end);

[[nodiscard]] Rows rows_of(const StripModel& model, const StripPlan& plan);

/// The same into `rows`, whose memory is used again.
void rows_of(const StripModel& model, const StripPlan& plan, Rows& rows);

/// The table, checked, with its predicted time.
[[nodiscard]] Plan to_plan(const StripModel& model, const StripPlan& plan, const std::string& strategy);

}  // namespace strake::partition
