// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What translations of operators with windows share.

#include <string>
#include <vector>

#include "onnx/translator.hpp"

namespace strake::onnx_import {

inline constexpr std::int64_t largest_window = 1 << 20;

/// One entry per spatial axis, each at least `least`; `otherwise` where the attribute is missing.
/// @throws InvalidInput naming the node
[[nodiscard]] std::vector<Index> per_axis(const Node& node, const std::string& name, std::size_t n_axes,
                                          Index otherwise, Index least);

/// `pads`: those in front of each spatial axis, then those behind. @throws InvalidInput naming the node
[[nodiscard]] std::vector<Index> pads_of(const Node& node, std::size_t n_axes);

/// The windows along the last `kernel.size()` axes of `map`, padded as `auto_pad` or `pads` say.
/// @throws InvalidInput naming the node
[[nodiscard]] std::vector<WindowAxis> windows_of(const Node& node, const Shape& map, const std::vector<Index>& kernel);

/// The same along rows and columns; a 1-D operator slides along columns only.
[[nodiscard]] Window2d window_of(const Node& node, const Shape& map, const std::vector<Index>& kernel);

/// A convolution's groups and the sizes of its kernel: `weights` is (m, c / groups, ...).
struct ConvForm {
  Index groups = 1;
  std::vector<Index> kernel;
};
/// @throws InvalidInput naming the node where weights, input and attributes do not fit
[[nodiscard]] ConvForm conv_form(const Node& node, const Shape& src, const Shape& weights);

/// Shapes (n, c, l) as (n, c, 1, l); others as they are.
[[nodiscard]] Shape map_shape(Shape shape);

/// (n, c, l) as (n, c, 1, l). @throws InvalidInput naming the node for any other number of axes but four
[[nodiscard]] OpId as_map(Translator& t, const Node& node, OpId src);

/// Gives the result of a map that `as_map` made back as output number `place`, with `n_axes` axes as before.
void give_back(Translator& t, const Node& node, OpId result, std::size_t n_axes, int place = 0);

/// An operator whose value is one number.
[[nodiscard]] OpId scalar(Translator& t, const Node& node, float value);

/// The elements of a constant as floats. @throws InvalidInput if it is computed
[[nodiscard]] std::vector<float> known_floats(const Translator& t, const Node& node, int input);

}  // namespace strake::onnx_import
