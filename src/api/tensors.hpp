// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Public tensors from the engine's, and back. Neither copies.

#include <string>

#include "core/host_tensor.hpp"
#include "strake/tensor.hpp"

namespace strake::api {

/// Reads the caller's memory as long as it lives. @throws InvalidInput naming the input where size and shape disagree
[[nodiscard]] HostTensor borrowed(const std::string& name, const TensorView& view);

[[nodiscard]] Tensor to_tensor(HostTensor tensor);

}  // namespace strake::api
