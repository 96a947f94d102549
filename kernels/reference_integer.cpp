// SPDX-License-Identifier: Apache-2.0
// Quantised numbers. Scaled values are floats, since what they round to depends on it.

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/reference_scope.hpp"

namespace strake::kernels {

namespace {

Index weight_at(const Scope& s, WeightId id, Index place) {
  if (id == no_weight) return 0;
  const Weight& weight = s.graph.weight(id);
  if (volume(weight.shape) == 1) place = 0;
  return with_type(weight.type, [&]<class T>(std::type_identity<T>) {
    return static_cast<Index>(reinterpret_cast<const T*>(weight.values.data())[place]);
  });
}

std::int32_t sum_at(const Scope& s, const IntegerConv& conv, const Indices& o) {
  const Index n_in = s.shape(0)[1] / conv.groups;
  const Index first = o[1] / (s.op.shape[1] / conv.groups) * n_in;
  const Index weight_zero = weight_at(s, conv.weight_zeros, o[1]);
  const auto zero = static_cast<Index>(s.number(1, Indices(s.shape(1).size(), 0)));
  Index sum = weight_at(s, conv.bias, o[1]);
  for (Index ky = 0; ky < conv.window.h.kernel; ++ky)
    for (Index kx = 0; kx < conv.window.w.kernel; ++kx) {
      const Index y = o[2] * conv.window.h.stride - conv.window.h.pad_begin + ky * conv.window.h.dilation;
      const Index x = o[3] * conv.window.w.stride - conv.window.w.pad_begin + kx * conv.window.w.dilation;
      if (y < 0 || y >= s.shape(0)[2] || x < 0 || x >= s.shape(0)[3]) continue;
      for (Index i = 0; i < n_in; ++i) {
        const Index place = ((o[1] * n_in + i) * conv.window.h.kernel + ky) * conv.window.w.kernel + kx;
        sum += (static_cast<Index>(s.number(0, {o[0], first + i, y, x})) - zero) *
               (weight_at(s, conv.weights, place) - weight_zero);
      }
    }
  return static_cast<std::int32_t>(sum);
}

float with_residual(const Scope& s, const QuantizedResidual& residual, const Indices& o, float v) {
  if (residual.step != 0) v = std::nearbyint(std::clamp(v, residual.low, residual.high)) * residual.step;
  return v + (s.at(2, o) - residual.zero) * residual.scale;
}

float scaled_at(const Scope& s, const IntegerConv& conv, const Indices& o) {
  float v = static_cast<float>(sum_at(s, conv, o)) * s.weight(conv.scale, o[1]);
  v += conv.shift == no_weight ? 0.0F : s.weight(conv.shift, o[1]);
  if (!conv.residuals.empty()) v = with_residual(s, conv.residuals.front(), o, v);
  if (conv.to != ElementType::f32) v = std::nearbyint(v) + conv.zero;
  return std::clamp(v, conv.low, conv.high);
}

}  // namespace

float quantized(ElementType type, float x, float scale, float zero) {
  return with_type(type, [&]<class T>(std::type_identity<T>) {
    const auto low = static_cast<float>(std::numeric_limits<T>::lowest());
    const auto high = static_cast<float>(std::numeric_limits<T>::max());
    const float v = std::nearbyint(x / scale) + zero;
    return std::isnan(v) ? low : std::clamp(v, low, high);
  });
}

std::optional<long double> integer_at(const Scope& s, const Indices& o) {
  const auto* conv = as<IntegerConv>(s.op);
  if (conv == nullptr) return std::nullopt;
  return conv->scale == no_weight ? static_cast<long double>(sum_at(s, *conv, o)) : scaled_at(s, *conv, o);
}

}  // namespace strake::kernels
