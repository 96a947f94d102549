// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Local search on the timeline: what planners of single steps cannot see.

#include "partition/strip_plan.hpp"

namespace strake::partition {

/// Tries, a bounded number of times and always in the same order: the head or the tail of the network on one rank;
/// other ranks for operators that cannot be cut; cuts moved by a row or two in runs of segments with equal cuts; and
/// for each operator whether to compute the interior while the halo is under way. Keeps what is predicted faster.
[[nodiscard]] StripPlan polish(const StripModel& model, StripPlan plan);

}  // namespace strake::partition
