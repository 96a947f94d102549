// SPDX-License-Identifier: Apache-2.0
// Reductions over axes, and functions of all elements along one axis.

#include <algorithm>
#include <cmath>
#include <limits>

#include "onnx/evaluate/loops.hpp"

namespace strake::onnx_import {

namespace {

/// Sums of floats are made in double.
template <class T>
using Accumulator = std::conditional_t<is_float_number<T>, double, T>;

/// Which axes are reduced, and what is left.
struct Reduced {
  std::vector<bool> gone;
  Shape kept_dims;  // 1 on the axes that are gone
  Shape shape;      // as the node wants it
  Index count = 1;  // elements that become one
};

Reduced reduced(const Call& call, const std::optional<std::vector<std::int64_t>>& axes, bool all_if_empty) {
  const Shape& shape = call.input(0).shape;
  const bool empty = !axes || axes->empty();
  Reduced r{.gone = std::vector<bool>(shape.size(), empty && all_if_empty), .kept_dims = {}, .shape = {}, .count = 1};
  if (!empty)
    for (const std::int64_t axis : *axes)
      r.gone[static_cast<std::size_t>(axis_of(call.node(), axis, shape.size()))] = true;
  const bool keep = call.node().integer("keepdims", 1) != 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    r.kept_dims.push_back(r.gone[axis] ? 1 : shape[axis]);
    if (r.gone[axis]) r.count *= shape[axis];
    if (!r.gone[axis] || keep) r.shape.push_back(r.kept_dims.back());
  }
  return r;
}

// Calls step(output place, element) for each element in order.
template <class T, class Step>
void for_each_element(const HostTensor& x, const Reduced& r, Step step) {
  const T* from = x.view<T>().data();
  for_each_cell<1>(x.shape, {broadcast_strides(r.kept_dims, x.shape)},
                   [&](Index place) { step(static_cast<std::size_t>(place), *from++); });
}

struct SumOf {
  template <class A>
  static A start() {
    return A(0);
  }
  template <class A>
  static A step(A sum, A x) {
    return added(sum, x);
  }
  template <class A>
  static A finish(A sum, Index) {
    return sum;
  }
};
struct MeanOf : SumOf {
  template <class A>
  static A finish(A sum, Index n) {
    return divided(sum, number_cast<A>(n));
  }
};
struct ProductOf : SumOf {
  template <class A>
  static A start() {
    return A(1);
  }
  template <class A>
  static A step(A product, A x) {
    return multiplied(product, x);
  }
};
struct SumOfMagnitudes : SumOf {
  template <class A>
  static A step(A sum, A x) {
    return added(sum, x < A(0) ? subtracted(A(0), x) : x);
  }
};
struct SumOfSquares : SumOf {
  template <class A>
  static A step(A sum, A x) {
    return added(sum, multiplied(x, x));
  }
};
struct RootOfSquares : SumOfSquares {
  template <class A>
  static A finish(A sum, Index) {
    return number_cast<A>(std::sqrt(static_cast<double>(sum)));
  }
};
struct LogOfSum : SumOf {
  template <class A>
  static A finish(A sum, Index) {
    return number_cast<A>(std::log(static_cast<double>(sum)));
  }
};
struct Largest : SumOf {
  template <class A>
  static A start() {
    return std::numeric_limits<A>::has_infinity ? -std::numeric_limits<A>::infinity() : std::numeric_limits<A>::min();
  }
  template <class A>
  static A step(A best, A x) {
    return larger(best, x);
  }
};
struct Smallest : SumOf {
  template <class A>
  static A start() {
    return std::numeric_limits<A>::has_infinity ? std::numeric_limits<A>::infinity() : std::numeric_limits<A>::max();
  }
  template <class A>
  static A step(A best, A x) {
    return smaller(best, x);
  }
};

template <class R>
HostTensor reduce_by(const Call& call, const Reduced& r) {
  const HostTensor& x = call.input(0);
  HostTensor y = call.make(x.type, r.shape);
  call.work(static_cast<double>(x.size()));
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    using A = Accumulator<T>;
    // Booleans stand for themselves in the largest and the smallest only.
    if constexpr (std::same_as<T, bool> && !std::same_as<R, Largest> && !std::same_as<R, Smallest>) {
      throw call.wrong_type(0);
    } else {
      std::vector<A> sums(y.view<T>().size(), R::template start<A>());
      for_each_element<T>(x, r, [&](std::size_t place, T value) {
        sums[place] = R::step(static_cast<A>(sums[place]), static_cast<A>(value));
      });
      std::transform(sums.begin(), sums.end(), y.view<T>().begin(),
                     [&](A sum) { return static_cast<T>(R::finish(sum, r.count)); });
    }
  });
  return y;
}

Reduced reduced_by_attributes(const Call& call) {
  return reduced(call, call.integers("axes", 1), call.node().integer("noop_with_empty_axes", 0) == 0);
}

bool reduces_nothing(const Reduced& r) {
  return std::none_of(r.gone.begin(), r.gone.end(), [](bool one) { return one; });
}

template <class R>
Tensors reduce(const Call& call) {
  const Reduced r = reduced_by_attributes(call);
  const bool noop = call.node().integer("noop_with_empty_axes", 0) != 0 && reduces_nothing(r);
  if (noop) return {call.input(0)};
  return {reduce_by<R>(call, r)};
}

// log(sum(exp(x))), shifted by the largest so that nothing overflows.
Tensors log_sum_exp(const Call& call) {
  const Reduced r = reduced_by_attributes(call);
  const HostTensor& x = call.input(0);
  const HostTensor top = reduce_by<Largest>(call, r);
  HostTensor y = call.make(x.type, r.shape);
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::same_as<T, bool>) {
      throw call.wrong_type(0);
    } else {
      std::vector<double> shift;
      for (const T value : top.view<T>())
        shift.push_back(std::isfinite(static_cast<double>(value)) ? static_cast<double>(value) : 0);
      std::vector<double> sums(shift.size(), 0);
      for_each_element<T>(x, r, [&](std::size_t place, T value) {
        sums[place] += std::exp(static_cast<double>(value) - shift[place]);
      });
      for (std::size_t i = 0; i < sums.size(); ++i) y.view<T>()[i] = number_cast<T>(std::log(sums[i]) + shift[i]);
    }
  });
  return {y};
}

// The index of the largest or smallest element along an axis; a NaN is both.
template <bool largest>
Tensors arg(const Call& call) {
  const HostTensor& x = call.input(0);
  const std::size_t axis = call.axis(0, x.shape.size());
  const Reduced r = reduced(call, std::vector<std::int64_t>{static_cast<std::int64_t>(axis)}, false);
  const bool last = call.node().integer("select_last_index", 0) != 0;
  const Around sizes = around(x.shape, axis);
  HostTensor y = call.make(ElementType::i64, r.shape);
  if (sizes.size == 0) throw call.error("has no elements along axis " + std::to_string(axis));
  call.work(static_cast<double>(x.size()));
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    std::int64_t* to = y.view<std::int64_t>().data();
    for (Index outer = 0; outer < sizes.outer; ++outer)
      for (Index inner = 0; inner < sizes.inner; ++inner) {
        const T* line = x.view<T>().data() + outer * sizes.size * sizes.inner + inner;
        Index best = 0;
        for (Index i = 1; i < sizes.size; ++i) {
          const auto value = static_cast<Wide<T>>(line[i * sizes.inner]);
          const auto old = static_cast<Wide<T>>(line[best * sizes.inner]);
          const bool better = is_nan(value) ? !is_nan(old) : largest ? value > old : value < old;
          if (better || (last && (value == old || (is_nan(value) && is_nan(old))))) best = i;
        }
        *to++ = best;
      }
  });
  return {y};
}

// ---- along one axis -----------------------------------------------------------------------------------------------

Tensors cumulative_sum(const Call& call) {
  const HostTensor& x = call.input(0);
  (void)call.scalar(1);
  const auto axis = static_cast<std::size_t>(axis_of(call.node(), call.integers(1).front(), x.shape.size()));
  const bool exclusive = call.node().integer("exclusive", 0) != 0;
  const bool reverse = call.node().integer("reverse", 0) != 0;
  const Around sizes = around(x.shape, axis);
  HostTensor y = call.make(x.type, x.shape);
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::same_as<T, bool>) {
      throw call.wrong_type(0);
    } else {
      for (Index outer = 0; outer < sizes.outer; ++outer)
        for (Index inner = 0; inner < sizes.inner; ++inner) {
          Wide<T> sum = 0;
          for (Index step = 0; step < sizes.size; ++step) {
            const Index i = reverse ? sizes.size - 1 - step : step;
            const auto place = static_cast<std::size_t>((outer * sizes.size + i) * sizes.inner + inner);
            const Wide<T> next = added<Wide<T>>(sum, static_cast<Wide<T>>(x.view<T>()[place]));
            y.view<T>()[place] = static_cast<T>(exclusive ? sum : next);
            sum = next;
          }
        }
    }
  });
  return {y};
}

enum class Maximum : unsigned char { soft, log_soft, hard };

template <class T>
void maximum_of_line(Maximum kind, const T* x, T* y, Index n, Index step) {
  double top = -std::numeric_limits<double>::infinity();
  Index place = 0;
  for (Index i = 0; i < n; ++i)
    if (static_cast<double>(x[i * step]) > top) {
      top = static_cast<double>(x[i * step]);
      place = i;
    }
  double sum = 0;
  for (Index i = 0; i < n && kind != Maximum::hard; ++i) sum += std::exp(static_cast<double>(x[i * step]) - top);
  for (Index i = 0; i < n; ++i) {
    const double shifted = static_cast<double>(x[i * step]) - top;
    const double value = kind == Maximum::hard   ? (i == place ? 1 : 0)
                         : kind == Maximum::soft ? std::exp(shifted) / sum
                                                 : shifted - std::log(sum);
    y[i * step] = static_cast<T>(value);
  }
}

// Before opset 13 everything from the axis on counts as one.
template <Maximum kind>
Tensors maximum(const Call& call) {
  const HostTensor& x = call.input(0);
  const bool flat = call.node().opset() < 13;
  const std::size_t axis = call.axis(flat ? 1 : -1, x.shape.size());
  Around sizes = around(x.shape, axis);
  if (flat) {
    sizes.size *= sizes.inner;
    sizes.inner = 1;
  }
  HostTensor y = call.make(x.type, x.shape);
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (is_float_number<T>)
      for (Index outer = 0; outer < sizes.outer; ++outer)
        for (Index inner = 0; inner < sizes.inner; ++inner) {
          const Index first = outer * sizes.size * sizes.inner + inner;
          maximum_of_line(kind, x.view<T>().data() + first, y.view<T>().data() + first, sizes.size, sizes.inner);
        }
    else
      throw call.wrong_type(0);
  });
  return {y};
}

}  // namespace

const Evaluations& reduce_evaluations() {
  static const Evaluations table = {{"ArgMax", arg<true>},
                                    {"ArgMin", arg<false>},
                                    {"CumSum", cumulative_sum},
                                    {"Hardmax", maximum<Maximum::hard>},
                                    {"LogSoftmax", maximum<Maximum::log_soft>},
                                    {"ReduceL1", reduce<SumOfMagnitudes>},
                                    {"ReduceL2", reduce<RootOfSquares>},
                                    {"ReduceLogSum", reduce<LogOfSum>},
                                    {"ReduceLogSumExp", log_sum_exp},
                                    {"ReduceMax", reduce<Largest>},
                                    {"ReduceMean", reduce<MeanOf>},
                                    {"ReduceMin", reduce<Smallest>},
                                    {"ReduceProd", reduce<ProductOf>},
                                    {"ReduceSum", reduce<SumOf>},
                                    {"ReduceSumSquare", reduce<SumOfSquares>},
                                    {"Softmax", maximum<Maximum::soft>}};
  return table;
}

}  // namespace strake::onnx_import
