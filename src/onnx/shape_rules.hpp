// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Shapes and ranges that attributes and constant inputs ask for, as ONNX resolves them. Sizes may be 0.

#include <functional>
#include <optional>
#include <vector>

#include "core/box.hpp"
#include "onnx/node.hpp"

namespace strake::onnx_import {

/// Sizes of a Reshape with 0 and -1 resolved. @throws InvalidInput naming the node
[[nodiscard]] Shape resolved_shape(const Node& node, const Shape& src, const std::vector<std::int64_t>& wanted);

/// The two sizes of a Flatten.
[[nodiscard]] Shape flattened_shape(const Node& node, const Shape& src);

/// Without the named axes, or without all of size 1. @throws InvalidInput if one is larger than 1
[[nodiscard]] Shape squeezed_shape(const Node& node, const Shape& src,
                                   const std::optional<std::vector<std::int64_t>>& axes);

/// With axes of size 1 at these places of the result.
[[nodiscard]] Shape unsqueezed_shape(const Node& node, const Shape& src, const std::vector<std::int64_t>& axes);

/// The axes of a Transpose, each once; reversed where the node names none.
[[nodiscard]] std::vector<std::size_t> permutation(const Node& node, std::size_t rank);

/// Sizes of the parts of a Split along an axis of `size` cells. @param given  if the node names them
[[nodiscard]] std::vector<std::int64_t> split_sizes(const Node& node, Index size,
                                                    const std::optional<std::vector<std::int64_t>>& given);

/// What a Slice takes of each axis.
struct SliceRange {
  std::vector<Index> begin;
  std::vector<Index> step;
  Shape shape;
};
/// @param integers  the values of an input
[[nodiscard]] SliceRange slice_range(const Node& node, const Shape& src,
                                     const std::function<std::vector<std::int64_t>(int)>& integers);

}  // namespace strake::onnx_import
