// SPDX-License-Identifier: Apache-2.0
// Functions of one element. Each is a struct; one that has attributes takes them from the node.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "onnx/evaluate/loops.hpp"

namespace strake::onnx_import {

namespace {

/// Types that a function takes: floats only, or all but booleans.
enum class UnaryTakes : unsigned char { floats, numbers };

template <class F>
F made(const Node& node) {
  if constexpr (std::is_constructible_v<F, const Node&>)
    return F(node);
  else
    return F{};
}

template <class F, UnaryTakes takes = UnaryTakes::floats>
Tensors unary(const Call& call) {
  const HostTensor& x = call.input(0);
  HostTensor y = call.make(x.type, x.shape);
  const F f = made<F>(call.node());
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (is_float_number<T> || (takes == UnaryTakes::numbers && !std::same_as<T, bool>)) {
      const auto from = x.view<T>();
      std::transform(from.begin(), from.end(), y.view<T>().begin(),
                     [&f](T value) { return static_cast<T>(f(static_cast<Wide<T>>(value))); });
    } else {
      throw call.wrong_type(0);
    }
  });
  return {y};
}

// A function of the standard library.
#define STRAKE_FUNCTION(Name, function) \
  struct Name {                         \
    template <class T>                  \
    T operator()(T x) const {           \
      return std::function(x);          \
    }                                   \
  }
STRAKE_FUNCTION(Acos, acos);
STRAKE_FUNCTION(Acosh, acosh);
STRAKE_FUNCTION(Asin, asin);
STRAKE_FUNCTION(Asinh, asinh);
STRAKE_FUNCTION(Atan, atan);
STRAKE_FUNCTION(Atanh, atanh);
STRAKE_FUNCTION(Ceil, ceil);
STRAKE_FUNCTION(Cos, cos);
STRAKE_FUNCTION(Cosh, cosh);
STRAKE_FUNCTION(Erf, erf);
STRAKE_FUNCTION(Exp, exp);
STRAKE_FUNCTION(Floor, floor);
STRAKE_FUNCTION(Log, log);
STRAKE_FUNCTION(Round, nearbyint);  // ONNX rounds to even, as the default mode does
STRAKE_FUNCTION(Sin, sin);
STRAKE_FUNCTION(Sinh, sinh);
STRAKE_FUNCTION(Sqrt, sqrt);
STRAKE_FUNCTION(Tan, tan);
STRAKE_FUNCTION(Tanh, tanh);
#undef STRAKE_FUNCTION

struct Abs {
  template <class T>
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) return std::abs(x);
    return x < T(0) ? subtracted(T(0), x) : x;
  }
};

struct Neg {
  template <class T>
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) return -x;
    return subtracted(T(0), x);
  }
};

struct Sign {
  template <class T>
  T operator()(T x) const {
    if (is_nan(x)) return x;
    return static_cast<T>(static_cast<T>(x > T(0)) - static_cast<T>(x < T(0)));
  }
};

struct Reciprocal {
  template <class T>
  T operator()(T x) const {
    return 1 / x;
  }
};

struct Relu {
  template <class T>
  T operator()(T x) const {
    return larger(x, T(0));
  }
};

struct LeakyRelu {
  explicit LeakyRelu(const Node& node) : alpha(node.number("alpha", 0.01F)) {}
  template <class T>
  T operator()(T x) const {
    return x < 0 ? static_cast<T>(alpha) * x : x;
  }
  float alpha;
};

struct Elu {
  explicit Elu(const Node& node) : alpha(node.number("alpha", 1.0F)) {}
  template <class T>
  T operator()(T x) const {
    return x < 0 ? static_cast<T>(alpha) * (std::exp(x) - 1) : x;
  }
  float alpha;
};

struct Selu {
  explicit Selu(const Node& node)
      : alpha(node.number("alpha", 1.67326319217681884765625F)), gamma(node.number("gamma", 1.05070102214813232422F)) {}
  template <class T>
  T operator()(T x) const {
    return static_cast<T>(gamma) * (x > 0 ? x : static_cast<T>(alpha) * (std::exp(x) - 1));
  }
  float alpha;
  float gamma;
};

struct Celu {
  explicit Celu(const Node& node) : alpha(node.number("alpha", 1.0F)) {}
  template <class T>
  T operator()(T x) const {
    const T a = static_cast<T>(alpha);
    return x > 0 ? x : a * (std::exp(x / a) - 1);
  }
  float alpha;
};

struct Sigmoid {
  template <class T>
  T operator()(T x) const {
    return 1 / (1 + std::exp(-x));
  }
};

struct HardSigmoid {
  explicit HardSigmoid(const Node& node) : alpha(node.number("alpha", 0.2F)), beta(node.number("beta", 0.5F)) {}
  template <class T>
  T operator()(T x) const {
    return std::clamp(static_cast<T>(alpha) * x + static_cast<T>(beta), T(0), T(1));
  }
  float alpha;
  float beta;
};

struct HardSwish {
  template <class T>
  T operator()(T x) const {
    return x * std::clamp(x / 6 + T(0.5), T(0), T(1));
  }
};

struct Softplus {
  template <class T>
  T operator()(T x) const {
    return larger(x, T(0)) + std::log1p(std::exp(-std::abs(x)));
  }
};

struct Softsign {
  template <class T>
  T operator()(T x) const {
    return x / (1 + std::abs(x));
  }
};

struct Mish {
  template <class T>
  T operator()(T x) const {
    return x * std::tanh(Softplus{}(x));
  }
};

struct Gelu {
  explicit Gelu(const Node& node) : by_tanh(node.text("approximate", "none") == "tanh") {}
  template <class T>
  T operator()(T x) const {
    constexpr T half = T(0.5);
    if (by_tanh)
      return half * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi_v<T>) * (x + T(0.044715) * x * x * x)));
    return half * x * (1 + std::erf(x / std::numbers::sqrt2_v<T>));
  }
  bool by_tanh;
};

struct ThresholdedRelu {
  explicit ThresholdedRelu(const Node& node) : alpha(node.number("alpha", 1.0F)) {}
  template <class T>
  T operator()(T x) const {
    return x > static_cast<T>(alpha) ? x : T(0);
  }
  float alpha;
};

struct Shrink {
  explicit Shrink(const Node& node) : bias(node.number("bias", 0)), lambda(node.number("lambd", 0.5F)) {}
  template <class T>
  T operator()(T x) const {
    if (x < -static_cast<T>(lambda)) return x + static_cast<T>(bias);
    return x > static_cast<T>(lambda) ? x - static_cast<T>(bias) : T(0);
  }
  float bias;
  float lambda;
};

// ---- with other types or inputs -----------------------------------------------------------------------------------

// Booleans of floats.
template <class F>
Tensors test(const Call& call) {
  const HostTensor& x = call.input(0);
  HostTensor y = call.make(ElementType::boolean, x.shape);
  const F f = made<F>(call.node());
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (is_float_number<T>) {
      const auto from = x.view<T>();
      std::transform(from.begin(), from.end(), y.view<bool>().begin(),
                     [&f](T value) { return f(static_cast<double>(value)); });
    } else {
      throw call.wrong_type(0);
    }
  });
  return {y};
}

struct IsNaN {
  bool operator()(double x) const { return std::isnan(x); }
};

struct IsInf {
  explicit IsInf(const Node& node)
      : negative(node.integer("detect_negative", 1) != 0), positive(node.integer("detect_positive", 1) != 0) {}
  bool operator()(double x) const { return std::isinf(x) && (x < 0 ? negative : positive); }
  bool negative;
  bool positive;
};

Tensors logical_not(const Call& call) {
  call.expect_type(0, ElementType::boolean);
  HostTensor y = call.make(ElementType::boolean, call.input(0).shape);
  const auto from = call.input(0).view<bool>();
  std::transform(from.begin(), from.end(), y.view<bool>().begin(), std::logical_not<>());
  return {y};
}

Tensors bitwise_not(const Call& call) {
  const HostTensor& x = call.input(0);
  HostTensor y = call.make(x.type, x.shape);
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::is_integral_v<T> && !std::same_as<T, bool>) {
      const auto from = x.view<T>();
      std::transform(from.begin(), from.end(), y.view<T>().begin(),
                     [](T value) { return static_cast<T>(~static_cast<std::uint64_t>(value)); });
    } else {
      throw call.wrong_type(0);
    }
  });
  return {y};
}

// Limits were attributes before opset 11.
Tensors clip(const Call& call) {
  const HostTensor& x = call.input(0);
  const bool has_inputs = call.node().opset() >= 11;
  HostTensor y = call.make(x.type, x.shape);
  with_number(x.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (std::same_as<T, bool>) {
      throw call.wrong_type(0);
    } else {
      using W = Wide<T>;
      std::optional<W> low;
      std::optional<W> high;
      if (!has_inputs) {
        if (call.node().attribute("min") != nullptr) low = number_cast<W>(call.node().number("min", 0));
        if (call.node().attribute("max") != nullptr) high = number_cast<W>(call.node().number("max", 0));
      }
      for (const int i : {1, 2}) {
        if (!has_inputs || !call.has(i) || call.input(i).size() == 0) continue;
        call.expect_type(i, x.type);
        (i == 1 ? low : high) = static_cast<W>(call.scalar(i).view<T>()[0]);
      }
      const auto from = x.view<T>();
      std::transform(from.begin(), from.end(), y.view<T>().begin(), [&](T value) {
        W wide = static_cast<W>(value);
        if (low && wide < *low) wide = *low;
        if (high && wide > *high) wide = *high;
        return static_cast<T>(wide);
      });
    }
  });
  return {y};
}

}  // namespace

const Evaluations& unary_evaluations() {
  static const Evaluations table = {{"Abs", unary<Abs, UnaryTakes::numbers>},
                                    {"Acos", unary<Acos>},
                                    {"Acosh", unary<Acosh>},
                                    {"Asin", unary<Asin>},
                                    {"Asinh", unary<Asinh>},
                                    {"Atan", unary<Atan>},
                                    {"Atanh", unary<Atanh>},
                                    {"BitwiseNot", bitwise_not},
                                    {"Ceil", unary<Ceil>},
                                    {"Celu", unary<Celu>},
                                    {"Clip", clip},
                                    {"Cos", unary<Cos>},
                                    {"Cosh", unary<Cosh>},
                                    {"Elu", unary<Elu>},
                                    {"Erf", unary<Erf>},
                                    {"Exp", unary<Exp>},
                                    {"Floor", unary<Floor>},
                                    {"Gelu", unary<Gelu>},
                                    {"HardSigmoid", unary<HardSigmoid>},
                                    {"HardSwish", unary<HardSwish>},
                                    {"IsInf", test<IsInf>},
                                    {"IsNaN", test<IsNaN>},
                                    {"LeakyRelu", unary<LeakyRelu>},
                                    {"Log", unary<Log>},
                                    {"Mish", unary<Mish>},
                                    {"Neg", unary<Neg, UnaryTakes::numbers>},
                                    {"Not", logical_not},
                                    {"Reciprocal", unary<Reciprocal>},
                                    {"Relu", unary<Relu, UnaryTakes::numbers>},
                                    {"Round", unary<Round>},
                                    {"Selu", unary<Selu>},
                                    {"Shrink", unary<Shrink>},
                                    {"Sigmoid", unary<Sigmoid>},
                                    {"Sign", unary<Sign, UnaryTakes::numbers>},
                                    {"Sin", unary<Sin>},
                                    {"Sinh", unary<Sinh>},
                                    {"Softplus", unary<Softplus>},
                                    {"Softsign", unary<Softsign>},
                                    {"Sqrt", unary<Sqrt>},
                                    {"Tan", unary<Tan>},
                                    {"Tanh", unary<Tanh>},
                                    {"ThresholdedRelu", unary<ThresholdedRelu>}};
  return table;
}

}  // namespace strake::onnx_import
