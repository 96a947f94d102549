// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Local search on the timeline: what planners of single steps cannot see.

#include "partition/strip_plan.hpp"

namespace strake::partition {

/// Whether the search joins and splits segments.
enum class Segments : unsigned char { kept, changed };

/// Tries, a bounded number of times and always in the same order: the head or the tail of the network on one rank;
/// other ranks for operators that cannot be cut; cuts moved by some rows in runs of segments with equal cuts, and in
/// single segments; neighbours that change places; segments given to one rank, and joined and split if asked for; and
/// for each operator whether to compute the interior while the halo is under way. Keeps what is predicted faster.
[[nodiscard]] StripPlan polish(const StripModel& model, StripPlan plan, Segments segments);

}  // namespace strake::partition
