// SPDX-License-Identifier: Apache-2.0
// Casts between all types.

#include "core/number_types.hpp"
#include "kernels/pointwise_loops.hpp"

namespace strake::kernels {

namespace {

template <class To>
struct CastTo {
  template <class From>
  To operator()(From x) const {
    return number_cast<To>(x);
  }
};

// Rounded to the values of a 16-bit type, but kept as a float.
template <class Small>
struct Through {
  template <class From>
  float operator()(From x) const {
    return static_cast<float>(number_cast<Small>(x));
  }
};

}  // namespace

PointwiseLoop cast_loop(ElementType from, ElementType to) {
  return with_type(from, [to]<class From>(std::type_identity<From>) -> PointwiseLoop {
    if (to == ElementType::f16) return unary_loop<Through<Half>, float, From>;
    if (to == ElementType::bf16) return unary_loop<Through<BFloat>, float, From>;
    return with_type(
        to, []<class To>(std::type_identity<To>) -> PointwiseLoop { return unary_loop<CastTo<To>, To, From>; });
  });
}

}  // namespace strake::kernels
