// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How GoogleTest prints boxes and transfers when an expectation fails.

#include <ostream>

#include "core/plan.hpp"

namespace strake {

inline void PrintTo(Interval interval, std::ostream* out) { *out << to_string(interval); }
inline void PrintTo(const Box& box, std::ostream* out) { *out << to_string(box); }
inline void PrintTo(const Transfer& transfer, std::ostream* out) {
  *out << transfer.src << " to " << transfer.dst << ": " << to_string(transfer.box);
}

}  // namespace strake
