// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The shapes of pointwise loops. Only for the files that fill in the functions.

#include <type_traits>

#include "kernels/pointwise.hpp"

namespace strake::kernels {

template <class T>
const T* operand(const PointwisePiece& piece, int i) {
  return reinterpret_cast<const T*>(piece.src[i]);
}

/// dst = F{}(a)
template <class F, class Dst, class A>
void unary_loop(const PointwisePiece& piece) {
  const A* a = operand<A>(piece, 0);
  Dst* dst = reinterpret_cast<Dst*>(piece.dst);
  if (piece.src_step[0] == 1 && piece.dst_step == 1) {
    for (Index i = 0; i < piece.n; ++i) dst[i] = F{}(a[i]);
    return;
  }
  for (Index i = 0; i < piece.n; ++i) dst[i * piece.dst_step] = F{}(a[i * piece.src_step[0]]);
}

/// dst = F{}(a, b); compilers vectorise the cases in which an operand runs along or stands still.
template <class F, class Dst, class A, class B>
void binary_loop(const PointwisePiece& piece) {
  const A* a = operand<A>(piece, 0);
  const B* b = operand<B>(piece, 1);
  Dst* dst = reinterpret_cast<Dst*>(piece.dst);
  const Index sa = piece.src_step[0];
  const Index sb = piece.src_step[1];
  if (piece.dst_step == 1 && sa == 1 && sb == 1) {
    for (Index i = 0; i < piece.n; ++i) dst[i] = F{}(a[i], b[i]);
  } else if (piece.dst_step == 1 && sa == 1 && sb == 0) {
    const B same = *b;
    for (Index i = 0; i < piece.n; ++i) dst[i] = F{}(a[i], same);
  } else if (piece.dst_step == 1 && sa == 0 && sb == 1) {
    const A same = *a;
    for (Index i = 0; i < piece.n; ++i) dst[i] = F{}(same, b[i]);
  } else {
    for (Index i = 0; i < piece.n; ++i) dst[i * piece.dst_step] = F{}(a[i * sa], b[i * sb]);
  }
}

/// dst = F{}(a, b, c)
template <class F, class Dst, class A, class B, class C>
void ternary_loop(const PointwisePiece& piece) {
  const A* a = operand<A>(piece, 0);
  const B* b = operand<B>(piece, 1);
  const C* c = operand<C>(piece, 2);
  Dst* dst = reinterpret_cast<Dst*>(piece.dst);
  const Index sa = piece.src_step[0];
  const Index sb = piece.src_step[1];
  const Index sc = piece.src_step[2];
  if (piece.dst_step == 1 && sa == 1 && sb == 1 && sc == 1) {
    for (Index i = 0; i < piece.n; ++i) dst[i] = F{}(a[i], b[i], c[i]);
  } else if (piece.dst_step == 1 && sa == 1 && sb == 0 && sc == 0) {
    const B low = *b;
    const C high = *c;
    for (Index i = 0; i < piece.n; ++i) dst[i] = F{}(a[i], low, high);
  } else {
    for (Index i = 0; i < piece.n; ++i) dst[i * piece.dst_step] = F{}(a[i * sa], b[i * sb], c[i * sc]);
  }
}

template <class T>
inline constexpr bool is_number = !std::is_same_v<T, bool>;

}  // namespace strake::kernels
