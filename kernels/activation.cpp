// SPDX-License-Identifier: Apache-2.0
#include "kernels/activation.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/multiversion.hpp"

namespace strake::kernels {

namespace {

inline float clamp(float x, float low, float high) { return std::min(std::max(x, low), high); }

// Branch-free, and free of calls, so that loops over it vectorise.
inline float exp_of(float x) {
  const float bounded = clamp(x, -87.33F, 88.72F);
  // floor(v) for |v| < 2^22 without an instruction that the baseline lacks: adding 1.5 * 2^23 rounds to nearest.
  constexpr float magic = 12582912.0F;
  const float n = (bounded * 1.44269504088896341F + magic) - magic;
  const float r = bounded - n * 0.693359375F - n * -2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  // 2^n in two halves: n may be 128, which has no float of its own.
  const auto whole_n = static_cast<std::int32_t>(n);
  const std::int32_t half = whole_n >> 1;
  const float low = std::bit_cast<float>((half + 127) << 23);
  const float high = std::bit_cast<float>((whole_n - half + 127) << 23);
  return p * low * high;
}

inline float sigmoid_of(float x) { return 1.0F / (1.0F + exp_of(-x)); }

inline float tanh_of(float x) {
  // Cephes tanhf: a polynomial near 0, where 1 - 2 / (e^2x + 1) would cancel.
  const float magnitude = std::abs(x);
  const float z = x * x;
  const float near =
      ((((-5.70498872745e-3F * z + 2.06390887954e-2F) * z - 5.37397155531e-2F) * z + 1.33314422036e-1F) * z -
       3.33332819422e-1F) *
          z * x +
      x;
  const float far = 1.0F - 2.0F / (exp_of(2.0F * magnitude) + 1.0F);
  return magnitude < 0.625F ? near : std::copysign(far, x);
}

inline float erf_of(float x) {
  // Within 2 ulp. Source: N. Juffa, "Faster and more accurate erff()", NVIDIA forums and Stack Overflow 35148198.
  const float magnitude = std::abs(x);
  const float z = x * x;
  float near = -5.96761703e-4F;
  near = near * z + 4.99119423e-3F;
  near = near * z - 2.67681349e-2F;
  near = near * z + 1.12819925e-1F;
  near = near * z - 3.76125336e-1F;
  near = near * z + 1.28379166e-1F;
  near = near * x + x;
  float far = -1.72853470e-5F * magnitude + 3.83197126e-4F;
  far = far * z + (-3.88396438e-3F * magnitude + 2.42546219e-2F);
  far = far * magnitude - 1.06777877e-1F;
  far = far * magnitude - 6.34846687e-1F;
  far = far * magnitude - 1.28717512e-1F;
  far = far * magnitude - magnitude;
  far = 1.0F - exp_of(far);
  return magnitude < 0.927734375F ? near : std::copysign(far, x);
}

inline float gelu_tanh_of(float x) {
  constexpr float root = 0.797884560803F;  // sqrt(2 / pi)
  return 0.5F * x * (1.0F + tanh_of(root * (x + 0.044715F * x * x * x)));
}

inline float mish_of(float x) {
  // tanh(log(1 + n)) = (n^2 + 2 n) / (n^2 + 2 n + 2) for n = exp(x); beyond 20 it is 1.
  const float n = exp_of(std::min(x, 20.0F));
  const float m = n * (n + 2.0F);
  return x * (m / (m + 2.0F));
}

// exp(x) - 1 for x <= 0, without the cancellation near 0 where the series is short.
inline float exp_minus_one(float x) {
  const float near = x * (1.0F + x * (0.5F + x * (1.0F / 6.0F + x * (1.0F / 24.0F + x * (1.0F / 120.0F)))));
  return x > -0.25F ? near : exp_of(x) - 1.0F;
}

#define STRAKE_LOOP(name, expression)                                                     \
  STRAKE_MULTIVERSION void name(const float* in, float* out, Index n, float a, float b) { \
    (void)a;                                                                              \
    (void)b;                                                                              \
    for (Index i = 0; i < n; ++i) {                                                       \
      const float x = in[i];                                                              \
      out[i] = expression;                                                                \
    }                                                                                     \
  }

STRAKE_LOOP(loop_relu, x > 0 ? x : 0.0F)
STRAKE_LOOP(loop_leaky_relu, x < 0 ? a * x : x)
STRAKE_LOOP(loop_clip, clamp(x, a, b))
STRAKE_LOOP(loop_sigmoid, sigmoid_of(x))
STRAKE_LOOP(loop_tanh, tanh_of(x))
STRAKE_LOOP(loop_swish, x* sigmoid_of(a* x))
STRAKE_LOOP(loop_hard_sigmoid, clamp(a* x + b, 0.0F, 1.0F))
STRAKE_LOOP(loop_hard_swish, x* clamp(x + 3.0F, 0.0F, 6.0F) / 6.0F)
STRAKE_LOOP(loop_elu, x < 0 ? a * (exp_of(x) - 1.0F) : x)
STRAKE_LOOP(loop_exp, exp_of(x))
STRAKE_LOOP(loop_sqrt, std::sqrt(x))
STRAKE_LOOP(loop_abs, std::abs(x))
STRAKE_LOOP(loop_reciprocal, 1.0F / x)
STRAKE_LOOP(loop_linear, a* x + b)
STRAKE_LOOP(loop_floor, std::floor(x))
STRAKE_LOOP(loop_ceil, std::ceil(x))
STRAKE_LOOP(loop_round, std::nearbyint(x))
STRAKE_LOOP(loop_sign, x > 0 ? 1.0F : (x < 0 ? -1.0F : x))
STRAKE_LOOP(loop_erf, erf_of(x))
STRAKE_LOOP(loop_gelu, 0.5F * x * (1.0F + erf_of(x * 0.707106781187F)))
STRAKE_LOOP(loop_gelu_tanh, gelu_tanh_of(x))
STRAKE_LOOP(loop_mish, mish_of(x))
STRAKE_LOOP(loop_selu, b*(x > 0 ? x : a * exp_minus_one(std::min(x, 0.0F))))
STRAKE_LOOP(loop_celu, x > 0 ? x : a * exp_minus_one(std::min(x, 0.0F) / a))
STRAKE_LOOP(loop_softsign, x / (1.0F + std::abs(x)))
STRAKE_LOOP(loop_thresholded_relu, x > a ? x : 0.0F)
STRAKE_LOOP(loop_shrink, x < -a ? x + b : (x > a ? x - b : 0.0F))
// These call the C library for each element.
STRAKE_LOOP(loop_log, std::log(x))
STRAKE_LOOP(loop_softplus, x > 20.0F ? x : std::log1p(std::exp(x)))

STRAKE_LOOP(loop_sin, std::sin(x))
STRAKE_LOOP(loop_cos, std::cos(x))
STRAKE_LOOP(loop_tan, std::tan(x))
STRAKE_LOOP(loop_asin, std::asin(x))
STRAKE_LOOP(loop_acos, std::acos(x))
STRAKE_LOOP(loop_atan, std::atan(x))
STRAKE_LOOP(loop_sinh, std::sinh(x))
STRAKE_LOOP(loop_cosh, std::cosh(x))
STRAKE_LOOP(loop_asinh, std::asinh(x))
STRAKE_LOOP(loop_acosh, std::acosh(x))
STRAKE_LOOP(loop_atanh, std::atanh(x))

#undef STRAKE_LOOP

}  // namespace

float fast_exp(float x) { return exp_of(x); }

void apply(const Activation& function, const float* in, float* out, Index n) {
  const float a = function.alpha;
  const float b = function.beta;
  switch (function.kind) {
    case ActivationKind::relu:
      return loop_relu(in, out, n, a, b);
    case ActivationKind::leaky_relu:
      return loop_leaky_relu(in, out, n, a, b);
    case ActivationKind::clip:
      return loop_clip(in, out, n, a, b);
    case ActivationKind::sigmoid:
      return loop_sigmoid(in, out, n, a, b);
    case ActivationKind::tanh:
      return loop_tanh(in, out, n, a, b);
    case ActivationKind::swish:
      return loop_swish(in, out, n, a, b);
    case ActivationKind::hard_sigmoid:
      return loop_hard_sigmoid(in, out, n, a, b);
    case ActivationKind::hard_swish:
      return loop_hard_swish(in, out, n, a, b);
    case ActivationKind::elu:
      return loop_elu(in, out, n, a, b);
    case ActivationKind::softplus:
      return loop_softplus(in, out, n, a, b);
    case ActivationKind::exp:
      return loop_exp(in, out, n, a, b);
    case ActivationKind::log:
      return loop_log(in, out, n, a, b);
    case ActivationKind::sqrt:
      return loop_sqrt(in, out, n, a, b);
    case ActivationKind::abs:
      return loop_abs(in, out, n, a, b);
    case ActivationKind::neg:
      return loop_linear(in, out, n, -1.0F, 0.0F);
    case ActivationKind::reciprocal:
      return loop_reciprocal(in, out, n, a, b);
    case ActivationKind::floor:
      return loop_floor(in, out, n, a, b);
    case ActivationKind::ceil:
      return loop_ceil(in, out, n, a, b);
    case ActivationKind::linear:
      return loop_linear(in, out, n, a, b);
    case ActivationKind::round:
      return loop_round(in, out, n, a, b);
    case ActivationKind::sign:
      return loop_sign(in, out, n, a, b);
    case ActivationKind::erf:
      return loop_erf(in, out, n, a, b);
    case ActivationKind::gelu:
      return loop_gelu(in, out, n, a, b);
    case ActivationKind::gelu_tanh:
      return loop_gelu_tanh(in, out, n, a, b);
    case ActivationKind::mish:
      return loop_mish(in, out, n, a, b);
    case ActivationKind::selu:
      return loop_selu(in, out, n, a, b);
    case ActivationKind::celu:
      return loop_celu(in, out, n, a, b);
    case ActivationKind::softsign:
      return loop_softsign(in, out, n, a, b);
    case ActivationKind::thresholded_relu:
      return loop_thresholded_relu(in, out, n, a, b);
    case ActivationKind::shrink:
      return loop_shrink(in, out, n, a, b);
    case ActivationKind::sin:
      return loop_sin(in, out, n, a, b);
    case ActivationKind::cos:
      return loop_cos(in, out, n, a, b);
    case ActivationKind::tan:
      return loop_tan(in, out, n, a, b);
    case ActivationKind::asin:
      return loop_asin(in, out, n, a, b);
    case ActivationKind::acos:
      return loop_acos(in, out, n, a, b);
    case ActivationKind::atan:
      return loop_atan(in, out, n, a, b);
    case ActivationKind::sinh:
      return loop_sinh(in, out, n, a, b);
    case ActivationKind::cosh:
      return loop_cosh(in, out, n, a, b);
    case ActivationKind::asinh:
      return loop_asinh(in, out, n, a, b);
    case ActivationKind::acosh:
      return loop_acosh(in, out, n, a, b);
    case ActivationKind::atanh:
      return loop_atanh(in, out, n, a, b);
  }
}

void apply(const std::vector<PostOp>& post_ops, float* values, Index n) {
  for (const PostOp& post_op : post_ops)
    if (const auto* function = std::get_if<Activation>(&post_op)) apply(*function, values, values, n);
}

}  // namespace strake::kernels
