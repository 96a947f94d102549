// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Plans while frames run: a thread that touches neither MPI nor kernels.

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "core/graph.hpp"
#include "partition/planner.hpp"

namespace strake::engine {

/// One plan at a time. All calls come from one thread; what the planner works on is its own.
class BackgroundPlanner {
 public:
  /// What came out: a plan, or why there is none.
  struct Answer {
    std::optional<Plan> plan;
    std::string error;
  };

  /// `graph` must outlive this.
  BackgroundPlanner(const Graph& graph, std::string strategy, const partition::Goal& goal)
      : graph_(&graph), strategy_(std::move(strategy)), goal_(goal) {
    goal_.anneals = false;
  }

  /// Begins to plan. The thread gives way to the frames of this rank, whose cores it shares.
  void start(Profile profile);
  [[nodiscard]] bool is_planning() const { return thread_.joinable(); }

  /// Waits for the answer, but not longer than that.
  void wait(std::chrono::microseconds most) const;

  /// The answer once it is there. Does not wait.
  [[nodiscard]] std::optional<Answer> take();

 private:
  const Graph* graph_;
  std::string strategy_;
  partition::Goal goal_;
  Answer answer_;  // the thread's until `done_`
  std::atomic<bool> done_ = false;
  std::jthread thread_;
};

}  // namespace strake::engine
