// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Models whose inputs are pictures.

#include <string>

#include "cli/inputs.hpp"

namespace strake::cli {

/// Makes input `name` of the graph an 8-bit picture (1 or 3 channels, NCHW or NHWC) and puts the normalisation behind
/// it.
/// @throws InvalidInput if the input is no picture, or --scale, --mean or --std do not fit it
void take_pictures(Graph& graph, const std::string& name, const InputOptions& options);

/// The picture in `file` at the size of that input, as a u8 tensor (n, c, h, w).
[[nodiscard]] HostTensor fit_picture(const Graph& graph, const std::string& name, const std::string& file,
                                     const InputOptions& options);

/// An input of a model that others serve.
struct ServedInput {
  std::string name;
  ElementType type = ElementType::u8;
  Shape shape;
};

/// The picture in `file` as that input: pixels as they are where it is u8 (the model has the normalisation), else f32
/// and normalised as `options` say.
/// @throws InvalidInput if the input is no picture
[[nodiscard]] HostTensor fit_picture(const ServedInput& input, const std::string& file, const InputOptions& options);

}  // namespace strake::cli
