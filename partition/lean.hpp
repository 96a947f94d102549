// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Plans that hold little on every rank.

#include <memory>
#include <vector>

#include "partition/strip_plan.hpp"

namespace strake::partition {

struct LeanPlan {
  std::shared_ptr<const StripModel> model;
  StripPlan plan;
};

/// Plans for all ranks from even cuts on, in which cut by cut whoever holds most gets less: rank 0 has the inputs and
/// outputs whole. A bounded number of them, always in the same order.
/// @param models  ways to cut the maps: rows throughout, or channels from some operator on
[[nodiscard]] std::vector<LeanPlan> lean_plans(const std::vector<std::shared_ptr<const StripModel>>& models);

}  // namespace strake::partition
