// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A whole tensor as users and files have it: row-major, owning its memory.

#include "core/blob.hpp"
#include "core/box.hpp"
#include "core/element_type.hpp"

namespace strake {

struct HostTensor {
  ElementType type = ElementType::f32;
  Shape shape;
  Blob data;  // volume(shape) elements in row-major (NCHW) order
};

}  // namespace strake
