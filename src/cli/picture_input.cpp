// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_input.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cli/numbers.hpp"

namespace strake::cli {

namespace {

// Sizes of a picture input, whichever of the two orders of axes it has.
struct PictureShape {
  Index n = 1;
  Index c = 3;
  Index h = 0;
  Index w = 0;
  bool channels_last = false;
};

PictureShape picture_shape(const std::string& name, const Shape& shape) {
  const auto is_channels = [](Index size) { return size == 1 || size == 3; };
  if (shape.size() == 4 && is_channels(shape[1])) return {shape[0], shape[1], shape[2], shape[3], false};
  if (shape.size() == 4 && is_channels(shape[3])) return {shape[0], shape[3], shape[1], shape[2], true};
  throw InvalidInput("input '" + name + "' has shape " + to_string(shape) +
                     "; a picture needs (n, 1 or 3, h, w) or (n, h, w, 1 or 3)");
}

Port& port_named(Graph& graph, const std::string& name) {
  for (Port& port : graph.inputs)
    if (port.name == name) return port;
  throw InvalidInput("the model has no input '" + name + "'");
}

std::vector<double> per_channel(const std::vector<double>& values, Index channels, double otherwise,
                                const std::string& option) {
  const auto n = static_cast<std::size_t>(channels);
  if (values.empty()) return std::vector<double>(n, otherwise);
  if (values.size() == 1) return std::vector<double>(n, values.front());
  if (values.size() != n)
    throw InvalidInput(option + " has " + std::to_string(values.size()) + " numbers, the picture has " +
                       std::to_string(channels) + " channels");
  return values;
}

NormalizePicture normalisation(const InputOptions& options, Index channels) {
  const double scale = fraction_of(options.scale, "--scale");
  const std::vector<double> mean = per_channel(options.mean, channels, 0, "--mean");
  const std::vector<double> deviation = per_channel(options.std, channels, 1, "--std");
  NormalizePicture normalise;
  for (std::size_t c = 0; c < mean.size(); ++c) {
    normalise.scale.push_back(static_cast<float>(scale / deviation[c]));
    normalise.shift.push_back(static_cast<float>(-mean[c] / deviation[c]));
    if (!std::isnormal(normalise.scale.back()) || !std::isfinite(normalise.shift.back()))
      throw InvalidInput("--scale, --mean and --std together leave the range of float32");
  }
  return normalise;
}

// Puts `added` operators behind operator `id`; everybody who read `id` reads the last of them.
void insert_behind(Graph& graph, OpId id, std::vector<Op> added) {
  const auto n = static_cast<OpId>(added.size());
  for (OpId later = id + 1; later < graph.size(); ++later)
    for (OpId& input : graph.op(later).inputs)
      if (input >= id) input += n;
  for (Port& port : graph.inputs)
    if (port.op > id) port.op += n;
  for (Port& port : graph.outputs)
    if (port.op >= id) port.op += n;
  graph.ops.insert(graph.ops.begin() + id + 1, std::make_move_iterator(added.begin()),
                   std::make_move_iterator(added.end()));
}

// The picture at the size of `shape` (n, c, h, w), n times.
HostTensor pixels_of(const std::string& file, const Shape& shape, const InputOptions& options) {
  HostTensor one = io::fit(io::read_picture(file),
                           {.c = shape[1],
                            .h = shape[2],
                            .w = shape[3],
                            .resize = options.resize == "letterbox" ? io::Resize::letterbox : io::Resize::stretch,
                            .channels = options.channels == "bgr" ? io::ChannelOrder::bgr : io::ChannelOrder::rgb});
  if (shape[0] == 1) return one;
  HostTensor batch{.type = one.type,
                   .shape = shape,
                   .data = Blob::allocate(one.data.size_bytes() * static_cast<std::size_t>(shape[0]))};
  for (Index n = 0; n < shape[0]; ++n)
    std::memcpy(batch.data.data() + static_cast<std::size_t>(n) * one.data.size_bytes(), one.data.data(),
                one.data.size_bytes());
  return batch;
}

}  // namespace

void take_pictures(Graph& graph, const std::string& name, const InputOptions& options) {
  Port& port = port_named(graph, name);
  const OpId id = port.op;
  port.type = ElementType::u8;
  Op& input = graph.op(id);
  const PictureShape shape = picture_shape(input.name, input.shape);
  const Shape model_shape = input.shape;
  const ElementType model_type = input.type;
  if (model_type == ElementType::boolean)
    throw InvalidInput("input '" + name + "' has elements of type bool; a picture needs numbers");
  input.type = ElementType::u8;
  input.shape = {shape.n, shape.c, shape.h, shape.w};

  std::vector<Op> added;
  added.push_back({.name = name + "/normalized",
                   .inputs = {id},
                   .shape = input.shape,
                   .type = ElementType::f32,
                   .attributes = normalisation(options, shape.c)});
  if (model_type != ElementType::f32)
    added.push_back({.name = name + "/cast",
                     .inputs = {id + 1},
                     .shape = input.shape,
                     .type = model_type,
                     .attributes = Pointwise{.kind = PointwiseKind::cast, .to = model_type}});
  if (shape.channels_last)
    added.push_back({.name = name + "/channels_last",
                     .inputs = {id + static_cast<OpId>(added.size())},
                     .shape = model_shape,
                     .type = model_type,
                     .attributes = Transpose{{0, 2, 3, 1}}});
  insert_behind(graph, id, std::move(added));
}

HostTensor fit_picture(const Graph& graph, const std::string& name, const std::string& file,
                       const InputOptions& options) {
  const auto port =
      std::find_if(graph.inputs.begin(), graph.inputs.end(), [&](const Port& p) { return p.name == name; });
  ensure(port != graph.inputs.end(), "a fitted picture belongs to an input");
  return pixels_of(file, graph.shape(port->op), options);
}

HostTensor fit_picture(const ServedInput& input, const std::string& file, const InputOptions& options) {
  const PictureShape shape = picture_shape(input.name, input.shape);
  HostTensor pixels = pixels_of(file, {shape.n, shape.c, shape.h, shape.w}, options);
  if (input.type == ElementType::u8 && !shape.channels_last) {
    if (options.scale != "1" || !options.mean.empty() || !options.std.empty())
      throw InvalidInput("input '" + input.name + "' takes pictures as they are, since the server normalises them: " +
                         "--scale, --mean and --std are options of strake serve there");
    return pixels;
  }
  if (input.type != ElementType::f32)
    throw InvalidInput("input '" + input.name + "' has elements of type " + name_of(input.type) +
                       "; a picture needs uint8 or float32");
  const NormalizePicture normalise = normalisation(options, shape.c);
  HostTensor result = HostTensor::allocate(ElementType::f32, input.shape);
  const std::span<const std::uint8_t> from = pixels.view<std::uint8_t>();
  const std::span<float> to = result.view<float>();
  const Index plane = shape.h * shape.w;
  for (Index i = 0; i < pixels.size(); ++i) {
    const Index n = i / (shape.c * plane);
    const Index c = i / plane % shape.c;
    const Index place = shape.channels_last ? (n * plane + i % plane) * shape.c + c : i;
    const auto channel = static_cast<std::size_t>(c);
    to[static_cast<std::size_t>(place)] =
        static_cast<float>(from[static_cast<std::size_t>(i)]) * normalise.scale[channel] + normalise.shift[channel];
  }
  return result;
}

}  // namespace strake::cli
