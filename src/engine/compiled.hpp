// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A plan with all that runs it on one rank.

#include <memory>
#include <optional>

#include "core/plan.hpp"
#include "core/unroll.hpp"
#include "engine/executor.hpp"
#include "engine/program.hpp"
#include "kernels/weight_store.hpp"

namespace strake::engine {

/// Its parts refer to each other, so it stays where it is. Several may stand beside each other: one runs, the others
/// wait, and kernels share the forms of weights that they have in common.
struct Compiled {
  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;

  Plan plan;
  std::optional<Unrolled> cycle;  // where the plan has several frames
  std::unique_ptr<kernels::WeightStore> weights;
  std::unique_ptr<Program> program;
  std::unique_ptr<Executor> executor;
};

}  // namespace strake::engine
