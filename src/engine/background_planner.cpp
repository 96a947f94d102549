// SPDX-License-Identifier: Apache-2.0
#include "engine/background_planner.hpp"

#include <exception>
#include <utility>

#include "core/errors.hpp"
#include "engine/machine.hpp"

namespace strake::engine {

namespace {

// A quarter of a core that somebody else wants too; all of one that nobody does.
constexpr int niceness = 5;

}  // namespace

void BackgroundPlanner::start(Profile profile) {
  ensure(!is_planning(), "one plan is made at a time");
  answer_ = {};
  done_ = false;
  thread_ = std::jthread([this, profile = std::move(profile)]() mutable {
    give_way(niceness);
    try {
      answer_.plan = partition::make_plan(partition::CostModel(*graph_, std::move(profile)), strategy_, goal_);
    } catch (const std::exception& error) {
      answer_.error = error.what();
    }
    done_ = true;
  });
}

void BackgroundPlanner::wait(std::chrono::microseconds most) const {
  const auto begin = std::chrono::steady_clock::now();
  while (!done_ && std::chrono::steady_clock::now() - begin < most)
    std::this_thread::sleep_for(std::chrono::microseconds(500));
}

std::optional<BackgroundPlanner::Answer> BackgroundPlanner::take() {
  if (!is_planning() || !done_) return std::nullopt;
  thread_.join();
  return std::move(answer_);
}

}  // namespace strake::engine
