// SPDX-License-Identifier: Apache-2.0
#include "core/shape_inference.hpp"

#include <algorithm>
#include <limits>

#include "core/op_rules.hpp"
#include "core/ops/conv_rules.hpp"

namespace strake {

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape both = longer;
  const std::size_t shift = longer.size() - shorter.size();
  for (std::size_t axis = 0; axis < shorter.size(); ++axis) {
    Index& size = both[axis + shift];
    if (size == 1) size = shorter[axis];
    if (shorter[axis] != 1 && shorter[axis] != size) return std::nullopt;
  }
  return both;
}

namespace {

// Far beyond any real model.
constexpr Index max_elements = Index{1} << 48;

/// One call operator per kind of operator: the shape of its output.
class Inference {
 public:
  Inference(const Graph& graph, const Op& op) : graph_(graph), op_(op) {}

  Shape run() {
    for (const OpId input : op_.inputs)
      require(input >= 0 && input < graph_.size(), "an input that comes earlier in the graph", std::to_string(input));
    Shape shape = std::visit([this](const auto& attributes) { return (*this)(attributes); }, op_.attributes);
    check_size(shape);
    check_post_ops(shape);
    return shape;
  }

  // Operators of a family bring their own rule: see core/op_rules.hpp.
  template <class T>
  Shape operator()(const T& op) {
    return shape_of(OpRules(graph_, op_), op);
  }

  Shape operator()(const Input&) {
    expect_inputs(0);
    return op_.shape;
  }

  Shape operator()(const Constant& constant) {
    expect_inputs(0);
    const Shape& weight = weight_shape(constant.value);
    require(volume_of(op_.shape) == volume_of(weight), "as many elements as its weight, " + to_string(weight),
            to_string(op_.shape));
    return op_.shape;
  }

  Shape operator()(const NormalizePicture& normalize) {
    const Shape& src = feature_map();
    const auto channels = static_cast<std::size_t>(src[1]);
    require(normalize.scale.size() == channels && normalize.shift.size() == channels,
            "a scale and a shift for each of " + std::to_string(channels) + " channels",
            std::to_string(normalize.scale.size()) + " and " + std::to_string(normalize.shift.size()));
    return src;
  }

  Shape operator()(const Conv& conv) {
    (void)feature_map();
    Shape dst = conv_shape(OpRules(graph_, op_), conv.window, conv.groups, weight_shape(conv.weights));
    if (conv.bias != no_weight) {
      const Shape& bias = weight_shape(conv.bias);
      require(volume_of(bias) == dst[1], "a bias of " + std::to_string(dst[1]) + " values", to_string(bias));
    }
    return dst;
  }

  Shape operator()(const Pool& pool) {
    const Shape& src = feature_map();
    const bool given = op_.shape.size() == 4;
    const Shape dst = {src[0], src[1], window_size(pool.window.h, src[2], given ? op_.shape[2] : 0),
                       window_size(pool.window.w, src[3], given ? op_.shape[3] : 0)};
    require(op_.shape.empty() || op_.shape == dst, "an output " + to_string(dst), to_string(op_.shape));
    return dst;
  }

  Shape operator()(const ReduceRows&) {
    const Shape& src = feature_map();
    return {src[0], src[1], src[2], 1};
  }

  Shape operator()(const ReduceParts&) {
    const Shape& src = feature_map();
    require(src[3] == 1, "an input (n, c, parts, 1)", to_string(src));
    return {src[0], src[1], 1, 1};
  }

  Shape operator()(const Elementwise&) { return only_input(); }

  Shape operator()(const Binary&) {
    expect_inputs(2);
    const std::optional<Shape> both = broadcast(input(0), input(1));
    require(both.has_value(), "inputs that broadcast to one shape",
            to_string(input(0)) + " and " + to_string(input(1)));
    return *both;
  }

  Shape operator()(const ScaleShift& scale_shift) {
    const Shape& src = only_input();
    require(src.size() >= 2, "an input with channels on axis 1", to_string(src));
    for (const WeightId id : {scale_shift.scale, scale_shift.shift}) {
      if (id == no_weight) continue;
      require(volume_of(weight_shape(id)) == src[1], "one value for each of " + std::to_string(src[1]) + " channels",
              to_string(weight_shape(id)));
    }
    return src;
  }

  Shape operator()(const Concat& concat) {
    require(!op_.inputs.empty(), "at least one input", "none");
    Shape all = input(0);
    check_axis(concat.axis, all);
    const auto axis = static_cast<std::size_t>(concat.axis);
    for (std::size_t i = 1; i < op_.inputs.size(); ++i) {
      Shape next = input(i);
      require(next.size() == all.size(), "inputs like " + to_string(input(0)), to_string(next));
      std::swap(next[axis], all[axis]);  // the one axis on which they may differ
      require(with_size(next, axis, 0) == with_size(all, axis, 0),
              "inputs like " + to_string(input(0)) + " on all axes but " + std::to_string(axis), to_string(input(i)));
      all[axis] += next[axis];
    }
    return all;
  }

  Shape operator()(const Reshape&) {
    const Shape& src = only_input();
    require(volume_of(op_.shape) == volume_of(src), "as many elements as its input, " + to_string(src),
            to_string(op_.shape));
    return op_.shape;
  }

  Shape operator()(const Transpose& transpose) {
    const Shape& src = only_input();
    std::vector<bool> seen(src.size());
    Shape dst;
    for (const int axis : transpose.axes) {
      check_axis(axis, src);
      const auto at = static_cast<std::size_t>(axis);
      require(!seen[at], "each axis once", "axis " + std::to_string(axis) + " twice");
      seen[at] = true;
      dst.push_back(src[at]);
    }
    require(dst.size() == src.size(), "a permutation of " + std::to_string(src.size()) + " axes",
            std::to_string(dst.size()) + " axes");
    return dst;
  }

  Shape operator()(const Slice& slice) {
    const Shape& src = only_input();
    require(slice.begin.size() == src.size() && slice.step.size() == src.size() && op_.shape.size() == src.size(),
            "a begin, a step and a size for each axis of " + to_string(src),
            std::to_string(slice.begin.size()) + ", " + std::to_string(slice.step.size()) + " and " +
                std::to_string(op_.shape.size()));
    for (std::size_t axis = 0; axis < src.size(); ++axis) {
      const Index begin = slice.begin[axis];
      const Index step = slice.step[axis];
      const Index count = op_.shape[axis];
      bool fits = begin >= 0 && begin < src[axis] && step != 0 && count >= 1;
      // Divided, not multiplied: steps come from files and may be huge (ONNX writes "to the end" so).
      if (fits && count > 1 && step > 0) fits = count - 1 <= (src[axis] - 1 - begin) / step;
      if (fits && count > 1 && step < 0) fits = step != std::numeric_limits<Index>::min() && count - 1 <= begin / -step;
      require(fits, "a slice inside [0, " + std::to_string(src[axis]) + ") on axis " + std::to_string(axis),
              std::to_string(count) + " from " + std::to_string(begin) + " in steps of " + std::to_string(step));
    }
    return op_.shape;
  }

  Shape operator()(const Pad& pad) {
    const Shape& src = only_input();
    require(pad.begin.size() == src.size() && op_.shape.size() == src.size(),
            "a size and cells in front for each axis of " + to_string(src),
            std::to_string(op_.shape.size()) + " and " + std::to_string(pad.begin.size()));
    for (std::size_t axis = 0; axis < src.size(); ++axis) {
      const bool fits =
          pad.begin[axis] >= 0 && op_.shape[axis] >= src[axis] && pad.begin[axis] <= op_.shape[axis] - src[axis];
      require(fits, "an output that holds the input " + to_string(src) + " on axis " + std::to_string(axis),
              to_string(op_.shape) + " with " + std::to_string(pad.begin[axis]) + " in front");
    }
    return op_.shape;
  }

  Shape operator()(const Gather& gather) {
    const Shape& src = only_input();
    check_axis(gather.axis, src);
    const auto axis = static_cast<std::size_t>(gather.axis);
    for (const Index index : gather.indices)
      require(index >= 0 && index < src[axis], "indices inside [0, " + std::to_string(src[axis]) + ")",
              std::to_string(index));
    return with_size(src, axis, static_cast<Index>(gather.indices.size()));
  }

  Shape operator()(const Lrn& lrn) {
    const Shape& src = only_input();
    require(src.size() >= 2, "an input with channels on axis 1", to_string(src));
    require(lrn.size >= 1 && lrn.size <= max_window, "a size of at least 1", std::to_string(lrn.size));
    return src;
  }

 private:
  void require(bool holds, const std::string& expected, const std::string& found) const {
    OpRules(graph_, op_).require(holds, expected, found);
  }

  static Shape with_size(Shape shape, std::size_t axis, Index size) {
    shape[axis] = size;
    return shape;
  }

  const Shape& input(std::size_t i) const { return graph_.shape(op_.inputs[i]); }

  void expect_inputs(std::size_t count) const {
    require(op_.inputs.size() == count, std::to_string(count) + " inputs", std::to_string(op_.inputs.size()));
  }

  // A convolution may have a residual behind its first input; `check_post_ops` looks at that.
  const Shape& only_input() const {
    const std::size_t residuals = residual_input(op_) < 0 ? 0 : 1;
    expect_inputs(1 + residuals);
    return input(0);
  }

  const Shape& feature_map() const {
    const Shape& src = only_input();
    require(src.size() == 4, "a feature map (n, c, h, w)", to_string(src));
    return src;
  }

  const Shape& weight_shape(WeightId id) const { return OpRules(graph_, op_).weight(id).shape; }

  void check_axis(int axis, const Shape& shape) const {
    require(axis >= 0 && axis < static_cast<int>(shape.size()), "an axis of " + to_string(shape), std::to_string(axis));
  }

  // The number of elements, or -1 for sizes that no tensor has.
  static Index volume_of(const Shape& shape) {
    Index elements = 1;
    for (const Index size : shape) {
      if (size < 1 || size > max_elements / elements) return -1;
      elements *= size;
    }
    return elements;
  }

  void check_size(const Shape& shape) const {
    require(volume_of(shape) > 0, "an output with at least one element and at most 2^48", to_string(shape));
  }

  Index window_size(const WindowAxis& window, Index src_size, Index wanted = 0) const {
    return OpRules(graph_, op_).window_size(window, src_size, wanted);
  }

  void check_post_ops(const Shape& shape) const {
    const std::vector<PostOp>* list = post_ops(op_);
    if (list == nullptr) return;
    int residuals = 0;
    for (const PostOp& post_op : *list) {
      const auto* add = std::get_if<AddInput>(&post_op);
      if (add == nullptr) continue;
      require(as<Conv>(op_) != nullptr && ++residuals == 1, "at most one residual, after a convolution", "another");
      require(add->input == 1, "its residual as input 1", std::to_string(add->input));
      require(input(1) == shape, "a residual " + to_string(shape), to_string(input(1)));
    }
  }

  const Graph& graph_;
  const Op& op_;
};

}  // namespace

Shape infer_shape(const Graph& graph, const Op& op) { return Inference(graph, op).run(); }

}  // namespace strake
