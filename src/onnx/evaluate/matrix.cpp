// SPDX-License-Identifier: Apache-2.0
// Products of matrices and sums of products. Sums of floats are made in double.

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "onnx/evaluate/loops.hpp"

namespace strake::onnx_import {

namespace {

template <class T>
using Accumulator = std::conditional_t<is_float_number<T>, double, T>;

/// A matrix of m x k cells in memory, perhaps transposed.
struct MatrixView {
  Index row_step;
  Index column_step;
};

// y (m, n) = a (m, k) b (k, n).
template <class T, class Store>
void multiply(const T* a, MatrixView at_a, const T* b, MatrixView at_b, Index m, Index k, Index n, Store store) {
  using A = Accumulator<T>;
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j) {
      A sum = 0;
      for (Index l = 0; l < k; ++l)
        sum = added<A>(sum, multiplied<A>(static_cast<A>(a[i * at_a.row_step + l * at_a.column_step]),
                                          static_cast<A>(b[l * at_b.row_step + j * at_b.column_step])));
      store(i, j, sum);
    }
}

Tensors matmul(const Call& call) {
  Shape a = call.input(0).shape;
  Shape b = call.input(1).shape;
  call.expect_type(1, call.input(0).type);
  if (a.empty() || b.empty()) throw call.error("cannot multiply scalars");
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  const Index m = a[a.size() - 2];
  const Index k = a.back();
  const Index n = b.back();
  if (b[b.size() - 2] != k)
    throw call.error("cannot multiply " + to_string(call.input(0).shape) + " by " + to_string(call.input(1).shape));
  const Shape outer_a(a.begin(), a.end() - 2);
  const Shape outer_b(b.begin(), b.end() - 2);
  const Shape outer = broadcast_shape(call, outer_a, outer_b);
  Shape shape = outer;
  if (!row) shape.push_back(m);
  if (!column) shape.push_back(n);
  HostTensor y = call.make(call.input(0).type, shape);
  call.work(static_cast<double>(y.size()) * static_cast<double>(k));
  with_number(y.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::same_as<T, bool>) {
      throw call.wrong_type(0);
    } else {
      T* to = y.view<T>().data();
      for_each_cell<2>(
          outer, {broadcast_strides(outer_a, outer), broadcast_strides(outer_b, outer)}, [&](Index i, Index j) {
            multiply(call.input(0).view<T>().data() + i * m * k, {k, 1}, call.input(1).view<T>().data() + j * k * n,
                     {n, 1}, m, k, n, [&](Index, Index, Accumulator<T> sum) { *to++ = static_cast<T>(sum); });
          });
    }
  });
  return {y};
}

Tensors gemm(const Call& call) {
  const HostTensor& a = call.input(0);
  const HostTensor& b = call.input(1);
  call.expect_type(1, a.type);
  if (a.shape.size() != 2 || b.shape.size() != 2) throw call.error("expects matrices");
  const bool turn_a = call.node().integer("transA", 0) != 0;
  const bool turn_b = call.node().integer("transB", 0) != 0;
  const Index m = a.shape[turn_a ? 1 : 0];
  const Index k = a.shape[turn_a ? 0 : 1];
  const Index n = b.shape[turn_b ? 0 : 1];
  if (b.shape[turn_b ? 1 : 0] != k)
    throw call.error("cannot multiply " + to_string(a.shape) + " by " + to_string(b.shape));
  const double alpha = call.node().number("alpha", 1);
  const double beta = call.node().number("beta", 1);
  HostTensor c = call.has(2) ? call.input(2) : converted(HostTensor::of<float>({}, {0}), a.type);
  if (c.type != a.type || broadcast_shape(call, c.shape, {m, n}) != Shape{m, n})
    throw call.error("C of shape " + to_string(c.shape) + " does not fit");
  const std::vector<Index> steps = broadcast_strides(c.shape, {m, n});
  HostTensor y = call.make(a.type, {m, n});
  call.work(static_cast<double>(y.size()) * static_cast<double>(k));
  with_number(y.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::same_as<T, bool>) {
      throw call.wrong_type(0);
    } else {
      T* to = y.view<T>().data();
      const T* more = c.view<T>().data();
      multiply(a.view<T>().data(), turn_a ? MatrixView{1, m} : MatrixView{k, 1}, b.view<T>().data(),
               turn_b ? MatrixView{1, k} : MatrixView{n, 1}, m, k, n, [&](Index i, Index j, Accumulator<T> sum) {
                 const auto bias = static_cast<double>(more[i * steps[0] + j * steps[1]]);
                 *to++ = number_cast<T>(alpha * static_cast<double>(sum) + beta * bias);
               });
    }
  });
  return {y};
}

// By elimination with the largest pivot of each column.
double determinant(std::vector<double>& matrix, std::size_t n) {
  double product = 1;
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < n; ++row)
      if (std::abs(matrix[row * n + column]) > std::abs(matrix[pivot * n + column])) pivot = row;
    const double top = matrix[pivot * n + column];
    if (top == 0) return 0;
    if (pivot != column) {
      for (std::size_t i = 0; i < n; ++i) std::swap(matrix[pivot * n + i], matrix[column * n + i]);
      product = -product;
    }
    product *= top;
    for (std::size_t row = column + 1; row < n; ++row) {
      const double factor = matrix[row * n + column] / top;
      for (std::size_t i = column; i < n; ++i) matrix[row * n + i] -= factor * matrix[column * n + i];
    }
  }
  return product;
}

Tensors det(const Call& call) {
  const HostTensor& x = call.input(0);
  if (x.shape.size() < 2 || x.shape.back() != x.shape[x.shape.size() - 2] || !is_float(x.type))
    throw call.error("expects square matrices of floats, got " + to_string(x.shape));
  const auto n = static_cast<std::size_t>(x.shape.back());
  HostTensor y = call.make(x.type, Shape(x.shape.begin(), x.shape.end() - 2));
  call.work(static_cast<double>(x.size()) * static_cast<double>(n));
  const HostTensor wide = converted(x, ElementType::f64);
  std::vector<double> values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(y.size()); ++i) {
    const auto matrix = wide.view<double>().subspan(i * n * n, n * n);
    std::vector<double> copy(matrix.begin(), matrix.end());
    values.push_back(determinant(copy, n));
  }
  return {converted(HostTensor::of(y.shape, values), x.type)};
}

// ---- Einsum -------------------------------------------------------------------------------------------------------

/// A letter, or an axis that "..." stands for: 256 + its place from the back.
using Label = int;
constexpr Label first_ellipsis = 256;
constexpr double most_products = 1e12;

std::vector<Label> labels_of(const Call& call, const std::string& term, std::size_t rank) {
  std::vector<Label> labels;
  const auto letters = static_cast<std::size_t>(
      std::count_if(term.begin(), term.end(), [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }));
  const std::size_t hidden = rank - std::min(rank, letters);
  bool seen_dots = false;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (std::isalpha(static_cast<unsigned char>(term[i])) != 0) {
      labels.push_back(static_cast<unsigned char>(term[i]));
    } else if (term.compare(i, 3, "...") == 0 && !seen_dots) {
      for (std::size_t axis = hidden; axis-- > 0;) labels.push_back(first_ellipsis + static_cast<Label>(axis));
      seen_dots = true;
      i += 2;
    } else {
      throw call.error("cannot read the term '" + term + "' of its equation");
    }
  }
  return labels;
}

struct Equation {
  std::vector<std::vector<Label>> terms;
  std::vector<Label> output;
  std::map<Label, Index> sizes;
};

// Without "->" the output has the letters that stand once, in order, behind what "..." stands for.
std::vector<Label> implicit_output(const Equation& equation) {
  std::vector<Label> output;
  std::map<Label, int> uses;
  for (const auto& term : equation.terms)
    for (const Label label : term) ++uses[label];
  for (auto it = uses.rbegin(); it != uses.rend() && it->first >= first_ellipsis; ++it) output.push_back(it->first);
  for (const auto& [label, n] : uses)
    if (label < first_ellipsis && n == 1) output.push_back(label);
  return output;
}

Equation equation_of(const Call& call) {
  std::string text = call.node().text("equation", "");
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  const std::size_t arrow = text.find("->");
  std::string left = text.substr(0, arrow) + ",";
  Equation equation;
  for (int i = 0; !left.empty(); ++i) {
    const std::size_t comma = left.find(',');
    const Shape& shape = call.input(i).shape;
    equation.terms.push_back(labels_of(call, left.substr(0, comma), shape.size()));
    left.erase(0, comma + 1);
    const std::vector<Label>& term = equation.terms.back();
    if (term.size() != shape.size()) throw call.error("its equation does not fit the input " + to_string(shape));
    for (std::size_t axis = 0; axis < term.size(); ++axis) {
      Index& size = equation.sizes.emplace(term[axis], 1).first->second;
      if (size != 1 && shape[axis] != 1 && size != shape[axis])
        throw call.error("axes of one letter have sizes " + std::to_string(size) + " and " +
                         std::to_string(shape[axis]));
      if (shape[axis] != 1) size = shape[axis];
    }
  }
  if (static_cast<int>(equation.terms.size()) != call.n_inputs())
    throw call.error("has other inputs than its equation");
  if (arrow == std::string::npos) {
    equation.output = implicit_output(equation);
  } else {
    std::size_t hidden = 0;
    for (const auto& [label, size] : equation.sizes) hidden += label >= first_ellipsis ? 1 : 0;
    const std::string right = text.substr(arrow + 2);
    const bool dots = right.find("...") != std::string::npos;
    equation.output = labels_of(call, right, dots ? right.size() - 3 + hidden : right.size());
  }
  for (std::size_t i = 0; i < equation.output.size(); ++i)
    if (!equation.sizes.contains(equation.output[i]) ||
        std::count(equation.output.begin(), equation.output.end(), equation.output[i]) != 1)
      throw call.error("its output has a letter that no input has, or has it twice");
  return equation;
}

Tensors einsum(const Call& call) {
  const Equation equation = equation_of(call);
  // Axes of the output first, then those that are summed.
  std::vector<Label> order = equation.output;
  for (const auto& [label, size] : equation.sizes)
    if (std::find(order.begin(), order.end(), label) == order.end()) order.push_back(label);
  Shape walk;
  double cells = 1;
  for (const Label label : order) {
    walk.push_back(equation.sizes.at(label));
    cells *= static_cast<double>(walk.back());
  }
  const std::size_t n_outer = equation.output.size();
  HostTensor y =
      call.make(call.input(0).type, Shape(walk.begin(), walk.begin() + static_cast<std::ptrdiff_t>(n_outer)));
  call.work(cells * call.n_inputs());
  if (cells > most_products) throw call.error("adds too many products");
  std::vector<std::vector<Index>> strides;  // [input][axis of the walk]
  for (int i = 0; i < call.n_inputs(); ++i) {
    call.expect_type(i, y.type);
    const Shape& shape = call.input(i).shape;
    const std::vector<Index> own = row_major_strides(shape);
    strides.emplace_back(order.size(), 0);
    const std::vector<Label>& term = equation.terms[static_cast<std::size_t>(i)];
    for (std::size_t axis = 0; axis < term.size(); ++axis)
      if (shape[axis] != 1)
        strides.back()[static_cast<std::size_t>(std::find(order.begin(), order.end(), term[axis]) - order.begin())] +=
            own[axis];
  }
  with_number(y.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::same_as<T, bool>) {
      throw call.wrong_type(0);
    } else {
      using A = Accumulator<T>;
      std::vector<A> sums(y.view<T>().size(), A(0));
      const std::vector<Index> dense = row_major_strides(walk);
      const Index inner = volume(Shape(walk.begin() + static_cast<std::ptrdiff_t>(n_outer), walk.end()));
      for_each_cell<1>(walk, {dense}, [&](Index cell) {
        A product = 1;
        for (std::size_t i = 0; i < strides.size(); ++i) {
          Index place = 0;
          for (std::size_t axis = 0; axis < walk.size(); ++axis)
            place += cell / dense[axis] % walk[axis] * strides[i][axis];
          product = multiplied<A>(
              product, static_cast<A>(call.input(static_cast<int>(i)).view<T>()[static_cast<std::size_t>(place)]));
        }
        A& sum = sums[static_cast<std::size_t>(cell / inner)];
        sum = added<A>(sum, product);
      });
      std::transform(sums.begin(), sums.end(), y.view<T>().begin(), [](A sum) { return static_cast<T>(sum); });
    }
  });
  return {y};
}

}  // namespace

const Evaluations& matrix_evaluations() {
  static const Evaluations table = {{"Det", det}, {"Einsum", einsum}, {"Gemm", gemm}, {"MatMul", matmul}};
  return table;
}

}  // namespace strake::onnx_import
