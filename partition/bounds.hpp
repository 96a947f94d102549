// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How fast a cluster could be at best.

#include <vector>

#include "partition/cost_model.hpp"

namespace strake::partition {

/// Microseconds of the whole network on each rank alone, nothing sent. [rank]
[[nodiscard]] std::vector<double> whole_us(const CostModel& costs);

/// Sum of the ranks' throughputs over the greatest of them. 1 without ranks.
/// @param single_us  [rank] the whole model on that rank alone; above 0
[[nodiscard]] double ideal_speedup(const std::vector<double>& single_us);

/// Of a cluster that needs `cluster_us` for a frame: speedup over the best single rank, over the ideal speedup.
[[nodiscard]] double efficiency(const std::vector<double>& single_us, double cluster_us);

/// Speedup over the best single rank if each operator were cut at whole rows as well as can be, all ranks waited for
/// each other behind it, and messages were free. [rank] times are those of the cost model.
[[nodiscard]] double whole_rows_speedup(const CostModel& costs);

}  // namespace strake::partition
