// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Exceptions, sorted by who can act on them.

#include <stdexcept>

#include "strake/export.h"

namespace strake {

/// The model, the plan, a file, a flag or an argument is wrong: the user acts. Exit code 2 of the program.
/// The message says where, what was expected and what came.
class STRAKE_API InvalidInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A rank stopped answering: the supervisor acts. Exit code 1 of the program.
class STRAKE_API PeerLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// As many frames wait as may, and `WhenFull::refuse` was asked for.
class STRAKE_API QueueFull : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A frame's deadline passed before it was begun, and `Late::drop` was asked for.
class STRAKE_API DeadlineMissed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace strake
