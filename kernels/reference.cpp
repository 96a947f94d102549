// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/errors.hpp"

namespace strake::kernels {

namespace {

using Values = std::vector<float>;
using Indices = std::vector<Index>;

Index flat(const Shape& shape, const Indices& at) {
  Index place = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) place = place * shape[axis] + at[axis];
  return place;
}

// Calls body(index) for every cell of a shape, in row-major order.
void for_each(const Shape& shape, const std::function<void(const Indices&)>& body) {
  Indices at(shape.size(), 0);
  for (Index n = volume(shape); n > 0; --n) {
    body(at);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++at[axis] < shape[axis]) break;
      at[axis] = 0;
    }
  }
}

double activated(const Activation& f, double x) {
  const double a = f.alpha;
  const double b = f.beta;
  switch (f.kind) {
    case ActivationKind::relu:
      return std::max(x, 0.0);
    case ActivationKind::leaky_relu:
      return x < 0 ? a * x : x;
    case ActivationKind::clip:
      return std::min(std::max(x, a), b);
    case ActivationKind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::tanh:
      return std::tanh(x);
    case ActivationKind::swish:
      return x / (1 + std::exp(-a * x));
    case ActivationKind::hard_sigmoid:
      return std::min(std::max(a * x + b, 0.0), 1.0);
    case ActivationKind::hard_swish:
      return x * std::min(std::max(x + 3, 0.0), 6.0) / 6;
    case ActivationKind::elu:
      return x < 0 ? a * (std::exp(x) - 1) : x;
    case ActivationKind::softplus:
      return std::log1p(std::exp(x));
    case ActivationKind::exp:
      return std::exp(x);
    case ActivationKind::log:
      return std::log(x);
    case ActivationKind::sqrt:
      return std::sqrt(x);
    case ActivationKind::abs:
      return std::abs(x);
    case ActivationKind::neg:
      return -x;
    case ActivationKind::reciprocal:
      return 1 / x;
    case ActivationKind::floor:
      return std::floor(x);
    case ActivationKind::ceil:
      return std::ceil(x);
    case ActivationKind::linear:
      return a * x + b;
  }
  return 0;
}

double combined(BinaryKind kind, double x, double y) {
  switch (kind) {
    case BinaryKind::add:
      return x + y;
    case BinaryKind::sub:
      return x - y;
    case BinaryKind::mul:
      return x * y;
    case BinaryKind::div:
      return x / y;
    case BinaryKind::max:
      return std::max(x, y);
    case BinaryKind::min:
      return std::min(x, y);
    case BinaryKind::pow:
      return std::pow(x, y);
  }
  return 0;
}

// What one operator's loops see.
struct Scope {
  const Graph& graph;
  const Op& op;
  const std::vector<const Values*>& sources;

  [[nodiscard]] const Shape& shape(std::size_t input) const { return graph.shape(op.inputs[input]); }
  [[nodiscard]] float at(std::size_t input, const Indices& index) const {
    return (*sources[input])[static_cast<std::size_t>(flat(shape(input), index))];
  }
  [[nodiscard]] float weight(WeightId id, Index place) const {
    return graph.weight(id).values.floats()[static_cast<std::size_t>(place)];
  }
  // Post-ops of the cell at `index`, whose value so far is `x`.
  [[nodiscard]] double finished(const std::vector<PostOp>& post_ops, const Indices& index, double x) const {
    for (const PostOp& post_op : post_ops) {
      if (const auto* f = std::get_if<Activation>(&post_op))
        x = activated(*f, x);
      else
        x += at(static_cast<std::size_t>(std::get<AddInput>(post_op).input), index);
    }
    return x;
  }
};

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
  if (pool.kind == PoolKind::max) return largest;
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

double reduced(const Scope& s, const std::vector<int>& axes, const Indices& o, GenericReduceKind kind) {
  Shape over(s.shape(0).size(), 1);
  for (const int axis : axes) over[static_cast<std::size_t>(axis)] = s.shape(0)[static_cast<std::size_t>(axis)];
  double sum = 0;
  double largest = std::numeric_limits<double>::lowest();
  double smallest = std::numeric_limits<double>::max();
  for_each(over, [&](const Indices& inner) {
    Indices at = o;
    for (const int axis : axes) at[static_cast<std::size_t>(axis)] = inner[static_cast<std::size_t>(axis)];
    const double value = s.at(0, at);
    sum += value;
    largest = std::max(largest, value);
    smallest = std::min(smallest, value);
  });
  switch (kind) {
    case GenericReduceKind::sum:
      return sum;
    case GenericReduceKind::mean:
      return sum / static_cast<double>(volume(over));
    case GenericReduceKind::max:
      return largest;
    case GenericReduceKind::min:
      return smallest;
  }
  return 0;
}

double softmax_at(const Scope& s, std::size_t axis, const Indices& o) {
  double largest = std::numeric_limits<double>::lowest();
  Indices at = o;
  for (at[axis] = 0; at[axis] < s.shape(0)[axis]; ++at[axis]) largest = std::max<double>(largest, s.at(0, at));
  double sum = 0;
  for (at[axis] = 0; at[axis] < s.shape(0)[axis]; ++at[axis]) sum += std::exp(s.at(0, at) - largest);
  return std::exp(s.at(0, o) - largest) / sum;
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

// The value of input `input` that numpy broadcasting puts at `o`.
float broadcast_at(const Scope& s, std::size_t input, const Indices& o) {
  const Shape& shape = s.shape(input);
  Indices at(o.end() - static_cast<std::ptrdiff_t>(shape.size()), o.end());
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] == 1) at[axis] = 0;
  return s.at(input, at);
}

double matmul_at(const Scope& s, const Indices& o) {
  const auto operand = [&](std::size_t input, Index row, Index column) {
    const Shape& shape = s.shape(input);
    Indices at(o.end() - static_cast<std::ptrdiff_t>(shape.size()), o.end());
    for (std::size_t axis = 0; axis + 2 < shape.size(); ++axis)
      if (shape[axis] == 1) at[axis] = 0;
    at[shape.size() - 2] = row;
    at[shape.size() - 1] = column;
    return static_cast<double>(s.at(input, at));
  };
  double sum = 0;
  for (Index k = 0; k < s.shape(0).back(); ++k) sum += operand(0, o[o.size() - 2], k) * operand(1, k, o.back());
  return sum;
}

double concat_at(const Scope& s, std::size_t axis, Indices o) {
  std::size_t input = 0;
  while (o[axis] >= s.shape(input)[axis]) o[axis] -= s.shape(input++)[axis];
  return s.at(input, o);
}

double pad_at(const Scope& s, const Pad& pad, Indices o) {
  for (std::size_t axis = 0; axis < o.size(); ++axis) {
    o[axis] -= pad.begin[axis];
    if (o[axis] < 0 || o[axis] >= s.shape(0)[axis]) return pad.value;
  }
  return s.at(0, o);
}

double scale_shift_at(const Scope& s, const ScaleShift& op, const Indices& o) {
  const auto value = [&](WeightId id, float otherwise) {
    if (id == no_weight) return otherwise;
    return s.weight(id, volume(s.graph.weight(id).shape) == 1 ? 0 : o[1]);
  };
  return s.finished(op.post_ops, o, static_cast<double>(s.at(0, o)) * value(op.scale, 1) + value(op.shift, 0));
}

double cell(const Scope& s, const Indices& o) {
  const Op& op = s.op;
  if (const auto* conv = as<Conv>(op)) return conv_at(s, *conv, o);
  if (const auto* pool = as<Pool>(op)) return pool_at(s, *pool, o);
  if (const auto* rows = as<ReduceRows>(op))
    return reduced(s, {3}, o, rows->kind == ReduceKind::sum ? GenericReduceKind::sum : GenericReduceKind::max);
  if (const auto* parts = as<ReduceParts>(op))
    return static_cast<double>(parts->scale) *
           reduced(s, {2}, o, parts->kind == ReduceKind::sum ? GenericReduceKind::sum : GenericReduceKind::max);
  if (const auto* reduce = as<Reduce>(op)) return reduced(s, reduce->axes, o, reduce->kind);
  if (const auto* elementwise = as<Elementwise>(op)) return activated(elementwise->function, s.at(0, o));
  if (const auto* binary = as<Binary>(op))
    return s.finished(binary->post_ops, o, combined(binary->kind, broadcast_at(s, 0, o), broadcast_at(s, 1, o)));
  if (const auto* scale = as<ScaleShift>(op)) return scale_shift_at(s, *scale, o);
  if (const auto* picture = as<NormalizePicture>(op)) {
    const auto c = static_cast<std::size_t>(o[1]);
    return static_cast<double>(s.at(0, o)) * picture->scale[c] + picture->shift[c];
  }
  if (const auto* concat = as<Concat>(op)) return concat_at(s, static_cast<std::size_t>(concat->axis), o);
  if (const auto* pad = as<Pad>(op)) return pad_at(s, *pad, o);
  if (const auto* softmax = as<Softmax>(op)) return softmax_at(s, static_cast<std::size_t>(softmax->axis), o);
  if (const auto* lrn = as<Lrn>(op)) return lrn_at(s, *lrn, o);
  if (as<MatMul>(op) != nullptr) return matmul_at(s, o);
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
  return s.at(0, at);
}

}  // namespace

std::vector<float> evaluate_reference(const Graph& graph, const Op& op, const std::vector<const Values*>& sources) {
  if (as<Reshape>(op) != nullptr) return *sources.front();
  if (const auto* constant = as<Constant>(op)) {
    const auto values = graph.weight(constant->value).values.floats();
    return {values.begin(), values.end()};
  }
  const Scope scope{graph, op, sources};
  Values values;
  values.reserve(static_cast<std::size_t>(volume(op.shape)));
  for_each(op.shape, [&](const Indices& at) { values.push_back(static_cast<float>(cell(scope, at))); });
  return values;
}

std::vector<std::vector<float>> evaluate_reference(const Graph& graph, const std::vector<std::vector<float>>& inputs) {
  std::vector<Values> values(graph.ops.size());
  for (std::size_t port = 0; port < graph.inputs.size(); ++port)
    values[static_cast<std::size_t>(graph.inputs[port].op)] = inputs[port];
  for (OpId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.op(id);
    if (as<Input>(op) != nullptr) continue;
    std::vector<const Values*> sources;
    for (const OpId input : op.inputs) sources.push_back(&values[static_cast<std::size_t>(input)]);
    values[static_cast<std::size_t>(id)] = evaluate_reference(graph, op, sources);
  }
  return values;
}

}  // namespace strake::kernels
