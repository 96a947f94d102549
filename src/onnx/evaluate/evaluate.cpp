// SPDX-License-Identifier: Apache-2.0
#include "onnx/evaluate/evaluate.hpp"

#include <algorithm>

#include "onnx/evaluate/call.hpp"

namespace strake::onnx_import {

void Budget::take(const Node& node, double elements) {
  left_ -= elements;
  if (!(left_ >= 0)) throw node.error("asks for more elements or work than is allowed");
}

NotInGraph Call::wrong_type(int i) const {
  return node_->not_in_graph("input " + std::to_string(i) + " of type " + std::string(to_string(input(i).type)) +
                             " is not supported");
}

const HostTensor& Call::input(int i) const {
  if (!has(i)) throw error("input " + std::to_string(i) + " is missing");
  return *inputs_[static_cast<std::size_t>(i)];
}

const HostTensor& Call::scalar(int i) const {
  const HostTensor& tensor = input(i);
  if (tensor.size() != 1)
    throw error("input " + std::to_string(i) + " has shape " + to_string(tensor.shape) + ", expected one element");
  return tensor;
}

std::vector<std::int64_t> Call::integers(int i) const {
  const HostValue value(input(i));
  if (value.is_floats()) throw error("input " + std::to_string(i) + " has to hold integers");
  return value.integers();
}

std::optional<std::vector<std::int64_t>> Call::integers(const std::string& attribute, int i) const {
  if (has(i)) return integers(i);
  return node_->integers(attribute);
}

void Call::expect_type(int i, ElementType type) const {
  if (input(i).type != type)
    throw error("input " + std::to_string(i) + " has elements of type " + std::string(to_string(input(i).type)) +
                ", expected " + std::string(to_string(type)));
}

std::size_t Call::axis(std::int64_t otherwise, std::size_t rank) const {
  return static_cast<std::size_t>(axis_of(*node_, node_->integer("axis", otherwise), rank));
}

HostTensor Call::make(ElementType type, const Shape& shape) const {
  constexpr std::size_t most_axes = 64;
  // A size of 0 makes the tensor empty, but its other sizes still become strides.
  double cells = 1;
  for (const Index size : shape) {
    if (size < 0) throw error("makes a tensor of size " + std::to_string(size));
    cells *= static_cast<double>(std::max<Index>(size, 1));
  }
  if (cells > static_cast<double>(most_folded_elements) || shape.size() > most_axes)
    throw error("makes a tensor of shape " + to_string(shape) + ", more than 2^28 elements");
  budget_->take(*node_, cells);
  return HostTensor::allocate(type, shape);
}

namespace {

const Evaluations& all() {
  static const Evaluations table = [] {
    Evaluations every;
    for (const Evaluations* family :
         {&unary_evaluations(), &binary_evaluations(), &cast_evaluations(), &structure_evaluations(),
          &create_evaluations(), &move_evaluations(), &gather_evaluations(), &reduce_evaluations(),
          &search_evaluations(), &matrix_evaluations()})
      every.insert(family->begin(), family->end());
    return every;
  }();
  return table;
}

}  // namespace

bool can_evaluate(const std::string& type) { return all().contains(type); }

std::vector<HostTensor> evaluate(const Node& node, const std::vector<const HostTensor*>& inputs, Budget& budget) {
  const auto found = all().find(node.type());
  if (found == all().end()) throw node.error("is not supported here");
  Tensors outputs = found->second(Call(node, inputs, budget));
  ensure(!outputs.empty(), "an operator has an output");
  return outputs;
}

}  // namespace strake::onnx_import
