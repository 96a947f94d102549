// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A plan for a session: measured where it needs to be, made on rank 0.

#include <optional>
#include <string>

#include "core/plan.hpp"
#include "core/profile.hpp"
#include "engine/session.hpp"
#include "partition/planner.hpp"

namespace strake::engine {

/// What is asked of a plan.
struct PlanRequest {
  std::string strategy = "auto";  // one of `partition::strategies`
  partition::Goal goal;
};

struct PlanResult {
  Plan plan;                       // of rank 0; the others' is empty
  std::optional<Profile> profile;  // where it was measured, on rank 0
};

/// Collective, for a session with its model loaded. Measures nothing where one rank is alone or every rank gets as
/// much.
/// @throws InvalidInput if nobody knows the strategy or it cannot do what is asked
[[nodiscard]] PlanResult make_plan(Session& session, const PlanRequest& request);

/// Bytes of each rank's process that a plan may use where `max_memory_mb` are allowed; infinity for 0.
[[nodiscard]] double bytes_for_plans(double max_memory_mb);

}  // namespace strake::engine
