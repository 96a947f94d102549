// SPDX-License-Identifier: Apache-2.0
#include "engine/frame.hpp"

#include <algorithm>

#include "core/number_types.hpp"

namespace strake::engine {

namespace {

// Between (n, c, h, w) in row-major order and the same in NHWC, both dense. Pictures have few channels: then all of a
// pixel's are written at once, and both sides are touched in order.
template <int channels, class T>
void interleave(const T* src, T* dst, Index pixels) {
  for (Index pixel = 0; pixel < pixels; ++pixel)
    for (int c = 0; c < channels; ++c) dst[pixel * channels + c] = src[c * pixels + pixel];
}

template <class T>
void to_channels_last(const T* src, T* dst, const Shape& shape) {
  const Index c = shape[1];
  const Index pixels = shape[2] * shape[3];
  for (Index n = 0; n < shape[0]; ++n) {
    const T* from = src + n * c * pixels;
    T* to = dst + n * c * pixels;
    if (c == 1) {
      std::copy_n(from, pixels, to);
    } else if (c == 3) {
      interleave<3>(from, to, pixels);
    } else {
      for (Index channel = 0; channel < c; ++channel)
        for (Index pixel = 0; pixel < pixels; ++pixel) to[pixel * c + channel] = from[channel * pixels + pixel];
    }
  }
}

template <class T>
void to_channels_first(const T* src, T* dst, const Shape& shape) {
  const Index c = shape[1];
  const Index pixels = shape[2] * shape[3];
  for (Index n = 0; n < shape[0]; ++n)
    for (Index channel = 0; channel < c; ++channel) {
      const T* from = src + n * c * pixels + channel;
      T* to = dst + (n * c + channel) * pixels;
      for (Index pixel = 0; pixel < pixels; ++pixel) to[pixel] = from[pixel * c];
    }
}

std::string names_of(const std::vector<Port>& ports) {
  std::string list;
  for (const Port& port : ports) list += (list.empty() ? "'" : ", '") + port.name + "'";
  return list;
}

bool has_name(const std::vector<Port>& ports, const std::string& name) {
  return std::any_of(ports.begin(), ports.end(), [&](const Port& port) { return port.name == name; });
}

}  // namespace

TensorMap checked_inputs(const Graph& graph, TensorMap inputs) {
  for (const auto& [name, tensor] : inputs)
    if (!has_name(graph.inputs, name))
      throw InvalidInput("the model has no input '" + name + "'; its inputs are " + names_of(graph.inputs));
  for (const Port& port : graph.inputs) {
    const auto found = inputs.find(port.name);
    if (found == inputs.end()) throw InvalidInput("input '" + port.name + "' was not given");
    HostTensor& tensor = found->second;
    const Op& op = graph.op(port.op);
    if (tensor.shape != op.shape)
      throw InvalidInput("input '" + port.name + "' has shape " + to_string(tensor.shape) + ", the model expects " +
                         to_string(op.shape));
    if (op.type == ElementType::f32 && is_float(tensor.type)) tensor = converted(tensor, op.type);
    if (tensor.type != op.type)
      throw InvalidInput("input '" + port.name + "' has elements of type " + std::string(to_string(tensor.type)) +
                         ", the model expects " + std::string(to_string(port.type)));
  }
  return inputs;
}

void write_inputs(std::span<const Port> ports, const Program& program, const TensorMap& inputs) {
  for (const Port& port : ports) {
    const View slab = program.slab(port.op);
    if (slab.box.empty()) continue;
    const HostTensor& tensor = inputs.at(port.name);
    if (tensor.shape.size() != 4) {
      std::memcpy(slab.data, tensor.data.data(), dense_bytes(slab.box, slab.type));
    } else {
      with_type(slab.type, [&]<class T>(std::type_identity<T>) {
        to_channels_last(reinterpret_cast<const T*>(tensor.data.data()), reinterpret_cast<T*>(slab.data), tensor.shape);
      });
    }
  }
}

TensorMap read_outputs(const Graph& graph, std::span<const Port> ports, const Program& program) {
  TensorMap outputs;
  for (const Port& port : ports) {
    const View slab = program.slab(port.op);
    const Shape& shape = graph.shape(port.op);
    const View view = slab.window(whole(shape));
    HostTensor tensor{.type = view.type, .shape = shape, .data = Blob::allocate(dense_bytes(view.box, view.type))};
    if (shape.size() == 4 && view.dense())
      with_type(view.type, [&]<class T>(std::type_identity<T>) {
        to_channels_first(reinterpret_cast<const T*>(view.data), reinterpret_cast<T*>(tensor.data.data()), shape);
      });
    else
      copy_box(view, row_major_view(view.box, view.type, tensor.data.data()), view.box);
    if (is_float(port.type)) tensor = converted(tensor, port.type);
    outputs.insert_or_assign(port.name, std::move(tensor));
  }
  return outputs;
}

TensorMap random_inputs(const Graph& graph) {
  TensorMap inputs;
  std::uint32_t state = 12345;
  for (const Port& port : graph.inputs) {
    const Op& op = graph.op(port.op);
    HostTensor tensor{
        .type = op.type, .shape = op.shape, .data = Blob::allocate(dense_bytes(whole(op.shape), op.type))};
    for (std::size_t i = 0; i < static_cast<std::size_t>(volume(op.shape)); ++i) {
      state = state * 1664525U + 1013904223U;  // Numerical Recipes' generator
      const std::uint32_t byte = state >> 24;
      with_number(op.type, [&]<class T>(std::type_identity<T>) {
        if constexpr (is_float_number<T>)
          tensor.view<T>()[i] = static_cast<T>(static_cast<float>(byte) / 255.0F);
        else
          tensor.view<T>()[i] = static_cast<T>(std::is_same_v<T, bool> ? byte & 1U : byte);
      });
    }
    inputs.emplace(port.name, std::move(tensor));
  }
  return inputs;
}

}  // namespace strake::engine
