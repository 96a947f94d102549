// SPDX-License-Identifier: Apache-2.0
#include "fuzz/mutate.hpp"

#include <array>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace strake::fuzz {

namespace {

constexpr std::array<std::int64_t, 20> numbers{0,
                                               1,
                                               -1,
                                               2,
                                               3,
                                               4,
                                               -2,
                                               7,
                                               16,
                                               64,
                                               1000,
                                               1 << 16,
                                               1 << 24,
                                               1LL << 31,
                                               -(1LL << 31),
                                               1LL << 32,
                                               1LL << 40,
                                               1LL << 62,
                                               std::numeric_limits<std::int64_t>::max(),
                                               std::numeric_limits<std::int64_t>::min()};

constexpr std::array<float, 8> floats{
    0, 1, -1, 0.5F, 1e30F, -1e-30F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()};

// Types and attribute names that the seeds may not have, in no order.
constexpr std::array types{"Relu",
                           "Add",
                           "Concat",
                           "Reshape",
                           "Shape",
                           "Gather",
                           "Slice",
                           "Split",
                           "Pad",
                           "Resize",
                           "Upsample",
                           "Expand",
                           "Tile",
                           "Where",
                           "Cast",
                           "TopK",
                           "NonZero",
                           "Unique",
                           "Compress",
                           "OneHot",
                           "Trilu",
                           "Einsum",
                           "GatherND",
                           "ScatterND",
                           "ScatterElements",
                           "ArgMax",
                           "EyeLike",
                           "ReverseSequence",
                           "ReduceL2",
                           "ReduceProd",
                           "Flatten",
                           "Squeeze",
                           "Unsqueeze",
                           "MatMul",
                           "Det",
                           "LpPool",
                           "GridSample",
                           "RoiAlign",
                           "MaxUnpool",
                           "LayerNormalization",
                           "LogSoftmax",
                           "QLinearConv",
                           "QLinearMatMul",
                           "ConvInteger",
                           "MatMulInteger",
                           "DynamicQuantizeLinear",
                           "CastLike",
                           "BitShift",
                           "Hardmax",
                           "Dropout",
                           "Range",
                           "ConstantOfShape",
                           "DepthToSpace"};
constexpr std::array attribute_names{"axis",
                                     "axes",
                                     "kernel_shape",
                                     "strides",
                                     "pads",
                                     "dilations",
                                     "group",
                                     "mode",
                                     "perm",
                                     "keepdims",
                                     "to",
                                     "auto_pad",
                                     "ceil_mode",
                                     "blocksize",
                                     "size",
                                     "split",
                                     "output_padding",
                                     "output_shape",
                                     "storage_order",
                                     "largest",
                                     "sorted",
                                     "alpha",
                                     "equation",
                                     "noop_with_empty_axes",
                                     "exclude_outside",
                                     "num_outputs"};

class Mutator {
 public:
  Mutator(onnx::ModelProto& model, std::minstd_rand& random)
      : model_(model), graph_(*model.mutable_graph()), random_(random) {}

  void run() {
    const std::array<std::function<void()>, 10> changes{[this] { change_type(); },      [this] { change_input(); },
                                                        [this] { change_attribute(); }, [this] { change_attribute(); },
                                                        [this] { change_weight(); },    [this] { change_weight(); },
                                                        [this] { change_port(); },      [this] { change_order(); },
                                                        [this] { change_output(); },    [this] { change_opset(); }};
    changes[below(changes.size())]();
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  bool chance(std::size_t percent) { return below(100) < percent; }
  std::int64_t number() { return numbers[below(chance(70) ? 11 : numbers.size())]; }

  template <class List>
  auto* any(List* list) {
    return list->empty() ? nullptr : list->Mutable(static_cast<int>(below(static_cast<std::size_t>(list->size()))));
  }

  onnx::NodeProto* node() { return any(graph_.mutable_node()); }

  std::string any_value() {
    std::vector<std::string> names{""};
    for (const auto& tensor : graph_.initializer()) names.push_back(tensor.name());
    for (const auto& input : graph_.input()) names.push_back(input.name());
    for (const auto& one : graph_.node()) names.insert(names.end(), one.output().begin(), one.output().end());
    return names[below(names.size())];
  }

  void change_type() {
    onnx::NodeProto* const one = node();
    if (one == nullptr) return;
    const onnx::NodeProto* const other = node();
    one->set_op_type(chance(50) ? other->op_type() : types[below(types.size())]);
  }

  void change_input() {
    onnx::NodeProto* const one = node();
    if (one == nullptr) return;
    if (one->input_size() == 0 || chance(20))
      one->add_input(any_value());
    else if (chance(20))
      one->mutable_input()->RemoveLast();
    else
      *any(one->mutable_input()) = any_value();
  }

  void change_attribute() {
    onnx::NodeProto* const one = node();
    if (one == nullptr) return;
    if (one->attribute_size() == 0 || chance(15)) {
      one->add_attribute()->set_name(attribute_names[below(attribute_names.size())]);
      change_kind(one->mutable_attribute(one->attribute_size() - 1));
      return;
    }
    onnx::AttributeProto* const attribute = any(one->mutable_attribute());
    if (chance(10))
      one->mutable_attribute()->RemoveLast();
    else if (chance(10))
      attribute->set_name(attribute_names[below(attribute_names.size())]);
    else if (chance(10))
      change_kind(attribute);
    else if (attribute->has_t())
      change_tensor(attribute->mutable_t());
    else if (attribute->ints_size() > 0)
      change_numbers(attribute->mutable_ints());
    else if (attribute->has_f())
      attribute->set_f(floats[below(floats.size())]);
    else if (attribute->has_s())
      attribute->set_s(chance(50) ? "SAME_LOWER" : "linear");
    else
      attribute->set_i(number());
  }

  void change_kind(onnx::AttributeProto* attribute) {
    if (chance(50)) {
      attribute->set_type(onnx::AttributeProto::INT);
      attribute->set_i(number());
    } else {
      attribute->set_type(onnx::AttributeProto::INTS);
      for (std::size_t i = below(5); i > 0; --i) attribute->add_ints(number());
    }
  }

  template <class Numbers>
  void change_numbers(Numbers* list) {
    if (list->empty() || chance(10))
      list->Add(number());
    else if (chance(10))
      list->RemoveLast();
    else
      list->Set(static_cast<int>(below(static_cast<std::size_t>(list->size()))), number());
  }

  void change_weight() {
    if (onnx::TensorProto* const tensor = any(graph_.mutable_initializer())) change_tensor(tensor);
  }

  void change_tensor(onnx::TensorProto* tensor) {
    const std::size_t choice = below(10);
    if (choice == 0)
      tensor->set_data_type(static_cast<int>(below(18)));
    else if (choice < 3)
      change_numbers(tensor->mutable_dims());
    else if (tensor->int64_data_size() > 0)
      change_numbers(tensor->mutable_int64_data());
    else if (tensor->float_data_size() > 0)
      tensor->set_float_data(0, floats[below(floats.size())]);
    else if (tensor->raw_data().size() >= sizeof(std::int64_t))
      change_bytes(*tensor->mutable_raw_data());
    else
      tensor->mutable_raw_data()->resize(below(20));
  }

  void change_bytes(std::string& raw) {
    const std::int64_t value = number();
    const std::size_t width = chance(50) ? 8 : 4;
    std::memcpy(raw.data() + below(raw.size() / width) * width, &value, width);
  }

  void change_port() {
    onnx::ValueInfoProto* const port = any(chance(80) ? graph_.mutable_input() : graph_.mutable_output());
    if (port == nullptr) return;
    auto& tensor = *port->mutable_type()->mutable_tensor_type();
    auto& dims = *tensor.mutable_shape()->mutable_dim();
    if (chance(15))
      tensor.set_elem_type(static_cast<int>(below(18)));
    else if (dims.empty() || chance(10))
      dims.Add()->set_dim_value(number());
    else if (chance(10))
      dims.RemoveLast();
    else
      any(&dims)->set_dim_value(number());
  }

  void change_order() {
    onnx::NodeProto* const one = node();
    if (one == nullptr) return;
    if (chance(30)) {
      const onnx::NodeProto copy = *one;
      *graph_.add_node() = copy;
      for (auto& output : *graph_.mutable_node(graph_.node_size() - 1)->mutable_output()) output += "_again";
    } else if (chance(30)) {
      graph_.mutable_node()->RemoveLast();
    } else {
      graph_.mutable_node()->SwapElements(static_cast<int>(below(static_cast<std::size_t>(graph_.node_size()))), 0);
    }
  }

  void change_output() {
    if (chance(30)) {
      *graph_.add_output() = onnx::ValueInfoProto();
      graph_.mutable_output(graph_.output_size() - 1)->set_name(any_value());
    } else if (onnx::ValueInfoProto* const output = any(graph_.mutable_output())) {
      output->set_name(any_value());
    }
  }

  void change_opset() {
    if (auto* const import = any(model_.mutable_opset_import()))
      import->set_version(static_cast<std::int64_t>(6 + below(17)));
  }

  onnx::ModelProto& model_;
  onnx::GraphProto& graph_;
  std::minstd_rand& random_;
};

}  // namespace

void mutate(onnx::ModelProto& model, std::minstd_rand& random) { Mutator(model, random).run(); }

}  // namespace strake::fuzz
