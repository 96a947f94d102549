// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Exceptions, sorted by who can act on them.

#include <stdexcept>
#include <string>
#include <string_view>

namespace strake {

/// The model, the plan, a file or a flag is wrong: the user acts. Exit code 2.
/// The message says where, what was expected and what came.
class InvalidInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A rank stopped answering: the supervisor acts. Exit code 1.
class PeerLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

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
