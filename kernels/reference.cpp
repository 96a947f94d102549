// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/errors.hpp"
#include "kernels/reference_scope.hpp"

namespace strake::kernels {

namespace {

// Calls body(y, x, ky, kx) for the taps of the window at output (oy, ox) that lie inside the map.
void for_each_tap(const Window2d& window, const Shape& map, Index oy, Index ox,
                  const std::function<void(Index, Index, Index, Index)>& body) {
  for (Index ky = 0; ky < window.h.kernel; ++ky)
    for (Index kx = 0; kx < window.w.kernel; ++kx) {
      const Index y = oy * window.h.stride - window.h.pad_begin + ky * window.h.dilation;
      const Index x = ox * window.w.stride - window.w.pad_begin + kx * window.w.dilation;
      if (y >= 0 && y < map[2] && x >= 0 && x < map[3]) body(y, x, ky, kx);
    }
}

double conv_at(const Scope& s, const Conv& conv, const Indices& o) {
  const Index n_in = s.shape(0)[1] / conv.groups;
  const Index group = o[1] / (s.op.shape[1] / conv.groups);
  double sum = conv.bias == no_weight ? 0 : s.weight(conv.bias, o[1]);
  for_each_tap(conv.window, s.shape(0), o[2], o[3], [&](Index y, Index x, Index ky, Index kx) {
    for (Index i = 0; i < n_in; ++i) {
      const Index place = ((o[1] * n_in + i) * conv.window.h.kernel + ky) * conv.window.w.kernel + kx;
      sum += static_cast<double>(s.at(0, {o[0], group * n_in + i, y, x})) * s.weight(conv.weights, place);
    }
  });
  return s.finished(conv.post_ops, o, sum);
}

// What stands for a maximum of nothing.
double lowest_of(ElementType type) {
  return with_type(
      type, []<class T>(std::type_identity<T>) { return static_cast<double>(std::numeric_limits<T>::lowest()); });
}

double pool_at(const Scope& s, const Pool& pool, const Indices& o) {
  double sum = 0;
  double largest = std::numeric_limits<float>::lowest();
  Index cells = 0;
  for_each_tap(pool.window, s.shape(0), o[2], o[3], [&](Index y, Index x, Index, Index) {
    const double value = s.at(0, {o[0], o[1], y, x});
    sum += value;
    largest = std::max(largest, value);
    ++cells;
  });
  if (pool.kind == PoolKind::max) return cells == 0 ? lowest_of(s.op.type) : largest;
  if (pool.kind == PoolKind::sum) return sum;
  if (pool.over == AverageOver::padded_cells) {
    // Taps inside the map and its declared padding: the same walk over the padded map.
    cells = 0;
    for (Index ky = 0; ky < pool.window.h.kernel; ++ky)
      for (Index kx = 0; kx < pool.window.w.kernel; ++kx)
        if (o[2] * pool.window.h.stride + ky * pool.window.h.dilation <
                s.shape(0)[2] + pool.window.h.pad_begin + pool.window.h.pad_end &&
            o[3] * pool.window.w.stride + kx * pool.window.w.dilation <
                s.shape(0)[3] + pool.window.w.pad_begin + pool.window.w.pad_end)
          ++cells;
  }
  return sum / static_cast<double>(std::max<Index>(cells, 1));
}

double lrn_at(const Scope& s, const Lrn& lrn, const Indices& o) {
  double sum = 0;
  const Index channels = s.shape(0)[1];
  for (Index c = o[1] - (lrn.size - 1) / 2; c <= o[1] + lrn.size / 2; ++c) {
    if (c < 0 || c >= channels) continue;
    Indices at = o;
    at[1] = c;
    sum += std::pow(static_cast<double>(s.at(0, at)), 2);
  }
  const double base = lrn.bias + static_cast<double>(lrn.alpha) / static_cast<double>(lrn.size) * sum;
  return s.at(0, o) / std::pow(base, lrn.beta);
}

long double concat_at(const Scope& s, std::size_t axis, Indices o) {
  std::size_t input = 0;
  while (o[axis] >= s.shape(input)[axis]) o[axis] -= s.shape(input++)[axis];
  return s.number(input, o);
}

long double pad_at(const Scope& s, const Pad& pad, Indices o) {
  for (std::size_t axis = 0; axis < o.size(); ++axis) {
    o[axis] -= pad.begin[axis];
    if (o[axis] < 0 || o[axis] >= s.shape(0)[axis]) return pad.value;
  }
  return s.number(0, o);
}

double scale_shift_at(const Scope& s, const ScaleShift& op, const Indices& o) {
  const auto value = [&](WeightId id, float otherwise) {
    if (id == no_weight) return otherwise;
    return s.weight(id, volume(s.graph.weight(id).shape) == 1 ? 0 : o[1]);
  };
  return s.finished(op.post_ops, o, static_cast<double>(s.at(0, o)) * value(op.scale, 1) + value(op.shift, 0));
}

long double cell(const Scope& s, const Indices& o) {
  const Op& op = s.op;
  if (const std::optional<long double> value = pointwise_at(s, o)) return *value;
  if (const std::optional<long double> value = window_at(s, o)) return *value;
  if (const std::optional<long double> value = along_at(s, o)) return *value;
  if (const std::optional<long double> value = integer_at(s, o)) return *value;
  if (const auto* conv = as<Conv>(op)) return conv_at(s, *conv, o);
  if (const auto* pool = as<Pool>(op)) return pool_at(s, *pool, o);
  if (const auto* scale = as<ScaleShift>(op)) return scale_shift_at(s, *scale, o);
  if (const auto* picture = as<NormalizePicture>(op)) {
    const auto c = static_cast<std::size_t>(o[1]);
    return static_cast<double>(s.at(0, o)) * picture->scale[c] + picture->shift[c];
  }
  if (const auto* concat = as<Concat>(op)) return concat_at(s, static_cast<std::size_t>(concat->axis), o);
  if (const auto* pad = as<Pad>(op)) return pad_at(s, *pad, o);
  if (const auto* lrn = as<Lrn>(op)) return lrn_at(s, *lrn, o);
  Indices at = o;
  if (const auto* transpose = as<Transpose>(op)) {
    for (std::size_t axis = 0; axis < o.size(); ++axis) at[static_cast<std::size_t>(transpose->axes[axis])] = o[axis];
  } else if (const auto* slice = as<Slice>(op)) {
    for (std::size_t axis = 0; axis < o.size(); ++axis) at[axis] = slice->begin[axis] + o[axis] * slice->step[axis];
  } else if (const auto* gather = as<Gather>(op)) {
    const auto axis = static_cast<std::size_t>(gather->axis);
    at[axis] = gather->indices[static_cast<std::size_t>(o[axis])];
  } else {
    throw Bug("internal error: the reference knows every operator");
  }
  return s.number(0, at);
}

HostTensor empty_tensor(ElementType type, const Shape& shape) {
  return {
      .type = type, .shape = shape, .data = Blob::allocate(static_cast<std::size_t>(volume(shape)) * size_of(type))};
}

HostTensor evaluate(const Graph& graph, const Op& op, const std::vector<const HostTensor*>& sources) {
  if (as<Reshape>(op) != nullptr) return {.type = op.type, .shape = op.shape, .data = sources.front()->data};
  if (const auto* constant = as<Constant>(op))
    return {.type = op.type, .shape = op.shape, .data = graph.weight(constant->value).values};
  const Scope scope{graph, op, sources};
  HostTensor result = empty_tensor(op.type, op.shape);
  with_type(op.type, [&]<class T>(std::type_identity<T>) {
    auto* out = reinterpret_cast<T*>(result.data.data());
    for_each(op.shape, [&](const Indices& at) { *out++ = static_cast<T>(cell(scope, at)); });
  });
  return result;
}

}  // namespace

std::vector<HostTensor> reference_tensors(const Graph& graph, const std::vector<HostTensor>& inputs) {
  std::vector<HostTensor> values(graph.ops.size());
  for (std::size_t port = 0; port < graph.inputs.size(); ++port)
    values[static_cast<std::size_t>(graph.inputs[port].op)] = inputs[port];
  for (OpId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.op(id);
    if (as<Input>(op) != nullptr) continue;
    std::vector<const HostTensor*> sources;
    for (const OpId input : op.inputs) sources.push_back(&values[static_cast<std::size_t>(input)]);
    values[static_cast<std::size_t>(id)] = evaluate(graph, op, sources);
  }
  return values;
}

std::vector<std::vector<float>> evaluate_reference(const Graph& graph, const std::vector<std::vector<float>>& inputs) {
  std::vector<HostTensor> tensors;
  for (std::size_t port = 0; port < inputs.size(); ++port) {
    const Op& op = graph.op(graph.inputs[port].op);
    HostTensor tensor = empty_tensor(op.type, op.shape);
    with_type(op.type, [&]<class T>(std::type_identity<T>) {
      std::transform(inputs[port].begin(), inputs[port].end(), reinterpret_cast<T*>(tensor.data.data()),
                     [](float value) { return static_cast<T>(value); });
    });
    tensors.push_back(std::move(tensor));
  }
  std::vector<std::vector<float>> values;
  for (const HostTensor& tensor : reference_tensors(graph, tensors)) {
    std::vector<float>& list = values.emplace_back();
    if (tensor.data.empty()) continue;
    with_type(tensor.type, [&]<class T>(std::type_identity<T>) {
      const auto* cells = reinterpret_cast<const T*>(tensor.data.data());
      for (Index i = 0; i < volume(tensor.shape); ++i) list.push_back(static_cast<float>(cells[i]));
    });
  }
  return values;
}

}  // namespace strake::kernels
