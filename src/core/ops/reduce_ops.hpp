// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Operators that go along axes: reductions, the place of the largest value, softmax, running sums.

#include <vector>

#include "core/box.hpp"
#include "core/element_type.hpp"

namespace strake {

class OpRules;

enum class GenericReduceKind : unsigned char {
  sum,
  mean,
  max,
  min,
  prod,
  l1,           // sum of magnitudes
  l2,           // root of the sum of squares
  log_sum,      // log(sum(x))
  log_sum_exp,  // log(sum(exp(x)))
  sum_square,   //
  mean_square,  // with a centre: the variance
};

/// Reduction over any axes, which stay with size 1, added up in one order whatever is cut along other axes. With a
/// second input, which broadcasts to the first and has size 1 on `axes`, x - centre stands for x (floats only).
///
/// A mean of integers is rounded towards 0. Spatial sums and maxima of feature maps are lowered to ReduceRows instead.
struct Reduce {
  GenericReduceKind kind = GenericReduceKind::mean;
  std::vector<int> axes;
  static void fields(auto& self, auto&& visit) { visit(self.kind, self.axes); }
};
[[nodiscard]] Shape shape_of(const OpRules& rules, const Reduce& reduce);
[[nodiscard]] ElementType type_of(const OpRules& rules, const Reduce& reduce);
[[nodiscard]] std::vector<Box> reads(const OpRules& rules, const Reduce& reduce, const Box& dst);
[[nodiscard]] bool cuts_along(const OpRules& rules, const Reduce& reduce, std::size_t axis);
[[nodiscard]] int strip_axis(const OpRules& rules, const Reduce& reduce, const std::vector<int>& axes);

enum class ArgKind : unsigned char { max, min };
enum class ArgTie : unsigned char { first, last };

/// Place (i64) of the largest or smallest value along `axis`, which stays with size 1.
struct ArgReduce {
  ArgKind kind = ArgKind::max;
  int axis = 1;
  ArgTie tie = ArgTie::first;  // which place of equal values
  static void fields(auto& self, auto&& visit) { visit(self.kind, self.axis, self.tie); }
};
[[nodiscard]] Shape shape_of(const OpRules& rules, const ArgReduce& arg);
[[nodiscard]] ElementType type_of(const OpRules& rules, const ArgReduce& arg);
[[nodiscard]] std::vector<Box> reads(const OpRules& rules, const ArgReduce& arg, const Box& dst);
[[nodiscard]] bool cuts_along(const OpRules& rules, const ArgReduce& arg, std::size_t axis);

enum class SoftmaxKind : unsigned char {
  softmax,      // exp(x) / sum(exp(x))
  log_softmax,  // x - log(sum(exp(x)))
  hardmax,      // 1 at the first of the largest values, else 0
};

/// Along `axis`.
struct Softmax {
  int axis = 1;
  SoftmaxKind kind = SoftmaxKind::softmax;
  static void fields(auto& self, auto&& visit) { visit(self.axis, self.kind); }
};
[[nodiscard]] Shape shape_of(const OpRules& rules, const Softmax& softmax);
[[nodiscard]] ElementType type_of(const OpRules& rules, const Softmax& softmax);
[[nodiscard]] std::vector<Box> reads(const OpRules& rules, const Softmax& softmax, const Box& dst);
[[nodiscard]] bool cuts_along(const OpRules& rules, const Softmax& softmax, std::size_t axis);

enum class SumPlace : unsigned char { inclusive, exclusive };
enum class SumDirection : unsigned char { forward, backward };

/// out[i] = sum of in[0..i] along `axis`, without in[i] where exclusive, from the end where backward.
struct CumSum {
  int axis = 0;
  SumPlace place = SumPlace::inclusive;
  SumDirection direction = SumDirection::forward;
  static void fields(auto& self, auto&& visit) { visit(self.axis, self.place, self.direction); }
};
[[nodiscard]] Shape shape_of(const OpRules& rules, const CumSum& sum);
[[nodiscard]] std::vector<Box> reads(const OpRules& rules, const CumSum& sum, const Box& dst);
[[nodiscard]] bool cuts_along(const OpRules& rules, const CumSum& sum, std::size_t axis);

}  // namespace strake
