// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a graph computes, cell by cell from the definitions in `op.hpp`, in double. Knows the operators that rewrites
/// touch; shares no arithmetic with the library.

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/graph.hpp"

namespace strake::test {

struct Tensor {
  Shape shape;
  std::vector<double> cells;  // row-major
};

inline std::size_t offset_of(const Shape& shape, const std::vector<Index>& cell) {
  Index offset = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) offset = offset * shape[axis] + cell[axis];
  return static_cast<std::size_t>(offset);
}

/// A tensor whose cells `value` gives.
inline Tensor fill(const Shape& shape, auto&& value) {
  Tensor dst{shape, {}};
  std::vector<Index> cell(shape.size());
  for (Index i = 0; i < volume(shape); ++i) {
    Index rest = i;
    for (std::size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) cell[axis] = rest % shape[axis];
    dst.cells.push_back(value(cell));
  }
  return dst;
}

inline double activate(const Activation& function, double x) {
  const double alpha = function.alpha;
  const double beta = function.beta;
  const auto within = [](double value, double least, double most) { return std::min(std::max(value, least), most); };
  switch (function.kind) {
    case ActivationKind::relu:
      return std::max(x, 0.0);
    case ActivationKind::leaky_relu:
      return x < 0 ? alpha * x : x;
    case ActivationKind::clip:
      return within(x, alpha, beta);
    case ActivationKind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::tanh:
      return std::tanh(x);
    case ActivationKind::swish:
      return x / (1 + std::exp(-alpha * x));
    case ActivationKind::hard_sigmoid:
      return within(alpha * x + beta, 0, 1);
    case ActivationKind::hard_swish:
      return x * within(x + 3, 0, 6) / 6;
    case ActivationKind::softplus:
      return std::log1p(std::exp(x));
    case ActivationKind::linear:
      return alpha * x + beta;
    case ActivationKind::erf:
      return std::erf(x);
    case ActivationKind::gelu:
      return x * (1 + std::erf(x / std::sqrt(2.0))) / 2;
    case ActivationKind::gelu_tanh:
      return x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))) / 2;
    case ActivationKind::mish:
      return x * std::tanh(std::log1p(std::exp(x)));
    default:
      throw std::logic_error("the naive evaluator lacks this activation");
  }
}

/// One call operator per kind of operator.
class NaiveEvaluator {
 public:
  /// @param inputs  values of the graph's inputs, by the name of their port
  NaiveEvaluator(const Graph& graph, const std::map<std::string, Tensor>& inputs) : graph_(graph), inputs_(inputs) {}

  /// The outputs in the order of their ports.
  std::vector<Tensor> run() {
    for (const Op& op : graph_.ops) {
      op_ = &op;
      Tensor dst = std::visit([this](const auto& attributes) { return (*this)(attributes); }, op.attributes);
      if (const std::vector<PostOp>* list = post_ops(op)) apply(*list, dst);
      values_.push_back(std::move(dst));
    }
    std::vector<Tensor> outputs;
    for (const Port& port : graph_.outputs) outputs.push_back(values_[static_cast<std::size_t>(port.op)]);
    return outputs;
  }

  Tensor operator()(const Input&) const {
    for (const Port& port : graph_.inputs)
      if (&graph_.op(port.op) == op_) return inputs_.at(port.name);
    throw std::logic_error("an Input without a port");
  }

  Tensor operator()(const Constant& constant) const { return {op_->shape, weight(constant.value)}; }

  Tensor operator()(const Conv& conv) const {
    const Shape weights_shape = graph_.weight(conv.weights).shape;
    const std::vector<double> weights = weight(conv.weights);
    const Index group_inputs = weights_shape[1];
    const Index group_outputs = weights_shape[0] / conv.groups;
    return fill(op_->shape, [&](const std::vector<Index>& dst) {
      const Index m = dst[1];
      double sum = conv.bias == no_weight ? 0 : weight(conv.bias)[static_cast<std::size_t>(m)];
      slide(conv.window, dst, [&](Index h, Index w, Index kh, Index kw) {
        for (Index i = 0; i < group_inputs && inside(h, w); ++i)
          sum += source(0, {dst[0], m / group_outputs * group_inputs + i, h, w}) *
                 weights[offset_of(weights_shape, {m, i, kh, kw})];
      });
      return sum;
    });
  }

  Tensor operator()(const Pool& pool) const {
    return fill(op_->shape, [&](const std::vector<Index>& dst) {
      double sum = 0;
      double most = std::numeric_limits<float>::lowest();
      Index n_inside = 0;
      Index n_padded = 0;
      slide(pool.window, dst, [&](Index h, Index w, Index, Index) {
        if (h < src_shape()[2] + pool.window.h.pad_end && w < src_shape()[3] + pool.window.w.pad_end) ++n_padded;
        if (!inside(h, w)) return;
        ++n_inside;
        sum += source(0, {dst[0], dst[1], h, w});
        most = std::max(most, source(0, {dst[0], dst[1], h, w}));
      });
      if (pool.kind == PoolKind::max) return most;
      if (pool.kind == PoolKind::sum) return sum;
      return sum / static_cast<double>(pool.over == AverageOver::padded_cells ? n_padded : n_inside);
    });
  }

  Tensor operator()(const ReduceRows& rows) const {
    return fill(op_->shape, [&](const std::vector<Index>& dst) {
      return fold(rows.kind, src_shape()[3], [&](Index w) { return source(0, {dst[0], dst[1], dst[2], w}); });
    });
  }

  Tensor operator()(const ReduceParts& parts) const {
    return fill(op_->shape, [&](const std::vector<Index>& dst) {
      return fold(parts.kind, src_shape()[2],
                  [&](Index h) {
                    return source(0, {dst[0], dst[1], h, 0});
                  }) *
             static_cast<double>(parts.scale);
    });
  }

  Tensor operator()(const Reduce& reduce) const {
    return fill(op_->shape, [&](const std::vector<Index>& dst) {
      const double centre = op_->inputs.size() > 1 ? broadcast_source(1, dst) : 0;
      std::vector<double> values;
      fill(src_shape(), [&](const std::vector<Index>& cell) {
        for (std::size_t axis = 0; axis < cell.size(); ++axis)
          if (std::find(reduce.axes.begin(), reduce.axes.end(), static_cast<int>(axis)) == reduce.axes.end() &&
              cell[axis] != dst[axis])
            return 0;
        values.push_back(source(0, cell) - centre);
        return 0;
      });
      return combined(reduce.kind, values);
    });
  }

  Tensor operator()(const Normalize& normalize) const {
    return fill(op_->shape, [&](const std::vector<Index>& dst) {
      const double deviation = std::sqrt(broadcast_source(2, dst) + static_cast<double>(normalize.epsilon));
      const double scale = op_->inputs.size() > 3 ? broadcast_source(3, dst) : 1;
      const double shift = op_->inputs.size() > 4 ? broadcast_source(4, dst) : 0;
      return (source(0, dst) - broadcast_source(1, dst)) / deviation * scale + shift;
    });
  }

  Tensor operator()(const Elementwise& elementwise) const {
    Tensor dst = operand(0);
    for (double& cell : dst.cells) cell = activate(elementwise.function, cell);
    return dst;
  }

  Tensor operator()(const Binary& binary) const {
    return fill(op_->shape, [&](const std::vector<Index>& dst) {
      const double a = broadcast_source(0, dst);
      const double b = broadcast_source(1, dst);
      switch (binary.kind) {
        case BinaryKind::add:
          return a + b;
        case BinaryKind::sub:
          return a - b;
        case BinaryKind::mul:
          return a * b;
        case BinaryKind::div:
          return a / b;
        case BinaryKind::max:
          return std::max(a, b);
        case BinaryKind::min:
          return std::min(a, b);
        case BinaryKind::pow:
          return std::pow(a, b);
      }
      throw std::logic_error("an unknown kind of Binary");
    });
  }

  Tensor operator()(const ScaleShift& scale_shift) const {
    return fill(op_->shape, [&](const std::vector<Index>& dst) {
      const auto c = static_cast<std::size_t>(dst[1]);
      const double scale = scale_shift.scale == no_weight ? 1 : weight(scale_shift.scale)[c];
      const double shift = scale_shift.shift == no_weight ? 0 : weight(scale_shift.shift)[c];
      return scale * source(0, dst) + shift;
    });
  }

  Tensor operator()(const Concat& concat) const {
    const auto axis = static_cast<std::size_t>(concat.axis);
    return fill(op_->shape, [&](std::vector<Index> dst) {
      std::size_t i = 0;
      for (; dst[axis] >= operand(i).shape[axis]; ++i) dst[axis] -= operand(i).shape[axis];
      return source(i, dst);
    });
  }

  Tensor operator()(const Reshape&) const { return {op_->shape, operand(0).cells}; }

  Tensor operator()(const Transpose& transpose) const {
    return fill(op_->shape, [&](const std::vector<Index>& dst) {
      std::vector<Index> src(dst.size());
      for (std::size_t axis = 0; axis < dst.size(); ++axis)
        src[static_cast<std::size_t>(transpose.axes[axis])] = dst[axis];
      return source(0, src);
    });
  }

  Tensor operator()(const Slice& slice) const {
    return fill(op_->shape, [&](std::vector<Index> cell) {
      for (std::size_t axis = 0; axis < cell.size(); ++axis)
        cell[axis] = slice.begin[axis] + cell[axis] * slice.step[axis];
      return source(0, cell);
    });
  }

  Tensor operator()(const Pad& pad) const {
    return fill(op_->shape, [&](std::vector<Index> cell) {
      for (std::size_t axis = 0; axis < cell.size(); ++axis) {
        cell[axis] -= pad.begin[axis];
        if (cell[axis] < 0 || cell[axis] >= src_shape()[axis]) return static_cast<double>(pad.value);
      }
      return source(0, cell);
    });
  }

  Tensor operator()(const Gather& gather) const {
    return fill(op_->shape, [&](std::vector<Index> cell) {
      Index& at = cell[static_cast<std::size_t>(gather.axis)];
      at = gather.indices[static_cast<std::size_t>(at)];
      return source(0, cell);
    });
  }

  Tensor operator()(const DepthToSpace& op) const {
    return fill(op_->shape, [&](const std::vector<Index>& dst) {
      // (groups, block_h, block_w, c) counted out.
      const Index c = op_->shape[1] / op.groups;
      const Index h = dst[2] + op.begin_h;
      const Index w = dst[3] + op.begin_w;
      const std::size_t place =
          offset_of({op.groups, op.block_h, op.block_w, c}, {dst[1] / c, h % op.block_h, w % op.block_w, dst[1] % c});
      return source(0, {dst[0], static_cast<Index>(place), h / op.block_h, w / op.block_w});
    });
  }

  Tensor operator()(const SpaceToDepth& op) const {
    Tensor dst{op_->shape, std::vector<double>(operand(0).cells.size())};
    const Shape& src = src_shape();
    const Index c = src[1] / op.groups;
    (void)fill(src, [&](const std::vector<Index>& cell) {
      const std::size_t place = offset_of({op.groups, op.block_h, op.block_w, c},
                                          {cell[1] / c, cell[2] % op.block_h, cell[3] % op.block_w, cell[1] % c});
      const std::vector<Index> to = {cell[0], static_cast<Index>(place), cell[2] / op.block_h, cell[3] / op.block_w};
      return dst.cells[offset_of(dst.shape, to)] = source(0, cell);
    });
    return dst;
  }

  Tensor operator()(const auto&) const { throw std::logic_error("the naive evaluator lacks this operator"); }

 private:
  const Tensor& operand(std::size_t i) const { return values_[static_cast<std::size_t>(op_->inputs[i])]; }
  const Shape& src_shape() const { return operand(0).shape; }
  double source(std::size_t i, const std::vector<Index>& cell) const {
    return operand(i).cells[offset_of(operand(i).shape, cell)];
  }

  double broadcast_source(std::size_t i, const std::vector<Index>& dst) const {
    const Shape& shape = operand(i).shape;
    std::vector<Index> cell(dst.end() - static_cast<std::ptrdiff_t>(shape.size()), dst.end());
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      if (shape[axis] == 1) cell[axis] = 0;
    return source(i, cell);
  }

  std::vector<double> weight(WeightId id) const {
    const Weight& one = graph_.weight(id);
    return {one.values.floats().begin(), one.values.floats().end()};
  }

  bool inside(Index h, Index w) const { return h >= 0 && h < src_shape()[2] && w >= 0 && w < src_shape()[3]; }

  // The input cells below one window, those outside the input too, each with its place in the kernel.
  static void slide(const Window2d& window, const std::vector<Index>& dst, auto&& visit) {
    for (Index kh = 0; kh < window.h.kernel; ++kh) {
      const Index h = dst[2] * window.h.stride - window.h.pad_begin + kh * window.h.dilation;
      for (Index kw = 0; kw < window.w.kernel; ++kw)
        visit(h, dst[3] * window.w.stride - window.w.pad_begin + kw * window.w.dilation, kh, kw);
    }
  }

  static double fold(ReduceKind kind, Index count, auto&& value) {
    double all = value(0);
    for (Index i = 1; i < count; ++i) all = kind == ReduceKind::max ? std::max(all, value(i)) : all + value(i);
    return all;
  }

  static double combined(GenericReduceKind kind, const std::vector<double>& values) {
    const auto total = [&](auto&& term) {
      double sum = 0;
      for (const double value : values) sum += term(value);
      return sum;
    };
    const auto same = [](double x) { return x; };
    const auto square = [](double x) { return x * x; };
    const auto count = static_cast<double>(values.size());
    switch (kind) {
      case GenericReduceKind::sum:
        return total(same);
      case GenericReduceKind::mean:
        return total(same) / count;
      case GenericReduceKind::max:
        return *std::max_element(values.begin(), values.end());
      case GenericReduceKind::min:
        return *std::min_element(values.begin(), values.end());
      case GenericReduceKind::prod:
        return std::accumulate(values.begin(), values.end(), 1.0, std::multiplies<>());
      case GenericReduceKind::l1:
        return total([](double x) { return std::abs(x); });
      case GenericReduceKind::l2:
        return std::sqrt(total(square));
      case GenericReduceKind::log_sum:
        return std::log(total(same));
      case GenericReduceKind::log_sum_exp:
        return std::log(total([](double x) { return std::exp(x); }));
      case GenericReduceKind::sum_square:
        return total(square);
      case GenericReduceKind::mean_square:
        return total(square) / count;
    }
    throw std::logic_error("an unknown kind of Reduce");
  }

  void apply(const std::vector<PostOp>& list, Tensor& dst) const {
    for (const PostOp& post_op : list) {
      for (std::size_t i = 0; i < dst.cells.size(); ++i) {
        if (const auto* function = std::get_if<Activation>(&post_op))
          dst.cells[i] = activate(*function, dst.cells[i]);
        else
          dst.cells[i] += operand(static_cast<std::size_t>(std::get<AddInput>(post_op).input)).cells[i];
      }
    }
  }

  const Graph& graph_;
  const std::map<std::string, Tensor>& inputs_;
  const Op* op_ = nullptr;  // the one being computed
  std::vector<Tensor> values_;
};

}  // namespace strake::test
