// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Local search over stretches of segments at once, for the few plans of which one will run.

#include "partition/polish.hpp"

namespace strake::partition {

/// A plan that is predicted to be at least as fast. Cuts of many segments move together, ranks are left out of a
/// stretch or have it alone, stretches are cut alike, and segments are joined and split if asked for, so that halos are
/// recomputed or exchanged: at first in long stretches, then in shorter ones, with a fixed number of trials.
/// Deterministic.
[[nodiscard]] StripPlan deepen(const StripModel& model, StripPlan plan, Segments segments);

}  // namespace strake::partition
