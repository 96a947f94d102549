// SPDX-License-Identifier: Apache-2.0
#include "engine/planning.hpp"

#include <limits>
#include <utility>

#include "core/log.hpp"
#include "engine/session_messages.hpp"
#include "partition/cost_model.hpp"
#include "partition/throughput.hpp"

namespace strake::engine {

PlanResult make_plan(Session& session, const PlanRequest& request) {
  PlanResult result;
  const TransferType transfer_type = session.settings().transfer_type;
  const bool in_flight =
      request.goal.objective == partition::Objective::throughput || partition::needs_frames_in_flight(request.strategy);
  // What is replayed costs nothing to know.
  if (request.strategy == "equal" && !in_flight && !session.replays()) {
    if (session.is_root()) result.plan = partition::equal_plan(session.graph(), session.size(), session.axis());
    result.plan.transfer_type = transfer_type;
    return result;
  }
  if (session.size() == 1 && !in_flight) {
    // Nobody to share with: nothing to measure.
    result.plan = single_rank_plan(session.graph(), 1, 0);
    result.plan.axis = session.axis();
    result.plan.transfer_type = transfer_type;
    return result;
  }
  Profile profile = session.profile();
  if (!session.is_root()) return result;
  result.plan = partition::make_plan(partition::CostModel(session.graph(), profile), request.strategy, request.goal);
  result.profile = std::move(profile);
  for (const std::string& note : result.plan.notes) log(LogLevel::debug, note);
  return result;
}

double bytes_for_plans(double max_memory_mb) {
  constexpr double room_for_scratch = 0.03;  // of kernels, which the planner does not know
  if (max_memory_mb <= 0) return std::numeric_limits<double>::infinity();
  return max_memory_mb * bytes_per_mb * (1 - room_for_scratch);
}

}  // namespace strake::engine
