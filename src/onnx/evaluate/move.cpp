// SPDX-License-Identifier: Apache-2.0
// Elements at other places: padding, tiles, blocks, reversals.

#include <algorithm>
#include <cmath>

#include "onnx/evaluate/loops.hpp"

namespace strake::onnx_import {

namespace {

/// For each cell along an output axis the cell along the input axis, or -1 for none.
using Sources = std::vector<Index>;

// y[i, j, ...] = x[sources[0][i], sources[1][j], ...], or `otherwise` where one of them is -1.
HostTensor gathered(const Call& call, const HostTensor& x, const std::vector<Sources>& sources,
                    const HostTensor* otherwise) {
  Shape shape;
  for (const Sources& axis : sources) shape.push_back(static_cast<Index>(axis.size()));
  HostTensor y = call.make(x.type, shape);
  const std::vector<Index> strides = row_major_strides(x.shape);
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    const T fill = otherwise == nullptr ? static_cast<T>(0) : otherwise->view<T>()[0];
    std::vector<std::size_t> at(shape.size(), 0);
    for (T& cell : y.view<T>()) {
      Index place = 0;
      bool inside = true;
      for (std::size_t axis = 0; axis < at.size(); ++axis) {
        const Index source = sources[axis][at[axis]];
        inside = inside && source >= 0;
        place += std::max<Index>(source, 0) * strides[axis];
      }
      cell = inside ? x.view<T>()[static_cast<std::size_t>(place)] : fill;
      for (std::size_t axis = at.size(); axis-- > 0;) {
        if (++at[axis] < sources[axis].size()) break;
        at[axis] = 0;
      }
    }
  });
  return y;
}

enum class PadMode : unsigned char { constant, reflect, edge, wrap };

PadMode pad_mode(const Call& call) {
  const std::string mode = call.node().text("mode", "constant");
  if (mode == "constant") return PadMode::constant;
  if (mode == "reflect") return PadMode::reflect;
  if (mode == "edge") return PadMode::edge;
  if (mode == "wrap") return PadMode::wrap;
  throw call.error("mode '" + mode + "' is not supported");
}

Index modulo(Index a, Index n) { return ((a % n) + n) % n; }

Index padded_source(PadMode mode, Index at, Index size) {
  if (at >= 0 && at < size) return at;
  if (mode == PadMode::constant || size == 0) return -1;
  if (mode == PadMode::edge) return std::clamp<Index>(at, 0, size - 1);
  if (mode == PadMode::wrap) return modulo(at, size);
  if (size == 1) return 0;
  const Index turn = modulo(at, 2 * (size - 1));
  return turn < size ? turn : 2 * (size - 1) - turn;
}

Tensors pad(const Call& call) {
  const HostTensor& x = call.input(0);
  const std::size_t rank = x.shape.size();
  const bool has_inputs = call.node().opset() >= 11;
  const auto pads = has_inputs ? call.integers(1) : call.node().integers("pads").value_or(std::vector<std::int64_t>{});
  std::vector<std::size_t> axes;
  if (has_inputs && call.has(3))
    for (const std::int64_t axis : call.integers(3))
      axes.push_back(static_cast<std::size_t>(axis_of(call.node(), axis, rank)));
  else
    for (std::size_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  if (pads.size() != 2 * axes.size()) throw call.error("pads has " + std::to_string(pads.size()) + " numbers");

  HostTensor fill = converted(HostTensor::of<float>({}, {call.node().number("value", 0)}), x.type);
  if (has_inputs && call.has(2) && call.input(2).size() > 0) {
    call.expect_type(2, x.type);
    fill = call.scalar(2);
  }
  const PadMode mode = pad_mode(call);
  std::vector<Sources> sources(rank);
  for (std::size_t axis = 0; axis < rank; ++axis)
    for (Index i = 0; i < x.shape[axis]; ++i) sources[axis].push_back(i);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t before = pads[i];
    const std::int64_t after = pads[axes.size() + i];
    if (std::max(before, after) > most_folded_elements || std::min(before, after) < -most_folded_elements)
      throw call.error("a pad is too large");
    call.work(static_cast<double>(std::max<Index>(before, 0) + std::max<Index>(after, 0)));
    const Index size = x.shape[axes[i]];
    sources[axes[i]].clear();
    for (Index at = -before; at < size + after; ++at) sources[axes[i]].push_back(padded_source(mode, at, size));
  }
  return {gathered(call, x, sources, &fill)};
}

Tensors tile(const Call& call) {
  const HostTensor& x = call.input(0);
  const std::vector<std::int64_t> repeats = call.integers(1);
  if (repeats.size() != x.shape.size()) throw call.error("repeats has " + std::to_string(repeats.size()) + " numbers");
  std::vector<Sources> sources(repeats.size());
  for (std::size_t axis = 0; axis < repeats.size(); ++axis) {
    const Index size = x.shape[axis];
    if (repeats[axis] < 0 || repeats[axis] > most_folded_elements / std::max<Index>(size, 1))
      throw call.error("repeats " + std::to_string(repeats[axis]) + " times");
    call.work(static_cast<double>(repeats[axis]));
    for (Index i = 0; i < size * repeats[axis]; ++i) sources[axis].push_back(i % size);
  }
  return {gathered(call, x, sources, nullptr)};
}

// Elements of axes that become axes of their own: reshape, transpose, reshape.
HostTensor regrouped(const Call& call, const HostTensor& x, const Shape& split, const std::vector<std::size_t>& order,
                     const Shape& shape) {
  HostTensor y = call.make(x.type, shape);
  const std::vector<Index> strides = row_major_strides(split);
  Shape walk;
  std::vector<Index> steps;
  for (const std::size_t axis : order) {
    walk.push_back(split[axis]);
    steps.push_back(strides[axis]);
  }
  with_type(x.type, [&]<class T>(std::type_identity<T>) {
    const T* from = x.view<T>().data();
    T* to = y.view<T>().data();
    for_each_cell<1>(walk, {steps}, [&](Index place) { *to++ = from[place]; });
  });
  return y;
}

Index block_size(const Call& call) {
  const Index block = call.node().integer("blocksize", 0);
  if (block < 1 || block > (Index{1} << 20)) throw call.error("blocksize is " + std::to_string(block));
  if (call.input(0).shape.size() != 4) throw call.error("expects (n, c, h, w), got " + to_string(call.input(0).shape));
  return block;
}

Tensors depth_to_space(const Call& call) {
  const Index b = block_size(call);
  const Shape& s = call.input(0).shape;
  const std::string mode = call.node().text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") throw call.error("mode '" + mode + "' is not supported");
  if (s[1] % (b * b) != 0) throw call.error("cannot take blocks from " + to_string(s));
  const Index c = s[1] / (b * b);
  const Shape shape{s[0], c, s[2] * b, s[3] * b};
  if (mode == "DCR") return {regrouped(call, call.input(0), {s[0], b, b, c, s[2], s[3]}, {0, 3, 4, 1, 5, 2}, shape)};
  return {regrouped(call, call.input(0), {s[0], c, b, b, s[2], s[3]}, {0, 1, 4, 2, 5, 3}, shape)};
}

Tensors space_to_depth(const Call& call) {
  const Index b = block_size(call);
  const Shape& s = call.input(0).shape;
  if (s[2] % b != 0 || s[3] % b != 0) throw call.error("cannot make blocks of " + to_string(s));
  return {regrouped(call, call.input(0), {s[0], s[1], s[2] / b, b, s[3] / b, b}, {0, 3, 5, 1, 2, 4},
                    {s[0], s[1] * b * b, s[2] / b, s[3] / b})};
}

// The first cells of each sequence in reverse.
Tensors reverse_sequence(const Call& call) {
  const HostTensor& x = call.input(0);
  const std::int64_t time = call.node().integer("time_axis", 0);
  const std::int64_t batch = call.node().integer("batch_axis", 1);
  if (x.shape.size() < 2 || time + batch != 1 || time * batch != 0)
    throw call.error("expects the axes 0 and 1 for time and batch, got " + std::to_string(time) + " and " +
                     std::to_string(batch) + " of " + to_string(x.shape));
  const std::vector<std::int64_t> lengths = call.integers(1);
  const Index n_times = x.shape[static_cast<std::size_t>(time)];
  const Index n_batches = x.shape[static_cast<std::size_t>(batch)];
  if (static_cast<Index>(lengths.size()) != n_batches)
    throw call.error("has " + std::to_string(lengths.size()) + " lengths, expected " + std::to_string(n_batches));
  const Index run = volume(Shape(x.shape.begin() + 2, x.shape.end()));
  HostTensor y = call.make(x.type, x.shape);
  with_type(x.type, [&]<class T>(std::type_identity<T>) {
    for (Index b = 0; b < n_batches; ++b) {
      const Index length = lengths[static_cast<std::size_t>(b)];
      if (length < 0 || length > n_times)
        throw call.error("a length is " + std::to_string(length) + " of " + std::to_string(n_times));
      for (Index t = 0; t < n_times; ++t) {
        const Index source = t < length ? length - 1 - t : t;
        const auto place = [&](Index at) { return (time == 0 ? at * n_batches + b : b * n_times + at) * run; };
        std::copy_n(x.view<T>().data() + place(source), run, y.view<T>().data() + place(t));
      }
    }
  });
  return {y};
}

}  // namespace

const Evaluations& move_evaluations() {
  static const Evaluations table = {{"DepthToSpace", depth_to_space},
                                    {"Pad", pad},
                                    {"ReverseSequence", reverse_sequence},
                                    {"SpaceToDepth", space_to_depth},
                                    {"Tile", tile}};
  return table;
}

}  // namespace strake::onnx_import
