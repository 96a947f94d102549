// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One frame through the engine on ranks that are threads of this process.

#include <functional>

#include "engine/session.hpp"

namespace strake::conformance {

/// What all ranks do. `load` and `inputs` are used on rank 0 only; `plan` is called on every rank and answers on rank
/// 0.
struct Job {
  engine::Session::Loader load;
  engine::TensorMap inputs;
  engine::Settings settings;
  std::function<Plan(engine::Session&)> plan;
};

struct Answer {
  engine::TensorMap outputs;
  int ranks_with_work = 0;
};

/// @throws what the first rank threw that was not cut off by another one
[[nodiscard]] Answer run_in_process(const Job& job, int n_ranks);

}  // namespace strake::conformance
