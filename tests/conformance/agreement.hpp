// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Whether an output is what ONNX's test data expects.

#include <string>

#include "core/host_tensor.hpp"

namespace strake::conformance {

/// A tensor of ONNX's test data as what the model says it is: bfloat16 is stored as the uint16 of its bits.
[[nodiscard]] HostTensor as_declared(HostTensor tensor, ElementType type);

/// Empty if `got` agrees with `file`, else what differs. Types and shapes must be equal, integers and booleans too;
/// floats agree within 1e-3 of the expected value plus 1e-7 (the defaults of onnx.backend.test), 16-bit floats within a
/// few of their steps; no number agrees with no number, an infinity with the same infinity.
[[nodiscard]] std::string disagreement(const HostTensor& got, const HostTensor& file);

}  // namespace strake::conformance
