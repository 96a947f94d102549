// SPDX-License-Identifier: Apache-2.0
// Elements named by indices, and elements put where indices say.

#include <algorithm>
#include <cstring>
#include <numeric>

#include "onnx/evaluate/loops.hpp"

namespace strake::onnx_import {

namespace {

void append(Shape& shape, Shape::const_iterator begin, Shape::const_iterator end) {
  shape.insert(shape.end(), begin, end);
}

// `n` runs of `run` elements each: y's run i is x's run source(i).
template <class Source>
void copy_runs(const HostTensor& x, HostTensor& y, Index n, Index run, Source source) {
  const std::size_t n_bytes = static_cast<std::size_t>(run) * size_of(x.type);
  if (n_bytes == 0) return;
  for (Index i = 0; i < n; ++i)
    std::memcpy(y.data.data() + static_cast<std::size_t>(i) * n_bytes,
                x.data.data() + static_cast<std::size_t>(source(i)) * n_bytes, n_bytes);
}

Tensors gather(const Call& call) {
  const HostTensor& x = call.input(0);
  const std::vector<std::int64_t> indices = call.integers(1);
  const std::size_t axis = call.axis(0, x.shape.size());
  const Around sizes = around(x.shape, axis);
  const auto at = x.shape.begin() + static_cast<std::ptrdiff_t>(axis);
  Shape shape(x.shape.begin(), at);
  append(shape, call.input(1).shape.begin(), call.input(1).shape.end());
  append(shape, at + 1, x.shape.end());
  HostTensor y = call.make(x.type, shape);
  const auto n = static_cast<Index>(indices.size());
  copy_runs(x, y, sizes.outer * n, sizes.inner, [&](Index i) {
    return i / n * sizes.size + checked_index(call, indices[static_cast<std::size_t>(i % n)], sizes.size);
  });
  return {y};
}

// Strides of `shape` in a tensor of `strides` with the axis taken out, for indices of the shape of their outputs.
Tensors gather_elements(const Call& call) {
  const HostTensor& x = call.input(0);
  const HostTensor& index = call.input(1);
  const std::vector<std::int64_t> indices = call.integers(1);
  const std::size_t axis = call.axis(0, x.shape.size());
  if (index.shape.size() != x.shape.size()) throw call.error("indices of another rank than the data");
  for (std::size_t i = 0; i < x.shape.size(); ++i)
    if (i != axis && index.shape[i] > x.shape[i])
      throw call.error("indices " + to_string(index.shape) + " for data " + to_string(x.shape));
  std::vector<Index> strides = row_major_strides(x.shape);
  const Index step = std::exchange(strides[axis], 0);
  HostTensor y = call.make(x.type, index.shape);
  with_type(x.type, [&]<class T>(std::type_identity<T>) {
    const T* from = x.view<T>().data();
    T* to = y.view<T>().data();
    auto next = indices.begin();
    for_each_cell<1>(index.shape, {strides},
                     [&](Index place) { *to++ = from[place + checked_index(call, *next++, x.shape[axis]) * step]; });
  });
  return {y};
}

// Where runs begin that tuples of indices name: (n, k) indices into the first k axes of `shape`.
Index run_of(const Call& call, const std::int64_t* tuple, const Shape& shape, std::size_t first, std::size_t k) {
  Index place = 0;
  for (std::size_t i = 0; i < k; ++i)
    place = place * shape[first + i] + checked_index(call, tuple[i], shape[first + i]);
  return place;
}

Tensors gather_nd(const Call& call) {
  const HostTensor& x = call.input(0);
  const Shape& index_shape = call.input(1).shape;
  const std::vector<std::int64_t> indices = call.integers(1);
  const std::int64_t given = call.node().integer("batch_dims", 0);
  if (index_shape.empty() || given < 0 ||
      given >= static_cast<std::int64_t>(std::min(x.shape.size(), index_shape.size())))
    throw call.error("batch_dims is " + std::to_string(given));
  const auto batch_dims = static_cast<std::size_t>(given);
  const auto k = static_cast<std::size_t>(index_shape.back());
  if (k > x.shape.size() - batch_dims || !std::equal(x.shape.begin(), x.shape.begin() + given, index_shape.begin()))
    throw call.error("indices " + to_string(index_shape) + " for data " + to_string(x.shape));
  const auto rest = x.shape.begin() + static_cast<std::ptrdiff_t>(batch_dims + k);
  Shape shape(index_shape.begin(), index_shape.end() - 1);
  append(shape, rest, x.shape.end());
  HostTensor y = call.make(x.type, shape);
  const Index n_batches = volume(Shape(x.shape.begin(), x.shape.begin() + given));
  const Index n = volume(Shape(index_shape.begin(), index_shape.end() - 1));
  const Index per_batch = n_batches == 0 ? 0 : n / n_batches;
  const Index runs_in_batch = volume(Shape(x.shape.begin() + given, rest));
  call.work(static_cast<double>(n) * static_cast<double>(k));
  copy_runs(x, y, n, volume(Shape(rest, x.shape.end())), [&](Index i) {
    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): without a batch there is no i.
    return i / per_batch * runs_in_batch +
           run_of(call, indices.data() + static_cast<std::size_t>(i) * k, x.shape, batch_dims, k);
  });
  return {y};
}

// ---- scatter ------------------------------------------------------------------------------------------------------

enum class Combine : unsigned char { replace, add, multiply, maximum, minimum };

Combine combination(const Call& call) {
  const std::string text = call.node().text("reduction", "none");
  if (text == "none") return Combine::replace;
  if (text == "add") return Combine::add;
  if (text == "mul") return Combine::multiply;
  if (text == "max") return Combine::maximum;
  if (text == "min") return Combine::minimum;
  throw call.error("reduction '" + text + "' is not supported");
}

template <class T>
T combined(Combine how, T old, T fresh) {
  using W = Wide<T>;
  const auto a = static_cast<W>(old);
  const auto b = static_cast<W>(fresh);
  switch (how) {
    case Combine::replace:
      return fresh;
    case Combine::add:
      return static_cast<T>(added(a, b));
    case Combine::multiply:
      return static_cast<T>(multiplied(a, b));
    case Combine::maximum:
      return static_cast<T>(larger(a, b));
    case Combine::minimum:
      break;
  }
  return static_cast<T>(smaller(a, b));
}

HostTensor copied(const Call& call, const HostTensor& x) {
  HostTensor y = call.make(x.type, x.shape);
  if (x.data.size_bytes() > 0) std::memcpy(y.data.data(), x.data.data(), x.data.size_bytes());
  return y;
}

Tensors scatter_elements(const Call& call) {
  const HostTensor& x = call.input(0);
  const Shape& index_shape = call.input(1).shape;
  const HostTensor& updates = call.input(2);
  const std::vector<std::int64_t> indices = call.integers(1);
  const std::size_t axis = call.axis(0, x.shape.size());
  const Combine how = combination(call);
  call.expect_type(2, x.type);
  bool fits = index_shape.size() == x.shape.size() && updates.shape == index_shape;
  for (std::size_t i = 0; fits && i < x.shape.size(); ++i) fits = i == axis || index_shape[i] <= x.shape[i];
  if (!fits)
    throw call.error("indices " + to_string(index_shape) + " and updates " + to_string(updates.shape) + " for data " +
                     to_string(x.shape));
  std::vector<Index> strides = row_major_strides(x.shape);
  const Index step = std::exchange(strides[axis], 0);
  HostTensor y = copied(call, x);
  call.work(static_cast<double>(indices.size()));
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    T* to = y.view<T>().data();
    const T* from = updates.view<T>().data();
    auto next = indices.begin();
    for_each_cell<1>(index_shape, {strides}, [&](Index place) {
      T& cell = to[place + checked_index(call, *next++, x.shape[axis]) * step];
      cell = combined(how, cell, *from++);
    });
  });
  return {y};
}

Tensors scatter_nd(const Call& call) {
  const HostTensor& x = call.input(0);
  const Shape& index_shape = call.input(1).shape;
  const HostTensor& updates = call.input(2);
  const std::vector<std::int64_t> indices = call.integers(1);
  const Combine how = combination(call);
  call.expect_type(2, x.type);
  const auto k = static_cast<std::size_t>(index_shape.empty() ? 0 : index_shape.back());
  if (index_shape.empty() || k > x.shape.size())
    throw call.error("indices " + to_string(index_shape) + " for data " + to_string(x.shape));
  const auto rest = x.shape.begin() + static_cast<std::ptrdiff_t>(k);
  Shape wanted(index_shape.begin(), index_shape.end() - 1);
  append(wanted, rest, x.shape.end());
  if (updates.shape != wanted)
    throw call.error("updates " + to_string(updates.shape) + ", expected " + to_string(wanted));
  const Index n = volume(Shape(index_shape.begin(), index_shape.end() - 1));
  const Index run = volume(Shape(rest, x.shape.end()));
  HostTensor y = copied(call, x);
  call.work(static_cast<double>(n) * static_cast<double>(std::max<Index>(run, static_cast<Index>(k))));
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    const T* from = updates.view<T>().data();
    for (Index i = 0; i < n; ++i) {
      T* to = y.view<T>().data() + run_of(call, indices.data() + static_cast<std::size_t>(i) * k, x.shape, 0, k) * run;
      for (Index j = 0; j < run; ++j, ++to) *to = combined(how, *to, *from++);
    }
  });
  return {y};
}

// Slices along an axis, or elements of the flattened tensor, for which a condition holds.
Tensors compress(const Call& call) {
  HostTensor x = call.input(0);
  call.expect_type(1, ElementType::boolean);
  if (call.node().attribute("axis") == nullptr) x.shape = {x.size()};
  const std::size_t axis = call.axis(0, x.shape.size());
  const Around sizes = around(x.shape, axis);
  std::vector<Index> kept;
  const auto condition = call.input(1).view<bool>();
  for (std::size_t i = 0; i < condition.size() && static_cast<Index>(i) < sizes.size; ++i)
    if (condition[i]) kept.push_back(static_cast<Index>(i));
  Shape shape = x.shape;
  shape[axis] = static_cast<Index>(kept.size());
  HostTensor y = call.make(x.type, shape);
  copy_runs(x, y, sizes.outer * shape[axis], sizes.inner,
            [&](Index i) { return i / shape[axis] * sizes.size + kept[static_cast<std::size_t>(i % shape[axis])]; });
  return {y};
}

}  // namespace

const Evaluations& gather_evaluations() {
  static const Evaluations table = {{"Compress", compress},
                                    {"Gather", gather},
                                    {"GatherElements", gather_elements},
                                    {"GatherND", gather_nd},
                                    {"Scatter", scatter_elements},
                                    {"ScatterElements", scatter_elements},
                                    {"ScatterND", scatter_nd}};
  return table;
}

}  // namespace strake::onnx_import
