// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Runs cases in a process of their own, so that one that crashes or hangs costs only itself.

#include <chrono>
#include <functional>
#include <vector>

#include "conformance/run_case.hpp"

namespace strake::conformance {

struct Work {
  std::function<Outcome(const Case&)> run;                // in a child process
  std::function<void(const Case&, const Outcome&)> seen;  // in this one, as outcomes come
  std::chrono::milliseconds longest = std::chrono::minutes(1);
};

/// Outcomes in the order of the cases. A case that ends its process or takes longer than `longest` has failed; the
/// others go on in a new process.
[[nodiscard]] std::vector<Outcome> run_cases(const std::vector<Case>& cases, const Work& work);

}  // namespace strake::conformance
