// SPDX-License-Identifier: Apache-2.0
#include "core/op_rules.hpp"

#include "core/shape_inference.hpp"
#include "core/unsupported_type.hpp"

namespace strake {

const Weight& OpRules::weight(WeightId id) const {
  require(id >= 0 && id < static_cast<WeightId>(graph_->weights.size()),
          "a weight below " + std::to_string(graph_->weights.size()), std::to_string(id));
  return graph_->weight(id);
}

void OpRules::require(bool holds, const std::string& expected, const std::string& found) const {
  if (holds) return;
  throw InvalidInput("operator '" + op_->name + "' (" + std::string(kind_name(*op_)) + ") expects " + expected +
                     ", got " + found);
}

void OpRules::expect_inputs(std::size_t least, std::size_t most) const {
  const std::string wanted = std::to_string(least) + (least == most ? "" : " to " + std::to_string(most));
  require(n_inputs() >= least && n_inputs() <= most, wanted + " inputs", std::to_string(n_inputs()));
}

void OpRules::expect_type(std::size_t input, ElementType type) const {
  if (src_type(input) == type) return;
  throw UnsupportedType("operator '" + op_->name + "' (" + std::string(kind_name(*op_)) + ") expects input " +
                        std::to_string(input) + " of " + std::string(to_string(type)) + ", got " +
                        std::string(to_string(src_type(input))));
}

void OpRules::check_axis(int axis, const Shape& shape) const {
  require(axis >= 0 && axis < static_cast<int>(shape.size()), "an axis of " + to_string(shape), std::to_string(axis));
}

Index OpRules::window_size(const WindowAxis& window, Index src_size, Index wanted) const {
  const auto inside = [](Index value, Index least) { return value >= least && value <= max_window; };
  require(inside(window.kernel, 1) && inside(window.stride, 1) && inside(window.dilation, 1) &&
              inside(window.pad_begin, 0) && inside(window.pad_end, 0),
          "kernel, stride and dilation of at least 1 and padding of at least 0",
          std::to_string(window.kernel) + ", " + std::to_string(window.stride) + ", " +
              std::to_string(window.dilation) + ", " + std::to_string(window.pad_begin) + " and " +
              std::to_string(window.pad_end));
  const Index ceil = output_size(window, src_size, Rounding::ceil);
  const Index size = wanted == ceil ? ceil : output_size(window, src_size, Rounding::floor);
  require(size >= 1, "a map that holds its window of " + std::to_string(window.reach()) + " at least once",
          std::to_string(src_size + window.pad_begin + window.pad_end) + " with padding");
  return size;
}

namespace {

/// Types of outputs by kind of operator.
class TypeInference {
 public:
  TypeInference(const Graph& graph, const Op& op) : rules_(graph, op) {}

  template <class T>
  ElementType operator()(const T& op) const {
    if constexpr (requires(const OpRules& rules) { type_of(rules, op); })
      return type_of(rules_, op);
    else if constexpr (requires(const OpRules& rules) { shape_of(rules, op); })
      return rules_.src_type();
    else
      return all_inputs(ElementType::f32);
  }

  ElementType operator()(const Input&) const { return rules_.op().type; }
  ElementType operator()(const Constant& constant) const { return rules_.graph().weight(constant.value).type; }
  ElementType operator()(const NormalizePicture&) const { return ElementType::f32; }

  ElementType operator()(const Elementwise& elementwise) const {
    using enum ActivationKind;
    const ActivationKind kind = elementwise.function.kind;
    const ElementType type = rules_.src_type();
    const bool of_integers = kind == relu || kind == abs || kind == neg || kind == sign;
    rules_.require(is_float(type) || (of_integers && type != ElementType::boolean), of_integers ? "numbers" : "floats",
                   std::string(to_string(type)));
    return type;
  }

  ElementType operator()(const Pool& pool) const {
    const ElementType type = rules_.src_type();
    const bool small = pool.kind == PoolKind::max && (type == ElementType::u8 || type == ElementType::i8);
    return small ? type : all_inputs(ElementType::f32);
  }

  // What only moves cells moves those of any type.
  ElementType operator()(const Concat&) const { return all_inputs(rules_.src_type()); }
  ElementType operator()(const Reshape&) const { return rules_.src_type(); }
  ElementType operator()(const Transpose&) const { return rules_.src_type(); }
  ElementType operator()(const Slice&) const { return rules_.src_type(); }
  ElementType operator()(const Pad&) const { return rules_.src_type(); }
  ElementType operator()(const Gather&) const { return rules_.src_type(); }

 private:
  ElementType all_inputs(ElementType type) const {
    for (std::size_t i = 0; i < rules_.n_inputs(); ++i) rules_.expect_type(i, type);
    return type;
  }

  OpRules rules_;
};

}  // namespace

ElementType infer_type(const Graph& graph, const Op& op) { return std::visit(TypeInference(graph, op), op.attributes); }

}  // namespace strake
