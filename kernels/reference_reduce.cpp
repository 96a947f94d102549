// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "kernels/reference_scope.hpp"

namespace strake::kernels {

namespace {

// The values of the first input along `axes` at `dst`, in row-major order.
std::vector<double> values_along(const Scope& s, const std::vector<int>& axes, Indices dst) {
  const Shape& shape = s.shape(0);
  for (const int axis : axes) dst[static_cast<std::size_t>(axis)] = 0;
  std::vector<int> order = axes;
  std::sort(order.begin(), order.end(), std::greater<>());
  std::vector<double> values;
  while (true) {
    values.push_back(static_cast<double>(s.number(0, dst)));
    std::size_t i = 0;
    for (; i < order.size(); ++i) {
      const auto axis = static_cast<std::size_t>(order[i]);
      if (++dst[axis] < shape[axis]) break;
      dst[axis] = 0;
    }
    if (i == order.size()) return values;
  }
}

double operand(const Scope& s, std::size_t input, const Indices& dst) {
  return static_cast<double>(s.broadcast_number(input, dst));
}

double sum_of(const std::vector<double>& values, const std::function<double(double)>& term) {
  double sum = 0;
  for (const double value : values) sum += term(value);
  return sum;
}

double square(double x) { return x * x; }
double same(double x) { return x; }

double reduced_at(const Scope& s, const Reduce& reduce, const Indices& dst) {
  std::vector<double> values = values_along(s, reduce.axes, dst);
  if (s.op.inputs.size() > 1)
    for (double& value : values) value -= operand(s, 1, dst);
  const double largest = *std::max_element(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  switch (reduce.kind) {
    case GenericReduceKind::sum:
      return sum_of(values, same);
    case GenericReduceKind::mean:
      return sum_of(values, same) / count;
    case GenericReduceKind::max:
      return largest;
    case GenericReduceKind::min:
      return *std::min_element(values.begin(), values.end());
    case GenericReduceKind::prod: {
      double product = 1;
      for (const double value : values) product *= value;
      return product;
    }
    case GenericReduceKind::l1:
      return sum_of(values, [](double x) { return std::abs(x); });
    case GenericReduceKind::l2:
      return std::sqrt(sum_of(values, square));
    case GenericReduceKind::log_sum:
      return std::log(sum_of(values, same));
    case GenericReduceKind::log_sum_exp:
      return largest + std::log(sum_of(values, [largest](double x) { return std::exp(x - largest); }));
    case GenericReduceKind::sum_square:
      return sum_of(values, square);
    case GenericReduceKind::mean_square:
      return sum_of(values, square) / count;
  }
  return 0;
}

double place_at(const Scope& s, const ArgReduce& arg, const Indices& dst) {
  const std::vector<double> values = values_along(s, {arg.axis}, dst);
  std::size_t best = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const bool better = arg.kind == ArgKind::max ? values[i] > values[best] : values[i] < values[best];
    if (better || (arg.tie == ArgTie::last && values[i] == values[best])) best = i;
  }
  return static_cast<double>(best);
}

double running_sum_at(const Scope& s, const CumSum& sum, const Indices& dst) {
  const std::vector<double> values = values_along(s, {sum.axis}, dst);
  const Index at = dst[static_cast<std::size_t>(sum.axis)];
  double total = 0;
  for (Index i = 0; i < static_cast<Index>(values.size()); ++i) {
    const bool before = sum.direction == SumDirection::forward ? i < at : i > at;
    if (before || (i == at && sum.place == SumPlace::inclusive)) total += values[static_cast<std::size_t>(i)];
  }
  return total;
}

double softmax_at(const Scope& s, const Softmax& softmax, const Indices& dst) {
  const std::vector<double> values = values_along(s, {softmax.axis}, dst);
  const auto place = std::max_element(values.begin(), values.end());
  const double x = static_cast<double>(s.number(0, dst));
  const double sum = sum_of(values, [&](double value) { return std::exp(value - *place); });
  switch (softmax.kind) {
    case SoftmaxKind::softmax:
      return std::exp(x - *place) / sum;
    case SoftmaxKind::log_softmax:
      return x - *place - std::log(sum);
    case SoftmaxKind::hardmax:
      return place - values.begin() == dst[static_cast<std::size_t>(softmax.axis)] ? 1 : 0;
  }
  return 0;
}

double normalized_at(const Scope& s, const Normalize& normalize, const Indices& dst) {
  const auto given = [&](std::size_t input, double otherwise) {
    return input < s.op.inputs.size() ? operand(s, input, dst) : otherwise;
  };
  const double deviation = std::sqrt(given(2, 0) + static_cast<double>(normalize.epsilon));
  return (given(0, 0) - given(1, 0)) / deviation * given(3, 1) + given(4, 0);
}

double matmul_at(const Scope& s, const Indices& dst) {
  const std::size_t n = dst.size();
  double sum = 0;
  for (Index k = 0; k < s.shape(0).back(); ++k) {
    Indices row = dst;
    row[n - 1] = k;
    Indices column = dst;
    column[n - 2] = k;
    sum += operand(s, 0, row) * operand(s, 1, column);
  }
  return sum;
}

GenericReduceKind kind_of(ReduceKind kind) {
  return kind == ReduceKind::sum ? GenericReduceKind::sum : GenericReduceKind::max;
}

}  // namespace

std::optional<long double> along_at(const Scope& s, const Indices& o) {
  const Op& op = s.op;
  if (const auto* rows = as<ReduceRows>(op)) return reduced_at(s, {kind_of(rows->kind), {3}}, o);
  if (const auto* parts = as<ReduceParts>(op))
    return static_cast<double>(parts->scale) * reduced_at(s, {kind_of(parts->kind), {2}}, o);
  if (const auto* reduce = as<Reduce>(op)) return reduced_at(s, *reduce, o);
  if (const auto* arg = as<ArgReduce>(op)) return place_at(s, *arg, o);
  if (const auto* sum = as<CumSum>(op)) return running_sum_at(s, *sum, o);
  if (const auto* softmax = as<Softmax>(op)) return softmax_at(s, *softmax, o);
  if (const auto* normalize = as<Normalize>(op)) return normalized_at(s, *normalize, o);
  if (as<MatMul>(op) != nullptr) return matmul_at(s, o);
  return std::nullopt;
}

}  // namespace strake::kernels
