// SPDX-License-Identifier: Apache-2.0
// The same elements under other shapes, parts of tensors and tensors of parts.

#include <algorithm>
#include <cstring>
#include <numeric>

#include "onnx/evaluate/loops.hpp"
#include "onnx/shape_rules.hpp"

namespace strake::onnx_import {

namespace {

Tensors reshaped(const HostTensor& tensor, Shape shape) {
  HostTensor result = tensor;
  result.shape = std::move(shape);
  return {result};
}

Tensors reshape(const Call& call) {
  const auto wanted = call.integers("shape", 1).value_or(std::vector<std::int64_t>{});
  return reshaped(call.input(0), resolved_shape(call.node(), call.input(0).shape, wanted));
}

Tensors flatten(const Call& call) { return reshaped(call.input(0), flattened_shape(call.node(), call.input(0).shape)); }

Tensors squeeze(const Call& call) {
  return reshaped(call.input(0), squeezed_shape(call.node(), call.input(0).shape, call.integers("axes", 1)));
}

Tensors unsqueeze(const Call& call) {
  const auto axes = call.integers("axes", 1).value_or(std::vector<std::int64_t>{});
  return reshaped(call.input(0), unsqueezed_shape(call.node(), call.input(0).shape, axes));
}

Tensors pass_on(const Call& call) { return {call.input(0)}; }

// For inference: nothing is dropped, and the mask says so.
Tensors dropout(const Call& call) {
  const bool training = call.has(2) && number_at(call.scalar(2), 0) != 0;
  if (training && !(call.has(1) && number_at(call.scalar(1), 0) == 0)) throw call.error("training is not supported");
  HostTensor mask = call.make(ElementType::boolean, call.input(0).shape);
  std::fill(mask.view<bool>().begin(), mask.view<bool>().end(), true);
  return {call.input(0), mask};
}

// A tensor of other strides over the same elements.
HostTensor walked(const Call& call, const HostTensor& source, const Shape& shape, const std::vector<Index>& strides,
                  Index first) {
  HostTensor y = call.make(source.type, shape);
  if (volume(shape) == 0) return y;
  Shape outer = shape;
  std::array<std::vector<Index>, 1> steps{strides};
  merge_axes(outer, steps);
  // Runs along the last axis: of one value, of neighbours, or with steps.
  Index run = 1;
  Index step = 0;
  if (!outer.empty()) {
    run = outer.back();
    step = steps[0].back();
    outer.pop_back();
    steps[0].pop_back();
  }
  with_type(source.type, [&]<class T>(std::type_identity<T>) {
    const T* from = source.view<T>().data();
    T* to = y.view<T>().data();
    const auto one_run = [&](Index place) {
      if (step == 0) {
        std::fill_n(to, run, from[place]);
      } else if (step == 1) {
        std::copy_n(from + place, run, to);
      } else {
        for (Index i = 0; i < run; ++i) to[i] = from[place + i * step];
      }
      to += run;
    };
    for_each_cell<1>(outer, steps, one_run, {first});
  });
  return y;
}

Tensors transpose(const Call& call) {
  const HostTensor& x = call.input(0);
  const std::vector<std::size_t> axes = permutation(call.node(), x.shape.size());
  const std::vector<Index> strides = row_major_strides(x.shape);
  Shape shape;
  std::vector<Index> steps;
  for (const std::size_t axis : axes) {
    shape.push_back(x.shape[axis]);
    steps.push_back(strides[axis]);
  }
  return {walked(call, x, shape, steps, 0)};
}

Tensors slice(const Call& call) {
  const HostTensor& x = call.input(0);
  const SliceRange range = slice_range(call.node(), x.shape, [&](int i) { return call.integers(i); });
  std::vector<Index> strides = row_major_strides(x.shape);
  Index first = 0;
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    if (range.shape[axis] == 0) continue;
    first += range.begin[axis] * strides[axis];
    // The step of an axis from which one cell is taken is never walked, and may be huge.
    strides[axis] = range.shape[axis] == 1 ? 0 : strides[axis] * range.step[axis];
  }
  return {walked(call, x, range.shape, strides, first)};
}

Tensors split(const Call& call) {
  const HostTensor& x = call.input(0);
  const std::size_t axis = call.axis(0, x.shape.size());
  const std::vector<std::int64_t> sizes = split_sizes(call.node(), x.shape[axis], call.integers("split", 1));
  const std::vector<Index> strides = row_major_strides(x.shape);
  Tensors parts;
  Index begin = 0;
  for (const std::int64_t size : sizes) {
    Shape shape = x.shape;
    shape[axis] = size;
    parts.push_back(walked(call, x, shape, strides, begin * strides[axis]));
    begin += size;
  }
  return parts;
}

Tensors concat(const Call& call) {
  const HostTensor& head = call.input(0);
  const std::size_t axis = call.axis(1, head.shape.size());
  Shape shape = head.shape;
  shape[axis] = 0;
  for (int i = 0; i < call.n_inputs(); ++i) {
    call.expect_type(i, head.type);
    Shape rest = call.input(i).shape;
    if (rest.size() == shape.size()) {
      shape[axis] += rest[axis];
      rest[axis] = head.shape[axis];
    }
    if (rest != head.shape)
      throw call.error("cannot join " + to_string(head.shape) + " and " + to_string(call.input(i).shape));
  }
  HostTensor y = call.make(head.type, shape);
  const Index outer = around(shape, axis).outer;
  std::byte* to = y.data.data();
  for (Index o = 0; o < outer; ++o)
    for (int i = 0; i < call.n_inputs(); ++i) {
      const HostTensor& part = call.input(i);
      const std::size_t run = part.data.size_bytes() / static_cast<std::size_t>(outer);
      if (run > 0) std::memcpy(to, part.data.data() + static_cast<std::size_t>(o) * run, run);
      to += run;
    }
  return {y};
}

Tensors expand(const Call& call) {
  const HostTensor& x = call.input(0);
  const std::vector<std::int64_t> wanted = call.integers(1);
  const Shape shape = broadcast_shape(call, x.shape, Shape(wanted.begin(), wanted.end()));
  for (const Index size : shape)
    if (size < 0) throw call.error("asks for size " + std::to_string(size));
  return {walked(call, x, shape, broadcast_strides(x.shape, shape), 0)};
}

}  // namespace

const Evaluations& structure_evaluations() {
  static const Evaluations table = {{"Concat", concat},       {"Dropout", dropout},    {"Expand", expand},
                                    {"Flatten", flatten},     {"Identity", pass_on},   {"Reshape", reshape},
                                    {"Slice", slice},         {"Split", split},        {"Squeeze", squeeze},
                                    {"Transpose", transpose}, {"Unsqueeze", unsqueeze}};
  return table;
}

}  // namespace strake::onnx_import
