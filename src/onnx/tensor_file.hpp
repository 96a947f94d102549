// SPDX-License-Identifier: Apache-2.0
#pragma once
/// ONNX TensorProto files (.pb), as in ONNX's own test data.

#include <filesystem>
#include <string>

#include "core/host_tensor.hpp"

namespace strake::onnx_import {

/// @throws InvalidInput naming the file and what is wrong with it (a type that is not numbers or booleans too)
[[nodiscard]] HostTensor read_tensor_proto(const std::filesystem::path& file);

/// @throws InvalidInput if the file cannot be written; no partial file stays
void write_tensor_proto(const std::filesystem::path& file, const std::string& name, const HostTensor& tensor);

}  // namespace strake::onnx_import
