// SPDX-License-Identifier: Apache-2.0
#include "cli/inputs.hpp"

#include <algorithm>
#include <filesystem>

#include "cli/numbers.hpp"
#include "cli/picture_input.hpp"
#include "core/rewrite/rewrite.hpp"
#include "io/file.hpp"
#include "io/npy.hpp"
#include "onnx/import.hpp"
#include "onnx/tensor_file.hpp"

namespace strake::cli {

namespace {

using onnx_import::DeclaredInput;

std::string extension_of(const std::string& file) {
  std::string extension = std::filesystem::path(file).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

std::string names_of(const std::vector<DeclaredInput>& declared) {
  std::string list;
  for (const DeclaredInput& input : declared) list += (list.empty() ? "'" : ", '") + input.name + "'";
  return list;
}

// "[NAME=]FILE" by input name. Names may contain '=' no more than files may, so the longest input name that fits wins.
InputFiles files_by_input(const std::vector<std::string>& files, const std::vector<DeclaredInput>& declared) {
  InputFiles by_input;
  for (const std::string& text : files) {
    std::string name;
    std::string file = text;
    for (const DeclaredInput& input : declared)
      if (input.name.size() > name.size() && text.starts_with(input.name + "=")) {
        name = input.name;
        file = text.substr(name.size() + 1);
      }
    const std::size_t equals = text.find('=');
    if (name.empty() && equals != std::string::npos && !std::filesystem::exists(text))
      throw InvalidInput("--input '" + text + "': the model has no input '" + text.substr(0, equals) +
                         "'; its inputs are " + names_of(declared));
    if (name.empty()) {
      if (declared.size() != 1)
        throw InvalidInput("--input '" + text + "': the model has " + std::to_string(declared.size()) +
                           " inputs; say which with NAME=FILE: " + names_of(declared));
      name = declared.front().name;
    }
    io::expect_regular_file(file, "an input file");
    if (!by_input.emplace(name, file).second) throw InvalidInput("--input: '" + name + "' was given twice");
  }
  return by_input;
}

Shape shape_of_numbers(const std::string& text, const std::string& option) {
  Shape shape;
  for (const double number : numbers_of(text, option)) {
    if (number < 1 || number > 1e9 || number != static_cast<double>(static_cast<Index>(number)))
      throw InvalidInput(option + " expects whole sizes from 1 to 1000000000, got '" + text + "'");
    shape.push_back(static_cast<Index>(number));
  }
  return shape;
}

std::map<std::string, Shape> shapes_by_input(const std::vector<std::string>& options,
                                             const std::vector<DeclaredInput>& declared) {
  std::map<std::string, Shape> shapes;
  for (const std::string& text : options) {
    const std::size_t equals = text.rfind('=');
    const std::string name =
        equals == std::string::npos && declared.size() == 1 ? declared.front().name : text.substr(0, equals);
    const std::string sizes = equals == std::string::npos ? text : text.substr(equals + 1);
    const bool known = std::any_of(declared.begin(), declared.end(), [&](const auto& d) { return d.name == name; });
    if (!known)
      throw InvalidInput("--shape '" + text + "': the model has no input '" + name + "'; its inputs are " +
                         names_of(declared));
    if (!shapes.emplace(name, shape_of_numbers(sizes, "--shape " + name)).second)
      throw InvalidInput("--shape: '" + name + "' was given twice");
  }
  return shapes;
}

bool has_open_dimension(const DeclaredInput& input) {
  return std::any_of(input.dims.begin(), input.dims.end(), [](Index size) { return size < 0; });
}

// What changes nothing is a mistake.
void expect_picture(const InputFiles& files, const InputOptions& options) {
  const InputOptions none;
  const bool asks = options.resize != none.resize || options.channels != none.channels || options.scale != none.scale ||
                    options.mean != none.mean || options.std != none.std;
  if (asks && std::ranges::none_of(files, [](const auto& file) { return is_picture(file.second); }))
    throw InvalidInput(
        "--resize, --channels, --scale, --mean and --std say how a picture becomes an input, but no --input is a "
        "picture");
}

// An open input takes the size of its file; a picture fills the two open spatial axes, one frame unless told otherwise.
Shape shape_from_file(const DeclaredInput& input, const std::string& file) {
  if (!is_picture(file)) return read_tensor(file).shape;
  Shape shape = input.dims;
  if (shape.size() != 4) return shape;
  const io::Picture picture = io::read_picture(file);
  const bool channels_last = shape[1] != 1 && shape[1] != 3 && (shape[3] == 1 || shape[3] == 3);
  const Shape fill = channels_last ? Shape{1, picture.h, picture.w, picture.c} : Shape{1, 3, picture.h, picture.w};
  for (std::size_t axis = 0; axis < 4; ++axis)
    if (shape[axis] < 0) shape[axis] = fill[axis];
  return shape;
}

}  // namespace

bool is_picture(const std::string& file) {
  const std::string extension = extension_of(file);
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

HostTensor read_tensor(const std::string& file) {
  const std::string extension = extension_of(file);
  if (extension == ".npy") return io::read_npy(file);
  if (extension == ".pb") return onnx_import::read_tensor_proto(file);
  throw InvalidInput("input file '" + file + "': expected .npy, .pb, .png, .jpg or .jpeg, got '" + extension + "'");
}

void add_input_options(CLI::App& app, InputOptions& options) {
  app.add_option("-i,--input", options.files, "[NAME=]FILE: .npy, ONNX TensorProto .pb, .jpg or .png")->take_all();
  add_picture_options(app, options);
}

void add_picture_options(CLI::App& app, InputOptions& options) {
  app.add_option("--resize", options.resize, "How a picture is fitted to the input")
      ->check(CLI::IsMember({"stretch", "letterbox"}))
      ->capture_default_str();
  app.add_option("--channels", options.channels, "Order of a picture's channels in the input")
      ->check(CLI::IsMember({"rgb", "bgr"}))
      ->capture_default_str();
  app.add_option("--scale", options.scale,
                 "Pixels (0 to 255) become (pixel * scale - mean) / std; 1/255 may be written so")
      ->check({[](std::string& text) {
                 try {
                   (void)fraction_of(text, "it");
                 } catch (const InvalidInput& error) {
                   return std::string(error.what());
                 }
                 return std::string();
               },
               ""})
      ->capture_default_str();
  const std::string each = "One number, or one for each channel in the order of --channels";
  add_numbers_option(app, "--mean", options.mean, any_number(), each);
  add_numbers_option(app, "--std", options.std, number_above_0(), each);
}

OpenedModel open_model(const std::string& model, const std::vector<std::string>& shapes, const InputOptions& options) {
  const std::vector<DeclaredInput> declared = onnx_import::declared_inputs(model);
  OpenedModel opened;
  opened.files = files_by_input(options.files, declared);
  expect_picture(opened.files, options);
  onnx_import::ImportOptions import_options{.shapes = shapes_by_input(shapes, declared), .values = {}};
  for (const DeclaredInput& input : declared) {
    const auto file = opened.files.find(input.name);
    if (has_open_dimension(input) && file != opened.files.end() && !import_options.shapes.contains(input.name))
      import_options.shapes[input.name] = shape_from_file(input, file->second);
    if (file != opened.files.end() && !is_picture(file->second))
      import_options.values[input.name] = read_tensor(file->second);
  }
  opened.model = onnx_import::import_model(model, import_options);
  for (const std::string& name : opened.model.bound) opened.files.erase(name);
  for (const auto& [name, file] : opened.files)
    if (is_picture(file)) take_pictures(opened.model.graph, name, options);
  rewrite::optimise(opened.model.graph);
  return opened;
}

engine::TensorMap read_inputs(const Graph& graph, const InputFiles& files, const InputOptions& options) {
  engine::TensorMap tensors;
  for (const auto& [name, file] : files)
    tensors[name] = is_picture(file) ? fit_picture(graph, name, file, options) : read_tensor(file);
  return engine::checked_inputs(graph, std::move(tensors));
}

std::optional<io::Picture> first_picture(const InputFiles& files) {
  for (const auto& [name, file] : files)
    if (is_picture(file)) return io::read_picture(file);
  return std::nullopt;
}

}  // namespace strake::cli
