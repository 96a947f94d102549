// SPDX-License-Identifier: Apache-2.0
#include "partition/course.hpp"

namespace strake::partition {

StripPlan plan_exchange(const StripModel& model, const std::vector<int>& order, TransferCosts transfers) {
  Course course(model, order, transfers);
  for (OpId id = 0; id < model.size(); ++id) {
    const StripKind kind = model.op(id).kind;
    if (kind == StripKind::whole) course.add_whole(id);
    if (kind == StripKind::cut) course.add({.ops = {id}, .cuts = course.divide({id}).cuts});
  }
  return course.plan();
}

}  // namespace strake::partition
