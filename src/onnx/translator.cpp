// SPDX-License-Identifier: Apache-2.0
#include "onnx/translator.hpp"

#include <algorithm>

#include "core/unsupported_type.hpp"

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

const Value* Translator::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

const HostValue& Translator::known(const Node& node, int input) const {
  const OpId* id = std::get_if<OpId>(&value(node, input));
  if (id != nullptr && offered_.contains(*id)) bind(*id);
  if (const HostValue* found = constant(node, input)) return *found;
  const std::string& name = node.proto().input(input);
  if (id != nullptr && as<Input>(graph_.op(*id)) != nullptr)
    throw node.not_in_graph("input '" + name + "' has to be known when the model is read; give it with --input");
  throw node.not_in_graph("'" + name + "' has to be a constant here, but it is computed from the input");
}

void Translator::bind(OpId id) const {
  const HostTensor value = std::move(offered_.extract(id).mapped());
  Op& op = graph_.op(id);
  const HostTensor inside = converted(value, op.type);
  op.attributes = Constant{graph_.add_weight(op.name, inside.shape, inside.data, inside.type)};
  std::erase_if(graph_.inputs, [id](const Port& port) { return port.op == id; });
  bound_.push_back(op.name);
  for (auto& [name, known] : values_)
    if (const OpId* other = std::get_if<OpId>(&known); other != nullptr && *other == id) known = HostValue(value);
}

std::vector<std::int64_t> Translator::known_integers(const Node& node, int input) const {
  const HostValue& found = known(node, input);
  if (found.is_floats()) throw node.error("'" + node.proto().input(input) + "' has to hold integers");
  return found.integers();
}

OpId Translator::op(const Node& node, int input) {
  (void)value(node, input);
  return op_of(node.proto().input(input));
}

OpId Translator::op_of(const std::string& name) {
  const Value& found = values_.at(name);
  if (const OpId* id = std::get_if<OpId>(&found)) return *id;
  if (std::holds_alternative<TailValue>(found)) throw NotInGraph("'" + name + "'", "it is computed behind the graph");
  if (const auto known = constants_.find(name); known != constants_.end()) return known->second;
  const HostTensor constant = converted(std::get<HostValue>(found), graph_type(std::get<HostValue>(found).type));
  if (constant.size() == 0) throw NotInGraph("'" + name + "'", "it has no elements");
  const WeightId weight = graph_.add_weight(name, constant.shape, constant.data, constant.type);
  const OpId id = graph_.add({.name = fresh_name(name),
                              .inputs = {},
                              .shape = constant.shape,
                              .type = constant.type,
                              .attributes = Constant{weight}});
  constants_.emplace(name, id);
  return id;
}

const Shape& Translator::shape(const Node& node, int input) const {
  const Value& found = value(node, input);
  if (const OpId* id = std::get_if<OpId>(&found)) return graph_.shape(*id);
  if (const HostValue* constant = std::get_if<HostValue>(&found)) return constant->shape;
  throw node.not_in_graph("the shape of '" + node.proto().input(input) + "' is known only behind the graph");
}

WeightId Translator::weight(const Node& node, int input) {
  const HostValue& constant = known(node, input);
  if (!constant.is_floats()) throw node.error("'" + node.proto().input(input) + "' has to hold floats");
  const std::string& name = node.proto().input(input);
  const auto [place, fresh] = weights_.try_emplace(name, no_weight);
  if (fresh) place->second = graph_.add_weight(name, constant.shape, constant.floats());
  return place->second;
}

WeightId Translator::weight(const std::string& name, Shape shape, Blob values, ElementType type) {
  return graph_.add_weight(name, std::move(shape), std::move(values), type);
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
  } catch (const UnsupportedType& error) {
    throw node.not_in_graph(error.what());
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
  for (const auto* family :
       {&spatial_translations(), &window_translations(), &resize_translations(), &pointwise_translations(),
        &repeat_translations(), &norm_translations(), &product_translations(), &quantized_translations(),
        &reduce_translations(), &structural_translations()})
    if (const auto found = family->find(type); found != family->end()) return found->second;
  return nullptr;
}

std::optional<std::vector<std::int64_t>> axes_of(const Translator& translator, const Node& node) {
  if (node.has_input(1)) return translator.known_integers(node, 1);
  return node.integers("axes");
}

SliceRange slice_range(const Translator& translator, const Node& node, const Shape& src) {
  return slice_range(node, src, [&](int i) { return translator.known_integers(node, i); });
}

}  // namespace strake::onnx_import
