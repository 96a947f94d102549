// SPDX-License-Identifier: Apache-2.0
// Tensors made of attributes, shapes and numbers.

#include <algorithm>
#include <cmath>

#include "onnx/evaluate/loops.hpp"
#include "onnx/model_file.hpp"

namespace strake::onnx_import {

namespace {

Tensors constant(const Call& call) {
  const Node& node = call.node();
  if (const auto* value = node.attribute("value")) {
    onnx::TensorProto tensor = value->t();
    return {take_tensor(tensor, node.where(), {})};
  }
  if (const auto* value = node.attribute("value_float")) return {HostTensor::of<float>({}, {value->f()})};
  if (const auto* value = node.attribute("value_int")) return {HostTensor::of<std::int64_t>({}, {value->i()})};
  if (const auto values = node.integers("value_ints"))
    return {HostTensor::of(Shape{static_cast<Index>(values->size())}, *values)};
  if (const auto* value = node.attribute("value_floats"))
    return {HostTensor::of(Shape{value->floats_size()},
                           std::vector<float>(value->floats().begin(), value->floats().end()))};
  throw node.not_in_graph("has a kind of value that is not supported");
}

template <class T>
void fill(HostTensor& tensor, T value) {
  std::fill(tensor.view<T>().begin(), tensor.view<T>().end(), value);
}

Tensors constant_of_shape(const Call& call) {
  const std::vector<std::int64_t> wanted = call.integers(0);
  HostTensor one = HostTensor::of<float>({1}, {0});
  if (const auto* value = call.node().attribute("value")) {
    onnx::TensorProto tensor = value->t();
    one = take_tensor(tensor, call.node().where(), {});
    if (one.size() != 1) throw call.error("fills with " + std::to_string(one.size()) + " values, expected 1");
  }
  HostTensor y = call.make(one.type, Shape(wanted.begin(), wanted.end()));
  with_type(one.type, [&]<class T>(std::type_identity<T>) { fill<T>(y, one.view<T>()[0]); });
  return {y};
}

// ceil((limit - start) / delta), at least 0, for integers without leaving them.
template <class T>
double steps_between(T start, T limit, T delta) {
  if constexpr (std::is_integral_v<T>) {
    const bool up = delta > T(0);
    if (up ? limit <= start : limit >= start) return 0;
    // The distance of two integers fits into the unsigned ones.
    const auto far = up ? static_cast<std::uint64_t>(limit) - static_cast<std::uint64_t>(start)
                        : static_cast<std::uint64_t>(start) - static_cast<std::uint64_t>(limit);
    const auto step = up ? static_cast<std::uint64_t>(delta) : std::uint64_t{0} - static_cast<std::uint64_t>(delta);
    // NOLINTNEXTLINE(bugprone-integer-division): whole steps are counted.
    return static_cast<double>((far - 1) / step + 1);
  } else {
    return std::max(std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta)),
                    0.0);
  }
}

Tensors range(const Call& call) {
  const ElementType type = call.scalar(0).type;
  for (const int i : {1, 2}) {
    (void)call.scalar(i);
    call.expect_type(i, type);
  }
  return {with_number(type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::same_as<T, bool>) {
      return throw call.wrong_type(0), HostTensor{};
    } else {
      using W = Wide<T>;
      const auto start = static_cast<W>(call.input(0).view<T>()[0]);
      const auto delta = static_cast<W>(call.input(2).view<T>()[0]);
      if (delta == W(0)) throw call.error("a delta of 0 never ends");
      const double count = steps_between<W>(start, static_cast<W>(call.input(1).view<T>()[0]), delta);
      if (!(count <= static_cast<double>(most_folded_elements))) throw call.error("makes more than 2^28 elements");
      HostTensor y = call.make(type, {static_cast<Index>(count)});
      Index i = 0;
      for (T& value : y.view<T>()) value = static_cast<T>(added<W>(start, multiplied<W>(number_cast<W>(i++), delta)));
      return y;
    }
  })};
}

Tensors shape_of(const Call& call) {
  const Shape& shape = call.input(0).shape;
  const auto n = static_cast<std::int64_t>(shape.size());
  const auto place = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + n : at, 0, n); };
  const std::int64_t begin = place(call.node().integer("start", 0));
  const std::int64_t end = std::max(place(call.node().integer("end", n)), begin);
  return {HostTensor::of(Shape{end - begin}, std::vector<std::int64_t>(shape.begin() + begin, shape.begin() + end))};
}

Tensors size_of_tensor(const Call& call) { return {HostTensor::of<std::int64_t>({}, {call.input(0).size()})}; }

// Ones on a diagonal.
Tensors eye_like(const Call& call) {
  const HostTensor& x = call.input(0);
  if (x.shape.size() != 2) throw call.error("expects a matrix, got " + to_string(x.shape));
  const std::int64_t dtype = call.node().integer("dtype", onnx_type(x.type));
  const auto type = element_type(static_cast<int>(std::clamp<std::int64_t>(dtype, 0, 1000)));
  if (!type) throw call.error("a dtype of " + std::to_string(dtype) + " is not supported");
  const std::int64_t k = call.node().integer("k", 0);
  HostTensor y = call.make(*type, x.shape);
  with_number(*type, [&]<class T>(std::type_identity<T>) {
    fill<T>(y, static_cast<T>(0));
    for (Index row = 0; row < x.shape[0]; ++row) {
      if (k < -row || k >= x.shape[1] - row) continue;
      y.view<T>()[static_cast<std::size_t>(row * x.shape[1] + row + k)] = static_cast<T>(1);
    }
  });
  return {y};
}

// A triangle of each matrix, zeros elsewhere.
Tensors trilu(const Call& call) {
  const HostTensor& x = call.input(0);
  if (x.shape.size() < 2) throw call.error("expects matrices, got " + to_string(x.shape));
  const bool upper = call.node().integer("upper", 1) != 0;
  std::int64_t k = 0;
  if (call.has(1)) {
    (void)call.scalar(1);
    k = call.integers(1).front();
  }
  const Index rows = x.shape[x.shape.size() - 2];
  const Index columns = x.shape.back();
  HostTensor y = call.make(x.type, x.shape);
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    const T* from = x.view<T>().data();
    Index place = 0;
    for (T& value : y.view<T>()) {
      const Index column = place % columns;
      const Index row = place / columns % rows;
      const bool stays = upper ? column - row >= k : column - row <= k;
      value = stays ? from[place] : static_cast<T>(0);
      ++place;
    }
  });
  return {y};
}

// Axis 2 of one-hot vectors at the places that the indices name.
Tensors one_hot(const Call& call) {
  const HostTensor indices = converted(call.input(0), ElementType::i64);
  const auto depth = number_cast<Index>(number_at(call.scalar(1), 0));
  const HostTensor& values = call.input(2);
  if (values.size() != 2) throw call.error("expects the values off and on, got " + std::to_string(values.size()));
  if (depth < 0) throw call.error("depth is " + std::to_string(depth));
  const std::size_t axis = call.axis(-1, indices.shape.size() + 1);
  Shape shape = indices.shape;
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), depth);
  HostTensor y = call.make(values.type, shape);
  const Around sizes = around(shape, axis);
  with_type(values.type, [&]<class T>(std::type_identity<T>) {
    fill<T>(y, values.view<T>()[0]);
    const std::int64_t* index = indices.view<std::int64_t>().data();
    for (Index outer = 0; outer < sizes.outer; ++outer)
      for (Index inner = 0; inner < sizes.inner; ++inner, ++index) {
        if (*index < -depth || *index >= depth) continue;
        const Index at = *index < 0 ? *index + depth : *index;
        y.view<T>()[static_cast<std::size_t>((outer * depth + at) * sizes.inner + inner)] = values.view<T>()[1];
      }
  });
  return {y};
}

}  // namespace

const Evaluations& create_evaluations() {
  static const Evaluations table = {{"Constant", constant},   {"ConstantOfShape", constant_of_shape},
                                    {"EyeLike", eye_like},    {"OneHot", one_hot},
                                    {"Range", range},         {"Shape", shape_of},
                                    {"Size", size_of_tensor}, {"Trilu", trilu}};
  return table;
}

}  // namespace strake::onnx_import
