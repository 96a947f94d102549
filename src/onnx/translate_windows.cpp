// SPDX-License-Identifier: Apache-2.0
// Pools of every kind, and transposed convolutions.

#include <algorithm>
#include <cstdlib>

#include "onnx/spatial.hpp"

namespace strake::onnx_import {

namespace {

// ---- pools --------------------------------------------------------------------------------------------------------

/// A pooling as its node declares it.
struct Declared {
  OpId src = 0;
  Shape shape;                      // of the input
  std::vector<WindowAxis> windows;  // one for each axis behind the second
  Shape out;
};

Declared declared_pool(Translator& t, const Node& node) {
  Declared pool;
  pool.src = t.op(node, 0);
  pool.shape = t.graph().shape(pool.src);
  const auto kernel = node.integers("kernel_shape");
  if (!kernel || pool.shape.size() < 3 || kernel->size() != pool.shape.size() - 2)
    throw node.error("kernel_shape does not fit an input of shape " + to_string(pool.shape));
  pool.windows = windows_of(node, pool.shape, per_axis(node, "kernel_shape", kernel->size(), 1, 1));
  const Rounding rounding = node.integer("ceil_mode", 0) != 0 ? Rounding::ceil : Rounding::floor;
  pool.out = {pool.shape[0], pool.shape[1]};
  for (std::size_t i = 0; i < pool.windows.size(); ++i)
    pool.out.push_back(output_size(pool.windows[i], pool.shape[i + 2], rounding));
  if (std::ranges::any_of(pool.out, [](Index size) { return size < 1; }))
    throw node.error("the window does not fit into " + to_string(pool.shape));
  return pool;
}

Window2d window2d(const Declared& pool) {
  return {.h = pool.windows.size() == 2 ? pool.windows.front() : WindowAxis{}, .w = pool.windows.back()};
}

// The pooling of `src`, which has the declared input's shape, without the last step back to three axes.
OpId add_pool(Translator& t, const Node& node, const Declared& pool, OpId src, PoolKind kind, AverageOver over) {
  if (pool.shape.size() <= 4)
    return t.add(node, {as_map(t, node, src)}, Pool{kind, window2d(pool), over}, map_shape(pool.out));
  PoolNd attributes{.kind = PoolNdKind::max, .windows = pool.windows};
  if (kind == PoolKind::sum) attributes.kind = PoolNdKind::sum;
  if (kind == PoolKind::average)
    attributes.kind = over == AverageOver::padded_cells ? PoolNdKind::average_of_padded : PoolNdKind::average_of_input;
  return t.add(node, {src}, attributes, pool.out);
}

void max_pool(Translator& t, const Node& node) {
  const Declared pool = declared_pool(t, node);
  give_back(t, node, add_pool(t, node, pool, pool.src, PoolKind::max, AverageOver::input_cells), pool.shape.size());
  if (node.proto().output_size() < 2 || node.proto().output(1).empty()) return;
  if (pool.shape.size() > 4) throw node.error("the output with indices is not supported for volumes");
  const StorageOrder order =
      node.integer("storage_order", 0) == 0 ? StorageOrder::rows_first : StorageOrder::columns_first;
  const OpId indices =
      t.add(node, {as_map(t, node, pool.src)}, PoolIndices{window2d(pool), order}, map_shape(pool.out));
  give_back(t, node, indices, pool.shape.size(), 1);
}

void average_pool(Translator& t, const Node& node) {
  const Declared pool = declared_pool(t, node);
  const AverageOver over =
      node.integer("count_include_pad", 0) != 0 ? AverageOver::padded_cells : AverageOver::input_cells;
  give_back(t, node, add_pool(t, node, pool, pool.src, PoolKind::average, over), pool.shape.size());
}

// ---- Lp norms -----------------------------------------------------------------------------------------------------

float norm_of(const Node& node) {
  const auto* found = node.attribute("p");
  if (found == nullptr) return 2;
  const float p = found->type() == onnx::AttributeProto::FLOAT ? found->f() : static_cast<float>(found->i());
  if (!(p > 0)) throw node.error("p is " + std::to_string(p));
  return p;
}

// |x|^p of each cell.
OpId powers(Translator& t, const Node& node, OpId src, float p) {
  if (p == 2) return t.add(node, {src, src}, Binary{BinaryKind::mul, {}});
  const OpId size = t.add(node, {src}, Elementwise{{ActivationKind::abs, 0, 0}});
  return p == 1 ? size : t.add(node, {size, scalar(t, node, p)}, Binary{BinaryKind::pow, {}});
}

OpId root(Translator& t, const Node& node, OpId sum, float p) {
  if (p == 1) return sum;
  if (p == 2) return t.add(node, {sum}, Elementwise{{ActivationKind::sqrt, 0, 0}});
  return t.add(node, {sum, scalar(t, node, 1 / p)}, Binary{BinaryKind::pow, {}});
}

void lp_pool(Translator& t, const Node& node) {
  const Declared pool = declared_pool(t, node);
  const float p = norm_of(node);
  const OpId sum = add_pool(t, node, pool, powers(t, node, pool.src, p), PoolKind::sum, AverageOver::input_cells);
  give_back(t, node, root(t, node, sum, p), pool.shape.size());
}

void global_lp_pool(Translator& t, const Node& node) {
  const float p = norm_of(node);
  const OpId src = t.op(node, 0);
  std::vector<int> axes;
  for (std::size_t axis = 2; axis < t.graph().shape(src).size(); ++axis) axes.push_back(static_cast<int>(axis));
  if (axes.empty()) throw node.error("input has shape " + to_string(t.graph().shape(src)) + ", expected (n, c, ...)");
  if (p == 1 || p == 2)
    return t.output(node, t.add(node, {src}, Reduce{p == 1 ? GenericReduceKind::l1 : GenericReduceKind::l2, axes}));
  const OpId sum = t.add(node, {powers(t, node, src, p)}, Reduce{GenericReduceKind::sum, axes});
  t.output(node, root(t, node, sum, p));
}

// ---- unpooling ----------------------------------------------------------------------------------------------------

// The pooling whose indices these are, or null.
const PoolIndices* pooled_with(const Graph& graph, OpId& indices) {
  while (as<Reshape>(graph.op(indices)) != nullptr) indices = graph.op(indices).inputs.front();
  return as<PoolIndices>(graph.op(indices));
}

void max_unpool(Translator& t, const Node& node) {
  const OpId src = t.op(node, 0);
  const OpId indices = t.op(node, 1);
  const Shape shape = t.graph().shape(src);
  const auto kernel = node.integers("kernel_shape");
  if (!kernel || kernel->size() != shape.size() - 2 || shape.size() < 3 || shape.size() > 4)
    throw node.error("kernel_shape does not fit an input of shape " + to_string(shape));
  MaxUnpool attributes;
  attributes.window = window_of(node, shape, per_axis(node, "kernel_shape", kernel->size(), 1, 1));
  const Shape src_map = map_shape(shape);
  const auto size = [](const WindowAxis& axis, Index cells) {
    return (cells - 1) * axis.stride + axis.kernel - axis.pad_begin - axis.pad_end;
  };
  attributes.map_h = size(attributes.window.h, src_map[2]);
  attributes.map_w = size(attributes.window.w, src_map[3]);
  Shape out = {shape[0], shape[1], attributes.map_h, attributes.map_w};
  if (node.has_input(2)) {
    const std::vector<std::int64_t> given = t.known_integers(node, 2);
    if (given.size() != shape.size()) throw node.error("output_shape has " + std::to_string(given.size()) + " numbers");
    out = map_shape(Shape(given.begin(), given.end()));
  }
  OpId origin = indices;
  if (const PoolIndices* pooled = pooled_with(t.graph(), origin)) {
    // The pooled map itself may have been larger than the windows tell.
    const Shape map = t.graph().shape(t.graph().op(origin).inputs.front());
    const bool same = pooled->order == StorageOrder::rows_first && pooled->window == attributes.window;
    if (same && (map == out || (map[2] == attributes.map_h && map[3] == attributes.map_w))) {
      attributes.reach = UnpoolReach::window;
      attributes.map_h = map[2];
      attributes.map_w = map[3];
    }
  }
  const OpId map = as_map(t, node, src);
  const OpId places = as_map(t, node, indices);
  give_back(t, node, t.add(node, {map, places}, attributes, out), shape.size());
}

// ---- transposed convolutions --------------------------------------------------------------------------------------

/// One axis of a transposed convolution: out[i * stride + k * dilation - pad] += in[i] * w[k].
struct Transposed {
  WindowAxis window;  // as declared; `pad_end` follows from `out`
  Index in = 1;
  Index out = 1;
  // As a convolution of stride 1 with `stride` phases: the output cells at o with (o + pad) % stride == phase.
  Index taps = 1;
  Index pad_begin = 0;
  Index pad_end = 0;
  Index crop = 0;  // cells in front that the phases make too many

  // The tap of the transposed kernel that tap `at` of a phase is, or -1.
  [[nodiscard]] Index tap(Index phase, Index at) const {
    const Index place = phase + (taps - 1 - at) * window.stride;
    return place % window.dilation == 0 && place / window.dilation < window.kernel ? place / window.dilation : -1;
  }
  [[nodiscard]] Index phases() const { return window.stride; }
};

void find_phases(Transposed& axis) {
  const Index stride = axis.window.stride;
  axis.taps = (axis.window.reach() + stride - 1) / stride;
  const Index first = std::min(axis.window.pad_begin / stride, axis.taps - 1);
  const Index last = (axis.out - 1 + axis.window.pad_begin) / stride;
  axis.crop = axis.window.pad_begin - first * stride;
  axis.pad_begin = axis.taps - 1 - first;
  axis.pad_end = std::max<Index>(last - first + axis.taps - axis.in - axis.pad_begin, 0);
}

std::vector<Transposed> transposed_axes(const Node& node, const Shape& map, const std::vector<Index>& kernel) {
  const std::size_t n = kernel.size();
  const std::vector<Index> strides = per_axis(node, "strides", n, 1, 1);
  const std::vector<Index> dilations = per_axis(node, "dilations", n, 1, 1);
  const std::vector<Index> more = per_axis(node, "output_padding", n, 0, 0);
  const std::vector<Index> pads = pads_of(node, n);
  const auto declared = node.integers("output_shape");
  const std::string automatic = node.text("auto_pad", "NOTSET");
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (declared && declared->size() < n) throw node.error("output_shape is too short");
  std::vector<Transposed> axes;
  for (std::size_t i = 0; i < n; ++i) {
    Transposed axis{.window = {kernel[i], strides[i], dilations[i], 0, 0}, .in = map[i + 2]};
    const Index all = strides[i] * (axis.in - 1) + more[i] + axis.window.reach();
    if (declared || same) {
      axis.out = declared ? (*declared)[declared->size() - n + i] : axis.in * strides[i];
      const Index cut = std::max<Index>(all - axis.out, 0);
      axis.window.pad_begin = automatic == "SAME_UPPER" ? cut / 2 : cut - cut / 2;
    } else {
      const bool none = automatic == "VALID";
      axis.window.pad_begin = none ? 0 : pads[i];
      axis.out = all - (none ? 0 : pads[i] + pads[n + i]);
    }
    if (axis.out < 1 || axis.out > Index{1} << 24) throw node.error("makes a map of size " + std::to_string(axis.out));
    axes.push_back(axis);
  }
  return axes;
}

/// A transposed convolution of maps as a convolution that makes all phases of an output cell as channels.
class Phases {
 public:
  Phases(const Transposed& h, const Transposed& w, Shape weights, Index groups)
      : h_(h), w_(w), weights_(std::move(weights)), groups_(groups) {}

  [[nodiscard]] Shape shape() const {
    return {weights_[1] * groups_ * cells(), weights_[0] / groups_, h_.taps, w_.taps};
  }

  // (phases * m, c / groups, taps, taps) from (c, m / groups, kh, kw); phases are slowest within a group.
  [[nodiscard]] std::vector<float> weights(const std::vector<float>& from) const {
    const Shape to = shape();
    std::vector<float> values(static_cast<std::size_t>(volume(to)), 0.0F);
    std::size_t place = 0;
    for (Index m = 0; m < to[0]; ++m)
      for (Index i = 0; i < to[1]; ++i)
        for (Index y = 0; y < to[2]; ++y)
          for (Index x = 0; x < to[3]; ++x, ++place) {
            const Index cell = m / weights_[1] % cells();
            const Index ky = h_.tap(cell / w_.phases(), y);
            const Index kx = w_.tap(cell % w_.phases(), x);
            if (ky < 0 || kx < 0) continue;
            const Index c = m / (weights_[1] * cells()) * to[1] + i;
            values[place] = from[static_cast<std::size_t>(
                ((c * weights_[1] + m % weights_[1]) * weights_[2] + ky) * weights_[3] + kx)];
          }
    return values;
  }

  [[nodiscard]] std::vector<float> bias(const std::vector<float>& from) const {
    std::vector<float> values;
    for (Index m = 0; m < shape()[0]; ++m)
      values.push_back(from[static_cast<std::size_t>(m / (weights_[1] * cells()) * weights_[1] + m % weights_[1])]);
    return values;
  }

 private:
  [[nodiscard]] Index cells() const { return h_.phases() * w_.phases(); }

  Transposed h_;
  Transposed w_;
  Shape weights_;
  Index groups_;
};

OpId transposed_map(Translator& t, const Node& node, Transposed h, Transposed w, Index groups) {
  find_phases(h);
  find_phases(w);
  double n_weights = 1;
  for (const Index size : {h.taps, w.taps, h.phases(), w.phases(), volume(t.known(node, 1).shape)})
    n_weights *= static_cast<double>(size);
  if (n_weights > static_cast<double>(most_folded_elements)) throw node.error("its kernel and strides are too large");
  const OpId map = as_map(t, node, t.op(node, 0));
  const Phases phases(h, w, map_shape(t.known(node, 1).shape), groups);
  const Shape weights = phases.shape();
  Conv conv;
  conv.window = {.h = {h.taps, 1, 1, h.pad_begin, h.pad_end}, .w = {w.taps, 1, 1, w.pad_begin, w.pad_end}};
  conv.groups = groups;
  conv.weights = t.weight(node.name() + "/weights", weights, Blob::copy_of(phases.weights(known_floats(t, node, 1))));
  if (node.has_input(2)) {
    const std::vector<float> bias = known_floats(t, node, 2);
    if (static_cast<Index>(bias.size()) * h.phases() * w.phases() != weights[0])
      throw node.error("the bias has " + std::to_string(bias.size()) + " values");
    conv.bias = t.weight(node.name() + "/bias", {weights[0]}, Blob::copy_of(phases.bias(bias)));
  }
  const OpId made = t.add(node, {map}, conv);
  const Shape& shape = t.graph().shape(made);
  if (shape[2] == h.out && shape[3] == w.out && h.phases() * w.phases() == 1) return made;
  const Shape out = {shape[0], shape[1] / (h.phases() * w.phases()), h.out, w.out};
  return t.add(node, {made}, DepthToSpace{h.phases(), w.phases(), groups, h.crop, w.crop}, out);
}

// Volumes: zeros between the cells, then a convolution with the kernel turned around.
OpId transposed_nd(Translator& t, const Node& node, const std::vector<Transposed>& axes, Index groups) {
  const Shape from_shape = t.known(node, 1).shape;
  const std::vector<float> from = known_floats(t, node, 1);
  Shape to_shape = {from_shape[1] * groups, from_shape[0] / groups};
  Index taps = 1;
  ConvNd conv{.windows = {}, .spread = {}, .groups = groups};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const WindowAxis& window = axes[i].window;
    const Index begin = window.reach() - 1 - window.pad_begin;
    conv.windows.push_back({window.kernel, 1, window.dilation, begin,
                            axes[i].out - 1 + window.reach() - begin - ((axes[i].in - 1) * window.stride + 1)});
    conv.spread.push_back(window.stride);
    to_shape.push_back(window.kernel);
    taps *= window.kernel;
  }
  std::vector<float> values;
  for (Index m = 0; m < to_shape[0]; ++m)
    for (Index i = 0; i < to_shape[1]; ++i)
      for (Index tap = taps; tap-- > 0;)
        values.push_back(from[static_cast<std::size_t>(
            ((m / from_shape[1] * to_shape[1] + i) * from_shape[1] + m % from_shape[1]) * taps + tap)]);
  conv.weights = t.weight(node.name() + "/weights", to_shape, Blob::copy_of(values));
  if (node.has_input(2)) conv.bias = t.weight(node, 2);
  return t.add(node, {t.op(node, 0)}, conv);
}

void conv_transpose(Translator& t, const Node& node) {
  const Shape shape = t.shape(node, 0);
  const Shape weights = t.known(node, 1).shape;
  const Index groups = node.integer("group", 1);
  if (shape.size() < 3 || weights.size() != shape.size() || weights[0] != shape[1] || groups < 1 ||
      shape[1] % groups != 0)
    throw node.error("weights have shape " + to_string(weights) + ", the input " + to_string(shape) + ", group is " +
                     std::to_string(groups));
  const std::vector<Index> kernel(weights.begin() + 2, weights.end());
  if (std::ranges::any_of(kernel, [](Index size) { return size > largest_window; }))
    throw node.error("its kernel is too large");
  const std::vector<Transposed> axes = transposed_axes(node, shape, kernel);
  if (shape.size() > 4) return t.output(node, transposed_nd(t, node, axes, groups));
  // One row where there are only columns.
  const Transposed h = axes.size() == 2 ? axes.front() : Transposed{};
  give_back(t, node, transposed_map(t, node, h, axes.back(), groups), shape.size());
}

}  // namespace

const std::map<std::string, Translation>& window_translations() {
  static const std::map<std::string, Translation> table = {{"AveragePool", average_pool},
                                                           {"ConvTranspose", conv_transpose},
                                                           {"GlobalLpPool", global_lp_pool},
                                                           {"LpPool", lp_pool},
                                                           {"MaxPool", max_pool},
                                                           {"MaxUnpool", max_unpool}};
  return table;
}

}  // namespace strake::onnx_import
