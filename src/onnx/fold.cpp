// SPDX-License-Identifier: Apache-2.0
// Nodes whose inputs are all known: the shape arithmetic that exporters leave behind.

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "onnx/model_file.hpp"
#include "onnx/translator.hpp"

namespace strake::onnx_import {

namespace {

using Fold = void (*)(Translator&, const Node&);

void check_size(const Node& node, const Shape& shape) {
  double cells = 1;
  for (const Index size : shape) {
    if (size < 0) throw node.error("makes a tensor of size " + std::to_string(size));
    cells *= static_cast<double>(size);
  }
  if (cells > static_cast<double>(most_folded_elements))
    throw node.error("makes a constant of more than 2^28 elements");
}

// The same numbers under another kind.
HostValue converted(const HostValue& value, ValueKind kind) {
  if (value.kind == kind) return value;
  HostValue result{.kind = kind, .shape = value.shape, .floats = {}, .integers = {}};
  if (kind == ValueKind::floats) {
    return HostValue::of_floats(value.shape, std::vector<float>(value.integers.begin(), value.integers.end()));
  }
  for (Index i = 0; i < value.size(); ++i) {
    const double number = value.at(i);
    const double bounded = std::isnan(number) ? 0 : std::clamp(number, -9.2e18, 9.2e18);
    result.integers.push_back(static_cast<std::int64_t>(bounded));
  }
  return result;
}

void constant(Translator& t, const Node& node) {
  if (const auto* value = node.attribute("value")) {
    onnx::TensorProto tensor = value->t();
    return t.output(node, take_tensor(tensor, node.where(), {}));
  }
  if (const auto* value = node.attribute("value_float")) return t.output(node, HostValue::of_floats({}, {value->f()}));
  if (const auto* value = node.attribute("value_int")) return t.output(node, HostValue::of_integers({}, {value->i()}));
  if (const auto values = node.integers("value_ints"))
    return t.output(node, HostValue::of_integers({static_cast<Index>(values->size())}, *values));
  if (const auto* value = node.attribute("value_floats"))
    return t.output(node,
                    HostValue::of_floats({value->floats_size()}, {value->floats().begin(), value->floats().end()}));
  throw node.error("has a kind of value that is not supported");
}

void constant_of_shape(Translator& t, const Node& node) {
  const std::vector<std::int64_t> wanted = t.known_integers(node, 0);
  const Shape shape(wanted.begin(), wanted.end());
  check_size(node, shape);
  HostValue fill = HostValue::of_floats({1}, {0});
  if (const auto* value = node.attribute("value")) {
    onnx::TensorProto tensor = value->t();
    fill = take_tensor(tensor, node.where(), {});
    if (fill.size() != 1) throw node.error("fills with " + std::to_string(fill.size()) + " values, expected 1");
  }
  t.output(node, picked(fill, shape, std::vector<Index>(shape.size(), 0), 0));
}

void range(Translator& t, const Node& node) {
  for (int i = 0; i < 3; ++i)
    if (t.known(node, i).size() != 1) throw node.error("expects three scalars");
  const double start = t.known(node, 0).at(0);
  const double limit = t.known(node, 1).at(0);
  const double delta = t.known(node, 2).at(0);
  const double count = delta == 0 ? 0 : std::max(std::ceil((limit - start) / delta), 0.0);
  if (!(count <= static_cast<double>(most_folded_elements)))
    throw node.error("makes a constant of more than 2^28 elements");
  std::vector<float> values;
  for (double i = 0; i < count; ++i) values.push_back(static_cast<float>(start + i * delta));
  const HostValue floats = HostValue::of_floats({static_cast<Index>(count)}, values);
  t.output(node, converted(floats, t.known(node, 0).kind));
}

void cast(Translator& t, const Node& node) {
  const std::int64_t to = node.integer("to", 0);
  const bool is_float =
      to == onnx::TensorProto::FLOAT || to == onnx::TensorProto::FLOAT16 || to == onnx::TensorProto::DOUBLE;
  HostValue value = converted(t.known(node, 0), is_float ? ValueKind::floats : ValueKind::integers);
  if (to == onnx::TensorProto::BOOL)
    for (std::int64_t& one : value.integers) one = one != 0 ? 1 : 0;
  t.output(node, std::move(value));
}

// ---- elementwise --------------------------------------------------------------------------------------------------

Shape broadcast_shape(const Node& node, const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()), 1);
  for (std::size_t back = 1; back <= shape.size(); ++back) {
    const Index x = back <= a.size() ? a[a.size() - back] : 1;
    const Index y = back <= b.size() ? b[b.size() - back] : 1;
    if (x != y && x != 1 && y != 1) throw node.error("cannot broadcast " + to_string(a) + " and " + to_string(b));
    shape[shape.size() - back] = x == 1 ? y : x;
  }
  check_size(node, shape);
  return shape;
}

HostValue combined(const Node& node, const HostValue& a, const HostValue& b,
                   const std::function<double(double, double)>& f, std::optional<ValueKind> kind = std::nullopt) {
  const Shape shape = broadcast_shape(node, a.shape, b.shape);
  HostValue result{.kind = kind.value_or(a.kind), .shape = shape, .floats = {}, .integers = {}};
  const Index n = volume(shape);
  if (result.kind == ValueKind::floats) result.floats = Blob::allocate(static_cast<std::size_t>(n) * sizeof(float));
  for (Index i = 0; i < n; ++i) {
    const double value = f(a.at(broadcast_place(a.shape, shape, i)), b.at(broadcast_place(b.shape, shape, i)));
    if (result.kind == ValueKind::floats)
      result.floats.floats()[static_cast<std::size_t>(i)] = static_cast<float>(value);
    else
      result.integers.push_back(
          static_cast<std::int64_t>(std::clamp(std::isnan(value) ? 0.0 : value, -9.2e18, 9.2e18)));
  }
  return result;
}

double divided(double a, double b, bool integers) {
  if (!integers) return a / b;
  return b == 0 ? 0 : std::trunc(a / b);
}

void arithmetic(Translator& t, const Node& node) {
  const std::string& type = node.type();
  HostValue result = t.known(node, 0);
  const bool integers = result.kind == ValueKind::integers;
  for (int i = 1; i < node.n_inputs(); ++i) {
    const HostValue& other = t.known(node, i);
    result = combined(node, result, other, [&](double a, double b) {
      if (type == "Add" || type == "Sum") return a + b;
      if (type == "Sub") return a - b;
      if (type == "Mul") return a * b;
      if (type == "Div") return divided(a, b, integers);
      if (type == "Mod")
        return b == 0 ? 0 : integers && node.integer("fmod", 0) == 0 ? a - b * std::floor(a / b) : std::fmod(a, b);
      if (type == "Pow") return std::pow(a, b);
      return type == "Max" ? std::max(a, b) : std::min(a, b);
    });
  }
  t.output(node, std::move(result));
}

void comparison(Translator& t, const Node& node) {
  const std::string& type = node.type();
  t.output(node, combined(
                     node, t.known(node, 0), t.known(node, 1),
                     [&](double a, double b) {
                       if (type == "Equal") return a == b ? 1.0 : 0.0;
                       if (type == "Less") return a < b ? 1.0 : 0.0;
                       if (type == "Greater") return a > b ? 1.0 : 0.0;
                       if (type == "And") return a != 0 && b != 0 ? 1.0 : 0.0;
                       return a != 0 || b != 0 ? 1.0 : 0.0;
                     },
                     ValueKind::integers));
}

void unary(Translator& t, const Node& node) {
  const std::string& type = node.type();
  const HostValue& a = t.known(node, 0);
  t.output(node, combined(node, a, a, [&](double x, double) {
             if (type == "Neg") return -x;
             if (type == "Abs") return std::abs(x);
             if (type == "Sqrt") return std::sqrt(x);
             if (type == "Exp") return std::exp(x);
             if (type == "Log") return std::log(x);
             if (type == "Floor") return std::floor(x);
             if (type == "Ceil") return std::ceil(x);
             if (type == "Round") return std::nearbyint(x);
             if (type == "Not") return x == 0 ? 1.0 : 0.0;
             return 1 / x;
           }));
}

void where(Translator& t, const Node& node) {
  const HostValue& condition = t.known(node, 0);
  const HostValue& a = t.known(node, 1);
  const HostValue& b = t.known(node, 2);
  const Shape shape = broadcast_shape(node, condition.shape, broadcast_shape(node, a.shape, b.shape));
  const HostValue chosen =
      combined(node, condition, HostValue::of_integers({1}, {0}), [](double c, double) { return c; });
  std::vector<float> values;
  std::vector<std::int64_t> integers;
  for (Index i = 0; i < volume(shape); ++i) {
    const bool first = chosen.at(broadcast_place(chosen.shape, shape, i)) != 0;
    const double value = first ? a.at(broadcast_place(a.shape, shape, i)) : b.at(broadcast_place(b.shape, shape, i));
    if (a.kind == ValueKind::floats)
      values.push_back(static_cast<float>(value));
    else
      integers.push_back(static_cast<std::int64_t>(value));
  }
  t.output(node, a.kind == ValueKind::floats ? HostValue::of_floats(shape, values)
                                             : HostValue::of_integers(shape, std::move(integers)));
}

// ---- structure ----------------------------------------------------------------------------------------------------

HostValue reshaped(HostValue value, Shape shape) {
  value.shape = std::move(shape);
  return value;
}

void reshape(Translator& t, const Node& node) {
  const HostValue& value = t.known(node, 0);
  const std::vector<std::int64_t> wanted =
      node.n_inputs() > 1 ? t.known_integers(node, 1) : node.integers("shape").value_or(std::vector<std::int64_t>{});
  t.output(node, reshaped(value, resolved_shape(node, value.shape, wanted)));
}

void squeeze(Translator& t, const Node& node) {
  const HostValue& value = t.known(node, 0);
  const auto axes = axes_of(t, node);
  Shape kept;
  for (std::size_t axis = 0; axis < value.shape.size(); ++axis) {
    const bool named = axes && std::any_of(axes->begin(), axes->end(), [&](std::int64_t a) {
                         return static_cast<std::size_t>(axis_of(node, a, value.shape.size())) == axis;
                       });
    if (axes ? !named : value.shape[axis] != 1) kept.push_back(value.shape[axis]);
  }
  if (volume(kept) != value.size()) throw node.error("drops an axis that is larger than 1");
  t.output(node, reshaped(value, kept));
}

void unsqueeze(Translator& t, const Node& node) {
  const HostValue& value = t.known(node, 0);
  const std::vector<std::int64_t> axes = axes_of(t, node).value_or(std::vector<std::int64_t>{});
  const std::size_t n = value.shape.size() + axes.size();
  std::vector<bool> added(n, false);
  for (const std::int64_t axis : axes) added[static_cast<std::size_t>(axis_of(node, axis, n))] = true;
  if (static_cast<std::size_t>(std::count(added.begin(), added.end(), true)) != axes.size())
    throw node.error("an axis stands twice");
  Shape shape;
  auto next = value.shape.begin();
  for (const bool fresh : added) shape.push_back(fresh ? 1 : *next++);
  t.output(node, reshaped(value, shape));
}

void transpose(Translator& t, const Node& node) {
  const HostValue& value = t.known(node, 0);
  const std::size_t n = value.shape.size();
  std::vector<std::int64_t> perm(n);
  for (std::size_t i = 0; i < n; ++i) perm[i] = static_cast<std::int64_t>(n - 1 - i);
  perm = node.integers("perm").value_or(perm);
  if (perm.size() != n) throw node.error("perm has " + std::to_string(perm.size()) + " numbers");
  const std::vector<Index> strides = row_major_strides(value.shape);
  Shape shape;
  std::vector<Index> steps;
  for (const std::int64_t p : perm) {
    const auto axis = static_cast<std::size_t>(axis_of(node, p, n));
    shape.push_back(value.shape[axis]);
    steps.push_back(strides[axis]);
  }
  if (volume(shape) != value.size()) throw node.error("perm is no permutation");
  t.output(node, picked(value, shape, steps, 0));
}

void slice(Translator& t, const Node& node) {
  const HostValue& value = t.known(node, 0);
  const SliceRange range = slice_range(t, node, value.shape);
  std::vector<Index> strides = row_major_strides(value.shape);
  Index first = 0;
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    first += range.begin[axis] * strides[axis];
    strides[axis] *= range.step[axis];
  }
  t.output(node, picked(value, range.shape, strides, first));
}

void gather(Translator& t, const Node& node) {
  const HostValue& value = t.known(node, 0);
  const HostValue& indices = t.known(node, 1);
  const int axis = axis_of(node, node.integer("axis", 0), value.shape.size());
  const Index size = value.shape[static_cast<std::size_t>(axis)];
  const std::vector<Index> strides = row_major_strides(value.shape);
  const Shape before(value.shape.begin(), value.shape.begin() + axis);
  const Shape after(value.shape.begin() + axis + 1, value.shape.end());
  Shape shape = before;
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), after.begin(), after.end());
  check_size(node, shape);
  HostValue result{.kind = value.kind, .shape = shape, .floats = {}, .integers = {}};
  std::vector<float> floats;
  const Index inner = volume(after);
  for (Index outer = 0; outer < volume(before); ++outer)
    for (Index i = 0; i < indices.size(); ++i) {
      Index at = static_cast<Index>(indices.at(i));
      if (at < -size || at >= size)
        throw node.error("index " + std::to_string(at) + " of an axis of " + std::to_string(size));
      at = at < 0 ? at + size : at;
      for (Index j = 0; j < inner; ++j) {
        const Index place = (outer * size + at) * inner + j;
        if (value.kind == ValueKind::floats)
          floats.push_back(value.floats.floats()[static_cast<std::size_t>(place)]);
        else
          result.integers.push_back(value.integers[static_cast<std::size_t>(place)]);
      }
    }
  if (value.kind == ValueKind::floats) result.floats = Blob::copy_of(floats);
  t.output(node, std::move(result));
}

void concat(Translator& t, const Node& node) {
  const HostValue& head = t.known(node, 0);
  const auto axis = static_cast<std::size_t>(axis_of(node, node.integer("axis", 1), head.shape.size()));
  Shape shape = head.shape;
  shape[axis] = 0;
  for (int i = 0; i < node.n_inputs(); ++i) {
    const HostValue& part = t.known(node, i);
    Shape rest = part.shape;
    if (rest.size() != shape.size() || part.kind != head.kind) throw node.error("its inputs do not fit together");
    shape[axis] += rest[axis];
    rest[axis] = head.shape[axis];
    if (rest != head.shape) throw node.error("its inputs do not fit together");
  }
  check_size(node, shape);
  const Index outer =
      std::accumulate(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis), Index{1}, std::multiplies<>());
  HostValue result{.kind = head.kind, .shape = shape, .floats = {}, .integers = {}};
  std::vector<float> floats;
  for (Index o = 0; o < outer; ++o)
    for (int i = 0; i < node.n_inputs(); ++i) {
      const HostValue& part = t.known(node, i);
      const Index run = outer == 0 ? 0 : part.size() / outer;
      for (Index j = o * run; j < (o + 1) * run; ++j) {
        if (head.kind == ValueKind::floats)
          floats.push_back(part.floats.floats()[static_cast<std::size_t>(j)]);
        else
          result.integers.push_back(part.integers[static_cast<std::size_t>(j)]);
      }
    }
  if (head.kind == ValueKind::floats) result.floats = Blob::copy_of(floats);
  t.output(node, std::move(result));
}

void expand(Translator& t, const Node& node) {
  const HostValue& value = t.known(node, 0);
  const std::vector<std::int64_t> wanted = t.known_integers(node, 1);
  const Shape shape = broadcast_shape(node, value.shape, Shape(wanted.begin(), wanted.end()));
  t.output(
      node,
      combined(
          node, value,
          HostValue{ValueKind::integers, shape, {}, std::vector<std::int64_t>(static_cast<std::size_t>(volume(shape)))},
          [](double x, double) { return x; }));
}

void reduce(Translator& t, const Node& node) {
  const HostValue& value = t.known(node, 0);
  const auto axes = axes_of(t, node);
  const bool all = !axes || axes->empty() || value.shape.size() == 1;
  if (!all) throw node.error("a constant can only be reduced over all axes");
  double result = node.type() == "ReduceProd" ? 1 : node.type() == "ReduceSum" ? 0 : value.size() > 0 ? value.at(0) : 0;
  for (Index i = 0; i < value.size(); ++i) {
    if (node.type() == "ReduceProd")
      result *= value.at(i);
    else if (node.type() == "ReduceSum")
      result += value.at(i);
    else
      result = node.type() == "ReduceMax" ? std::max(result, value.at(i)) : std::min(result, value.at(i));
  }
  const Shape shape(node.integer("keepdims", 1) != 0 ? value.shape.size() : 0, 1);
  if (value.kind == ValueKind::floats) return t.output(node, HostValue::of_floats(shape, {static_cast<float>(result)}));
  t.output(node, HostValue::of_integers(shape, {static_cast<std::int64_t>(result)}));
}

void pass_on(Translator& t, const Node& node) { t.output(node, t.value(node, 0)); }

const std::map<std::string, Fold>& table() {
  static const std::map<std::string, Fold> folds = {{"Abs", unary},           {"Add", arithmetic},
                                                    {"And", comparison},      {"Cast", cast},
                                                    {"Ceil", unary},          {"Concat", concat},
                                                    {"Constant", constant},   {"ConstantOfShape", constant_of_shape},
                                                    {"Div", arithmetic},      {"Dropout", pass_on},
                                                    {"Equal", comparison},    {"Exp", unary},
                                                    {"Expand", expand},       {"Floor", unary},
                                                    {"Gather", gather},       {"Greater", comparison},
                                                    {"Identity", pass_on},    {"Less", comparison},
                                                    {"Log", unary},           {"Max", arithmetic},
                                                    {"Min", arithmetic},      {"Mod", arithmetic},
                                                    {"Mul", arithmetic},      {"Neg", unary},
                                                    {"Not", unary},           {"Or", comparison},
                                                    {"Pow", arithmetic},      {"Range", range},
                                                    {"Reciprocal", unary},    {"ReduceMax", reduce},
                                                    {"ReduceMin", reduce},    {"ReduceProd", reduce},
                                                    {"ReduceSum", reduce},    {"Reshape", reshape},
                                                    {"Round", unary},         {"Slice", slice},
                                                    {"Sqrt", unary},          {"Squeeze", squeeze},
                                                    {"Sub", arithmetic},      {"Sum", arithmetic},
                                                    {"Transpose", transpose}, {"Unsqueeze", unsqueeze},
                                                    {"Where", where}};
  return folds;
}

}  // namespace

bool can_fold(const std::string& type) { return table().contains(type); }

bool fold(Translator& translator, const Node& node) {
  const auto found = table().find(node.type());
  if (found == table().end()) return false;
  found->second(translator, node);
  return true;
}

}  // namespace strake::onnx_import
