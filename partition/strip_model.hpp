// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A graph as planners of strips see it: every tensor is a column of rows, every edge says which rows it reads.

#include <vector>

#include "partition/cost_model.hpp"

namespace strake::partition {

/// For every row of one tensor the rows of another that it reads.
class RowMap {
 public:
  explicit RowMap(std::vector<Interval> of_row);

  /// Everything that the rows `dst` read.
  [[nodiscard]] Interval read_by(Interval dst) const { return same_ ? dst : read_elsewhere(dst); }

 private:
  [[nodiscard]] Interval read_elsewhere(Interval dst) const;
  void make_hulls();

  std::vector<Interval> of_row_;
  std::vector<Index> least_begin_;   // [row]: over this row and those behind it
  std::vector<Index> greatest_end_;  // [row]: over this row and those before it
  bool ascending_ = true;
  bool same_ = true;                          // each row reads the row of its number
  std::vector<std::vector<Interval>> hulls_;  // [k][row]: of 2^k rows from this one on; only where not ascending
};

/// An edge of the graph.
struct StripInput {
  OpId src = 0;
  RowMap rows;
  double share = 1;  // part of each row that is read: less than 1 where a slice takes some channels
};

/// An edge from its source.
struct Reader {
  OpId op = 0;
  std::size_t input = 0;  // of its `inputs`
};

/// The output of a cut operator behind which nobody reads the output of an earlier cut operator.
struct Frontier {
  OpId op = 0;
  bool divides = false;  // strips behind it need what one rank alone computes from strips before it
};

/// How planners of strips treat an operator.
enum class StripKind : unsigned char {
  input,     // on rank 0, in rows where its readers can take rows
  constant,  // everywhere, free
  cut,       // in strips
  whole      // on one rank
};

struct StripOp {
  StripKind kind = StripKind::cut;
  Index n_rows = 1;     // along its axis; 1 where it has none
  Index row_cells = 1;  // along the axis, of one row: more than 1 where blocks of channels are the rows
  bool by_channels = false;
  double row_bytes = 0;
  bool is_output = false;
  int group = -1;                  // of connected operators that cannot be cut, which share a rank
  std::vector<StripInput> inputs;  // without constants
  std::vector<OpId> input_ids;     // of `inputs`
  std::vector<Reader> readers;     // ascending
  double sent_row_bytes = 0;       // of each row, what any reader takes at most
  std::vector<double> costs;       // [rank][rows], up to all of them: microseconds
  std::vector<double> least;       // [rank][rows]: of so many rows or more, so that it never falls
};

constexpr OpId no_channels = -1;

/// Tables for one graph, profile and axis. Immutable.
class StripModel {
 public:
  /// @param channels_from  maps of this operator and of those behind it are cut into blocks of channels instead, where
  ///                       they can be: late maps have few rows, and each rank then streams its part of the weights
  ///                       only
  explicit StripModel(const CostModel& costs, OpId channels_from = no_channels);

  /// The same from the tables of a model without channels, which are those of the maps before the change.
  StripModel(const StripModel& rows, OpId channels_from);

  [[nodiscard]] OpId channels_from() const { return channels_from_; }
  [[nodiscard]] const CostModel& costs() const { return *costs_; }
  [[nodiscard]] const Graph& graph() const { return costs_->graph(); }
  [[nodiscard]] int n_ranks() const { return costs_->n_ranks(); }
  [[nodiscard]] OpId size() const { return static_cast<OpId>(ops_.size()); }
  [[nodiscard]] const StripOp& op(OpId id) const { return ops_[static_cast<std::size_t>(id)]; }
  /// The box of `rows` of an operator's output; everything where it has no axis.
  [[nodiscard]] Box box(OpId id, Interval rows) const;
  [[nodiscard]] int n_groups() const { return n_groups_; }
  [[nodiscard]] double compute_us(int rank, OpId id, Interval rows) const {
    return op(id).costs[cost_place(op(id), rank, rows)];
  }

  /// At least this long for these rows or any that include them.
  [[nodiscard]] double least_us(int rank, OpId id, Interval rows) const {
    return op(id).least[cost_place(op(id), rank, rows)];
  }

  /// Where runs of operators that can be fused may end, ascending. The last cut operator always stands there.
  [[nodiscard]] const std::vector<Frontier>& frontiers() const { return frontiers_; }

 private:
  [[nodiscard]] static std::size_t cost_place(const StripOp& op, int rank, Interval rows) {
    return at(rank * (op.n_rows + 1) + rows.size());
  }
  StripModel(const CostModel& costs, const StripModel* rows, OpId channels_from);
  void add(OpId id);
  void add_edges(OpId id, const StripOp* same);
  void add_costs(OpId id);
  void find_groups();
  void find_frontiers();
  [[nodiscard]] int axis_of(OpId id) const;
  [[nodiscard]] StripInput edge(OpId id, std::size_t input) const;
  [[nodiscard]] Interval rows_in(OpId id, const Box& box) const;

  const CostModel* costs_;
  OpId channels_from_;
  std::vector<int> axes_;  // [op]: along which rows are counted, -1 if none
  std::vector<StripOp> ops_;
  std::vector<Frontier> frontiers_;
  int n_groups_ = 0;
};

}  // namespace strake::partition
