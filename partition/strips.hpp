// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the planners share: strips to boxes, and placing operators that cannot be cut.

#include <vector>

#include "core/plan.hpp"
#include "partition/cost_model.hpp"

namespace strake::partition {

/// True for operators that somebody has to compute: not Input, not Constant.
[[nodiscard]] bool is_computed(const Op& op);

/// Sets operator `id`'s row of the table to these strips along its axis.
void set_strips(const Graph& graph, Plan& plan, OpId id, int axis, const std::vector<Interval>& strips);

/// [0, rows) cut in proportion to `weights` (at least one above 0), rounded to whole rows, in the order of ranks.
[[nodiscard]] std::vector<Interval> proportional_strips(Index rows, const std::vector<double>& weights);

/// What `rank` lacks of operator `id`'s inputs to produce `dst`, under the rows of the table that are set already:
/// microseconds until it is there, messages of one source one behind the other, those of different sources together.
[[nodiscard]] double fetch_us(const CostModel& costs, const Plan& plan, OpId id, int rank, const Box& dst);

/// Puts an operator that cannot be cut where it is cheapest, the way of its output to rank 0 included.
void place_on_best_rank(const CostModel& costs, Plan& plan, OpId id, const std::vector<bool>& allowed);

/// Sets constants, chooses overlap per operator, predicts, and checks.
void finish_plan(const CostModel& costs, Plan& plan, const std::string& strategy);

}  // namespace strake::partition
