// SPDX-License-Identifier: Apache-2.0
#include "core/op.hpp"

namespace strake {

std::string_view kind_name(const Op& op) {
  constexpr std::array<std::string_view, std::variant_size_v<Attributes>> names = {
      "Input",        "Constant",     "NormalizePicture",
      "Conv",         "Pool",         "ReduceRows",
      "ReduceParts",  "Elementwise",  "Binary",
      "ScaleShift",   "Concat",       "Reshape",
      "Transpose",    "Slice",        "Pad",
      "Gather",       "MatMul",       "Softmax",
      "Lrn",          "Reduce",       "Pointwise",
      "Expand",       "Tile",         "Trilu",
      "DepthToSpace", "SpaceToDepth", "BorderPad",
      "PoolNd",       "ConvNd",       "PoolIndices",
      "MaxUnpool",    "GridSample",   "RoiAlign",
      "Resize",       "ArgReduce",    "CumSum",
      "Normalize",    "IntegerConv"};
  return names[op.attributes.index()];
}

namespace {

template <class AnyOp>
auto* post_ops_of(AnyOp& op) {
  if (auto* conv = as<Conv>(op)) return &conv->post_ops;
  if (auto* binary = as<Binary>(op)) return &binary->post_ops;
  if (auto* scale_shift = as<ScaleShift>(op)) return &scale_shift->post_ops;
  return decltype(&as<Conv>(op)->post_ops){nullptr};
}

}  // namespace

const std::vector<PostOp>* post_ops(const Op& op) { return post_ops_of(op); }
std::vector<PostOp>* post_ops(Op& op) { return post_ops_of(op); }

bool is_cell_arithmetic(const Op& op) {
  return as<Elementwise>(op) != nullptr || as<Binary>(op) != nullptr || as<ScaleShift>(op) != nullptr;
}

int residual_input(const Op& op) {
  const std::vector<PostOp>* list = post_ops(op);
  if (list == nullptr) return -1;
  for (const PostOp& post_op : *list)
    if (const auto* add = std::get_if<AddInput>(&post_op)) return add->input;
  return -1;
}

std::vector<WeightId> weights_of(const Op& op) {
  std::vector<WeightId> ids;
  const auto add = [&ids](WeightId id) {
    if (id != no_weight) ids.push_back(id);
  };
  if (const auto* conv = as<Conv>(op)) {
    add(conv->weights);
    add(conv->bias);
  } else if (const auto* scale_shift = as<ScaleShift>(op)) {
    add(scale_shift->scale);
    add(scale_shift->shift);
  } else if (const auto* constant = as<Constant>(op)) {
    add(constant->value);
  } else if (const auto* conv_nd = as<ConvNd>(op)) {
    add(conv_nd->weights);
    add(conv_nd->bias);
  } else if (const auto* integer_conv = as<IntegerConv>(op)) {
    for_each_weight(*integer_conv, add);
  }
  return ids;
}

}  // namespace strake
