// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Runs one test case through the engine, on one rank or on several that are threads of this process.

#include <string>
#include <vector>

#include "conformance/case.hpp"

namespace strake::conformance {

enum class Verdict : unsigned char { passed, failed, unsupported };

struct Outcome {
  Verdict verdict = Verdict::failed;
  std::string reason;                  // one line; empty where it passed
  bool spread = false;                 // more than one rank had work
  std::vector<std::string> operators;  // types in the model, ascending, each once
};

/// Exact kernels, one thread per rank, uneven strips. A model that Strake refuses (InvalidInput) is unsupported; every
/// other error and every wrong value is a failure.
[[nodiscard]] Outcome run_case(const Case& one, int n_ranks);

}  // namespace strake::conformance
