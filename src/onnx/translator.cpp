// SPDX-License-Identifier: Apache-2.0
#include "onnx/translator.hpp"

#include <algorithm>

namespace strake::onnx_import {

const Value& Translator::value(const Node& node, int input) const {
  if (!node.has_input(input)) throw node.error("input " + std::to_string(input) + " is missing");
  const auto found = values_.find(node.proto().input(input));
  if (found == values_.end())
    throw node.error("reads '" + node.proto().input(input) + "', which no node, input or initializer makes");
  return found->second;
}

const HostValue* Translator::constant(const Node& node, int input) const {
  return std::get_if<HostValue>(&value(node, input));
}

const HostValue& Translator::known(const Node& node, int input) const {
  const HostValue* found = constant(node, input);
  if (found == nullptr)
    throw node.error("'" + node.proto().input(input) +
                     "' has to be a constant here, but it is computed from the input");
  return *found;
}

std::vector<std::int64_t> Translator::known_integers(const Node& node, int input) const {
  const HostValue& found = known(node, input);
  if (found.kind != ValueKind::integers) throw node.error("'" + node.proto().input(input) + "' has to hold integers");
  return found.integers;
}

OpId Translator::op(const Node& node, int input) {
  (void)value(node, input);
  return op_of(node.proto().input(input));
}

OpId Translator::op_of(const std::string& name) {
  const Value& found = values_.at(name);
  if (const OpId* id = std::get_if<OpId>(&found)) return *id;
  if (const auto known = constants_.find(name); known != constants_.end()) return known->second;
  const HostValue& constant = std::get<HostValue>(found);
  Blob values = constant.floats;
  if (constant.kind == ValueKind::integers)
    values = Blob::copy_of(std::vector<float>(constant.integers.begin(), constant.integers.end()));
  const OpId id = graph_.add({.name = fresh_name(name),
                              .inputs = {},
                              .shape = constant.shape,
                              .type = ElementType::f32,
                              .attributes = Constant{graph_.add_weight(name, constant.shape, std::move(values))}});
  constants_.emplace(name, id);
  return id;
}

const Shape& Translator::shape(const Node& node, int input) const {
  const Value& found = value(node, input);
  if (const OpId* id = std::get_if<OpId>(&found)) return graph_.shape(*id);
  return std::get<HostValue>(found).shape;
}

WeightId Translator::weight(const Node& node, int input) {
  const HostValue& constant = known(node, input);
  if (constant.kind != ValueKind::floats) throw node.error("'" + node.proto().input(input) + "' has to hold floats");
  const std::string& name = node.proto().input(input);
  const auto [place, fresh] = weights_.try_emplace(name, no_weight);
  if (fresh) place->second = graph_.add_weight(name, constant.shape, constant.floats);
  return place->second;
}

WeightId Translator::weight(const std::string& name, Shape shape, Blob values) {
  return graph_.add_weight(name, std::move(shape), std::move(values));
}

std::string Translator::fresh_name(const std::string& wanted) {
  const int count = used_names_[wanted]++;
  return count == 0 ? wanted : fresh_name(wanted + "#" + std::to_string(count));
}

OpId Translator::add(const Node& node, std::vector<OpId> inputs, Attributes attributes, Shape shape) {
  try {
    return graph_.add({.name = fresh_name(node.name()),
                       .inputs = std::move(inputs),
                       .shape = std::move(shape),
                       .type = ElementType::f32,
                       .attributes = std::move(attributes)});
  } catch (const InvalidInput& error) {
    throw node.error(error.what());
  }
}

OpId Translator::reshape(const Node& node, OpId src, Shape shape) {
  if (graph_.shape(src) == shape) return src;
  if (volume(graph_.shape(src)) != volume(shape))
    throw node.error("cannot reshape " + to_string(graph_.shape(src)) + " to " + to_string(shape));
  return add(node, {src}, Reshape{}, std::move(shape));
}

Translation translation_of(const std::string& type) {
  for (const auto* family : {&spatial_translations(), &arithmetic_translations(), &structural_translations()})
    if (const auto found = family->find(type); found != family->end()) return found->second;
  return nullptr;
}

Shape resolved_shape(const Node& node, const Shape& src, const std::vector<std::int64_t>& wanted) {
  Shape shape;
  Index known = 1;
  int open = -1;
  const bool zero_is_zero = node.integer("allowzero", 0) != 0;
  for (std::size_t axis = 0; axis < wanted.size(); ++axis) {
    Index size = wanted[axis];
    if (size == 0 && !zero_is_zero) {
      if (axis >= src.size()) throw node.error("copies axis " + std::to_string(axis) + " of " + to_string(src));
      size = src[axis];
    }
    if (size == -1 && open < 0)
      open = static_cast<int>(axis);
    else if (size < 1 || size > most_folded_elements * 16)
      throw node.error("asks for size " + std::to_string(size));
    else
      known *= size;
    if (known > most_folded_elements * 16) throw node.error("asks for more elements than there are");
    shape.push_back(size);
  }
  if (open >= 0) shape[static_cast<std::size_t>(open)] = volume(src) / std::max<Index>(known, 1);
  if (volume(shape) != volume(src)) {
    std::string text;
    for (const std::int64_t size : wanted) text += (text.empty() ? "" : ", ") + std::to_string(size);
    throw node.error("cannot reshape " + to_string(src) + " to (" + text + ")");
  }
  return shape;
}

SliceRange slice_range(const Translator& translator, const Node& node, const Shape& src) {
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  std::optional<std::vector<std::int64_t>> axes;
  std::optional<std::vector<std::int64_t>> steps;
  if (node.opset() < 10) {
    starts = node.integers("starts").value_or(std::vector<std::int64_t>{});
    ends = node.integers("ends").value_or(std::vector<std::int64_t>{});
    axes = node.integers("axes");
  } else {
    starts = translator.known_integers(node, 1);
    ends = translator.known_integers(node, 2);
    if (node.has_input(3)) axes = translator.known_integers(node, 3);
    if (node.has_input(4)) steps = translator.known_integers(node, 4);
  }
  SliceRange range{.begin = std::vector<Index>(src.size(), 0), .step = std::vector<Index>(src.size(), 1), .shape = src};
  if (ends.size() != starts.size() || (axes && axes->size() != starts.size()) ||
      (steps && steps->size() != starts.size()))
    throw node.error("starts, ends, axes and steps have different lengths");
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto axis =
        static_cast<std::size_t>(axis_of(node, axes ? (*axes)[i] : static_cast<std::int64_t>(i), src.size()));
    const Index size = src[axis];
    const Index step = steps ? (*steps)[i] : 1;
    if (step == 0 || step < -most_folded_elements) throw node.error("a step is " + std::to_string(step));
    // As ONNX says: counted from the back where negative, then clamped.
    const auto place = [&](Index at, Index low, Index high) {
      return std::clamp(at < 0 ? std::max(at, -most_folded_elements * 16) + size : at, low, high);
    };
    const Index begin = step > 0 ? place(starts[i], 0, size) : place(starts[i], 0, size - 1);
    const Index end = step > 0 ? place(ends[i], 0, size) : place(ends[i], -1, size);
    const Index count = step > 0 ? (end - begin + step - 1) / step : (begin - end - step - 1) / -step;
    if (count <= 0)
      throw node.error("takes nothing of axis " + std::to_string(axis) + ", whose size is " + std::to_string(size));
    range.begin[axis] = begin;
    range.step[axis] = step;
    range.shape[axis] = count;
  }
  return range;
}

std::optional<std::vector<std::int64_t>> axes_of(const Translator& translator, const Node& node) {
  if (node.has_input(1)) return translator.known_integers(node, 1);
  return node.integers("axes");
}

}  // namespace strake::onnx_import
