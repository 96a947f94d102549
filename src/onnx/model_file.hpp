// SPDX-License-Identifier: Apache-2.0
#pragma once
/// ONNX files as protobuf messages, checked before anybody trusts them.

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <optional>
#include <string>

#include "core/host_tensor.hpp"

namespace strake::onnx_import {

/// Parses a model; external data stays in its files until a tensor is taken.
/// @throws InvalidInput naming the file: missing, empty, truncated, not ONNX, an opset outside 1 to 22
[[nodiscard]] onnx::ModelProto read_model(const std::filesystem::path& file);

/// The opset of the standard operators.
[[nodiscard]] std::int64_t opset_of(const onnx::ModelProto& model, const std::string& where);

/// Takes a tensor's values out of the message, without copying what lies there as raw data.
/// @param where      named in errors
/// @param directory  of the model, for external data
/// @throws InvalidInput: an element type without meaning here, too few or too many bytes, a shape that is none
[[nodiscard]] HostTensor take_tensor(onnx::TensorProto& tensor, const std::string& where,
                                     const std::filesystem::path& directory);

/// The element type that ONNX's number means, or nothing for strings, complex numbers and what newer files may have.
[[nodiscard]] std::optional<ElementType> element_type(int data_type);
/// ONNX's number for an element type.
[[nodiscard]] int onnx_type(ElementType type);

/// "float32", "int64", ...
[[nodiscard]] std::string type_name(int data_type);

}  // namespace strake::onnx_import
