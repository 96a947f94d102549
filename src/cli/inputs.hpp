// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Input files of a frame, and models fitted to them.

#include <CLI/App.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model.hpp"
#include "engine/frame.hpp"
#include "io/picture.hpp"

namespace strake::cli {

/// How files become inputs.
struct InputOptions {
  std::vector<std::string> files;  // "[NAME=]FILE"
  std::string resize = "stretch";
  std::string channels = "rgb";
  std::string scale = "1";   // a number or a fraction such as 1/255
  std::vector<double> mean;  // of each channel, after scaling
  std::vector<double> std;
};

void add_input_options(CLI::App& app, InputOptions& options);
/// Those of them that say how a picture becomes an input.
void add_picture_options(CLI::App& app, InputOptions& options);

/// By its name.
[[nodiscard]] bool is_picture(const std::string& file);
/// A .npy or .pb file. @throws InvalidInput
[[nodiscard]] HostTensor read_tensor(const std::string& file);

/// Files by the names of the inputs that they are for.
using InputFiles = std::map<std::string, std::string>;

/// A model with its weights, rewritten and ready to plan, and the files for its inputs, those left out whose values
/// became part of the model.
struct OpenedModel {
  Model model;
  InputFiles files;
};

/// Reads a model. Picture files turn their inputs into 8-bit ones with a NormalizePicture behind: what travels between
/// ranks is a quarter as large. Open dimensions take their size from `--shape`, then from the file, then 1 for the
/// first axis. Where the value of an input has to be known (sizes of a Reshape, weights), its file becomes a constant.
/// @throws InvalidInput
[[nodiscard]] OpenedModel open_model(const std::string& model, const std::vector<std::string>& shapes,
                                     const InputOptions& options);

/// The tensors in the files, fitted to the graph that `open_model` made of them.
/// @throws InvalidInput
[[nodiscard]] engine::TensorMap read_inputs(const Graph& graph, const InputFiles& files, const InputOptions& options);

/// The first picture among the files, at its own size; for drawing.
[[nodiscard]] std::optional<io::Picture> first_picture(const InputFiles& files);

}  // namespace strake::cli
