// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Exceptions, sorted by who can act on them.

#include <stdexcept>
#include <string>
#include <string_view>

#include "strake/errors.hpp"  // IWYU pragma: export

namespace strake {

/// An invariant of ours broke: the developer acts. Exit code 1.
class Bug : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// @throws Bug with `what` unless `holds`
inline void ensure(bool holds, std::string_view what) {
  if (!holds) throw Bug("internal error: " + std::string(what));
}

}  // namespace strake
