// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What no plan can beat.

#include <vector>

#include "core/graph.hpp"
#include "core/interval_map.hpp"

namespace strake::partition {

/// Sum of the ranks' throughputs over the largest. @param whole_us  time of the whole model on each rank alone, above 0
[[nodiscard]] double ideal_speedup(const std::vector<double>& whole_us);

/// The ideal for whole rows: every operator's rows shared out by throughput in whole rows, operators weighted by their
/// multiply-adds. At most `ideal_speedup`.
[[nodiscard]] double integer_row_speedup(const Graph& graph, SplitAxis axis, const std::vector<double>& whole_us);

}  // namespace strake::partition
