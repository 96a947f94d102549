// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Strake's C++ interface; docs/embedding.md begins with an example.

#include "strake/client.hpp"  // IWYU pragma: export
#include "strake/engine.hpp"  // IWYU pragma: export
#include "strake/errors.hpp"  // IWYU pragma: export
#include "strake/tensor.hpp"  // IWYU pragma: export
