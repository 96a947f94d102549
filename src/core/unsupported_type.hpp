// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The one complaint of an operator about its inputs that is no mistake in a model.

#include "core/errors.hpp"

namespace strake {

/// An operator has no kernel for the types of its inputs; the operator and its shapes are right.
class UnsupportedType : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
};

}  // namespace strake
