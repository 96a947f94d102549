// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What ranks that are alike measured, taken together.

#include <vector>

#include "core/profile.hpp"

namespace strake::engine {

/// Ranks of one host with as many threads, whose whole models took about as long, get the means of what they measured:
/// such differences are mostly chance, and a plan that follows them makes one rank wait for the other in every frame.
/// Larger differences are real (other cores, a busy neighbour) and stay.
void pool_alike(std::vector<RankProfile>& ranks);

}  // namespace strake::engine
