// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The operators that Strake plans and runs, each a plain struct of attributes.
///
/// Every operator has exactly one output. Its inputs are other operators, except weights, which are entries of the
/// graph's weight table. `fields` names the members of each struct once; serialisation, hashing and comparison use it.

#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/box.hpp"
#include "core/element_type.hpp"
#include "core/ops/integer_ops.hpp"
#include "core/ops/norm_ops.hpp"
#include "core/ops/pointwise.hpp"
#include "core/ops/product_ops.hpp"
#include "core/ops/reduce_ops.hpp"
#include "core/ops/resize.hpp"
#include "core/ops/window_ops.hpp"
#include "core/window.hpp"

namespace strake {

using OpId = int;
using WeightId = int;
inline constexpr WeightId no_weight = -1;

// ---- what the operators share -------------------------------------------------------------------------------------

enum class ActivationKind : unsigned char {
  relu,          // max(x, 0)
  leaky_relu,    // x < 0 ? alpha x : x
  clip,          // min(max(x, alpha), beta)
  sigmoid,       // 1 / (1 + exp(-x))
  tanh,          //
  swish,         // x sigmoid(alpha x); SiLU is alpha = 1
  hard_sigmoid,  // min(max(alpha x + beta, 0), 1)
  hard_swish,    // x min(max(x + 3, 0), 6) / 6
  elu,           // x < 0 ? alpha (exp(x) - 1) : x
  softplus,      // log(1 + exp(x))
  exp,
  log,
  sqrt,
  abs,
  neg,
  reciprocal,
  floor,
  ceil,
  linear,  // alpha x + beta
  round,   // half to even
  sign,
  erf,
  gelu,              // x (1 + erf(x / sqrt(2))) / 2
  gelu_tanh,         // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  mish,              // x tanh(log(1 + exp(x)))
  selu,              // beta (x > 0 ? x : alpha (exp(x) - 1))
  celu,              // max(x, 0) + min(0, alpha (exp(x / alpha) - 1))
  softsign,          // x / (1 + |x|)
  thresholded_relu,  // x > alpha ? x : 0
  shrink,            // x < -alpha ? x + beta : x > alpha ? x - beta : 0
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
};

/// An elementwise function of one argument.
struct Activation {
  ActivationKind kind = ActivationKind::relu;
  float alpha = 0;
  float beta = 0;
  static void fields(auto& self, auto&& visit) { visit(self.kind, self.alpha, self.beta); }
  friend bool operator==(const Activation&, const Activation&) = default;
};

/// Adds another operator's output of the same shape: a residual addition.
struct AddInput {
  int input = 1;  // index into Op::inputs
  static void fields(auto& self, auto&& visit) { visit(self.input); }
  friend bool operator==(const AddInput&, const AddInput&) = default;
};

/// Done to each output element before it is stored, in order.
using PostOp = std::variant<Activation, AddInput>;

// ---- operators ----------------------------------------------------------------------------------------------------

/// A value that rank 0 is given with every frame.
struct Input {
  static void fields(auto&, auto&&) {}
};

/// A weight that stands as an operand where an operator expects another operator. Every rank holds what it reads.
struct Constant {
  WeightId value = no_weight;
  static void fields(auto& self, auto&& visit) { visit(self.value); }
};

/// u8 pictures to f32: out[n, c, h, w] = scale[c] * in[n, c, h, w] + shift[c].
struct NormalizePicture {
  std::vector<float> scale;
  std::vector<float> shift;
  static void fields(auto& self, auto&& visit) { visit(self.scale, self.shift); }
};

/// src (n, c, h, w) with weights (m, c / groups, kh, kw) and bias (m) gives (n, m, oh, ow). Fully connected layers are
/// convolutions whose kernel is the whole map.
struct Conv {
  Window2d window;
  Index groups = 1;
  WeightId weights = no_weight;
  WeightId bias = no_weight;
  std::vector<PostOp> post_ops;
  static void fields(auto& self, auto&& visit) {
    visit(self.window, self.groups, self.weights, self.bias, self.post_ops);
  }
};

enum class PoolKind : unsigned char { max, average, sum };

/// What an average divides by: the cells of the window inside the input, or inside the input and its declared padding.
enum class AverageOver : unsigned char { input_cells, padded_cells };

/// (n, c, h, w) to (n, c, oh, ow). A maximum, of f32, u8 or i8, over nothing but padding is the lowest of its type.
struct Pool {
  PoolKind kind = PoolKind::max;
  Window2d window;
  AverageOver over = AverageOver::input_cells;
  static void fields(auto& self, auto&& visit) { visit(self.kind, self.window, self.over); }
};

enum class ReduceKind : unsigned char { sum, max };

/// The local half of a global pooling: (n, c, h, w) to (n, c, h, 1), each row reduced in a fixed order. The row axis of
/// the result is the axis `part`: a shard of it is a `Partial` tensor.
struct ReduceRows {
  ReduceKind kind = ReduceKind::sum;
  static void fields(auto& self, auto&& visit) { visit(self.kind); }
};

/// The other half (`SumParts`): (n, c, parts, 1) to (n, c, 1, 1), the parts reduced in order, then times `scale`.
struct ReduceParts {
  ReduceKind kind = ReduceKind::sum;
  float scale = 1;
  static void fields(auto& self, auto&& visit) { visit(self.kind, self.scale); }
};

/// An activation that found no operator to be fused into, of f32 or f64; relu, abs, neg and sign of integers too.
struct Elementwise {
  Activation function;
  static void fields(auto& self, auto&& visit) { visit(self.function); }
};

enum class BinaryKind : unsigned char { add, sub, mul, div, max, min, pow };

/// Two inputs, broadcast as in ONNX (numpy), then the post-ops (activations only).
struct Binary {
  BinaryKind kind = BinaryKind::add;
  std::vector<PostOp> post_ops;
  static void fields(auto& self, auto&& visit) { visit(self.kind, self.post_ops); }
};

/// out[n, c, ...] = scale[c] * in[n, c, ...] + shift[c], then the post-ops (activations only): a batch normalisation
/// that no convolution could take in. Either weight may be `no_weight`.
struct ScaleShift {
  WeightId scale = no_weight;
  WeightId shift = no_weight;
  std::vector<PostOp> post_ops;
  static void fields(auto& self, auto&& visit) { visit(self.scale, self.shift, self.post_ops); }
};

/// Any number of inputs, one behind the other on `axis`.
struct Concat {
  int axis = 1;
  static void fields(auto& self, auto&& visit) { visit(self.axis); }
};

/// The same elements in the same (row-major) order under another shape, which is the operator's own.
struct Reshape {
  static void fields(auto&, auto&&) {}
};

/// Output axis i is input axis `axes[i]`.
struct Transpose {
  std::vector<int> axes;
  static void fields(auto& self, auto&& visit) { visit(self.axes); }
};

/// On each axis out[i] = in[begin + i * step]; one entry per axis, step not 0.
struct Slice {
  std::vector<Index> begin;
  std::vector<Index> step;
  static void fields(auto& self, auto&& visit) { visit(self.begin, self.step); }
};

/// `begin[a]` cells of `value` before the input along axis a; the output's shape says how many behind. Never negative.
struct Pad {
  std::vector<Index> begin;
  float value = 0;
  static void fields(auto& self, auto&& visit) { visit(self.begin, self.value); }
};

/// out takes the slices `indices` (each inside the axis) of the input along `axis`, whose size becomes their number.
struct Gather {
  int axis = 0;
  std::vector<Index> indices;
  static void fields(auto& self, auto&& visit) { visit(self.axis, self.indices); }
};

/// Local response normalisation across `size` channels. Source: ONNX operator LRN-13.
struct Lrn {
  Index size = 5;
  float alpha = 0.0001F;
  float beta = 0.75F;
  float bias = 1;
  static void fields(auto& self, auto&& visit) { visit(self.size, self.alpha, self.beta, self.bias); }
};

using Attributes =
    std::variant<Input, Constant, NormalizePicture, Conv, Pool, ReduceRows, ReduceParts, Elementwise, Binary,
                 ScaleShift, Concat, Reshape, Transpose, Slice, Pad, Gather, MatMul, Softmax, Lrn, Reduce, Pointwise,
                 Expand, Tile, Trilu, DepthToSpace, SpaceToDepth, BorderPad, PoolNd, ConvNd, PoolIndices, MaxUnpool,
                 GridSample, RoiAlign, Resize, ArgReduce, CumSum, Normalize, IntegerConv>;

/// One operator and its output tensor.
struct Op {
  std::string name;          // of the model's node, or of the tensor for inputs; unique
  std::vector<OpId> inputs;  // operators that come earlier in the graph
  Shape shape;               // of the whole output
  ElementType type = ElementType::f32;
  Attributes attributes;
};

/// "Conv", "Pool", ...: for tables and messages.
[[nodiscard]] std::string_view kind_name(const Op& op);

/// The attributes as `T`, or null.
template <class T>
[[nodiscard]] const T* as(const Op& op) {
  return std::get_if<T>(&op.attributes);
}
template <class T>
[[nodiscard]] T* as(Op& op) {
  return std::get_if<T>(&op.attributes);
}

/// The post-ops of an operator that can have some, else null.
[[nodiscard]] const std::vector<PostOp>* post_ops(const Op& op);
[[nodiscard]] std::vector<PostOp>* post_ops(Op& op);

/// Index into `inputs` of the residual that the operator adds, or -1.
[[nodiscard]] int residual_input(const Op& op);

/// Whether each cell comes from the same cell of the inputs, by arithmetic: Elementwise, Binary and ScaleShift.
[[nodiscard]] bool is_cell_arithmetic(const Op& op);

/// The weights that the operator names; `no_weight` entries are left out.
[[nodiscard]] std::vector<WeightId> weights_of(const Op& op);

}  // namespace strake
