// SPDX-License-Identifier: Apache-2.0
#include "kernels/onednn_conv.hpp"

#include <cstring>

#include "kernels/conv_geometry.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

using dnnl::memory;
using onednn::ConvPd;

std::size_t aligned(std::size_t n_bytes) { return (n_bytes + 63) / 64 * 64; }

memory::desc floats(const memory::dims& dims, memory::format_tag tag) { return {dims, memory::data_type::f32, tag}; }

memory::dims weight_dims(const ConvGeometry& g) {
  const Index oc = g.out_channels.size();
  if (g.groups == 1) return {oc, g.ic, g.h.kernel, g.w.kernel};
  const Index groups = oc / (g.oc / g.groups);
  return {groups, g.oc / g.groups, g.ic / g.groups, g.h.kernel, g.w.kernel};
}

// A slab that the primitive sees in the workspace because it is not what a view holds.
struct Staging {
  bool used = false;
  std::size_t offset = 0;      // of the slab in the workspace, in bytes
  std::size_t n_bytes = 0;     // of the slab
  std::size_t first_cell = 0;  // where in the slab the view's cells begin, in bytes
  bool has_border = false;     // around the view's cells
  Walk in;                     // from the view to its place in the slab
  Walk out;                    // and back
};

Staging stage(const View& view, const Box& slab, std::size_t offset) {
  if (view.dense() && view.box == slab) return {};
  const View staged = dense_view(slab, ElementType::f32, nullptr);
  Staging staging{.used = true,
                  .offset = offset,
                  .n_bytes = dense_bytes(slab, ElementType::f32),
                  .first_cell = 0,
                  .has_border = view.box != slab,
                  .in = {},
                  .out = {}};
  if (view.box.empty()) return staging;
  Index first = 0;
  for (std::size_t axis = 0; axis < slab.rank(); ++axis)
    first += (view.box[axis].begin - slab[axis].begin) * staged.strides[axis];
  staging.first_cell = static_cast<std::size_t>(first) * sizeof(float);
  View part = staged;
  part.box = view.box;
  staging.in = walk_over({view, part});
  staging.out = walk_over({part, view});
  return staging;
}

class OneDnnConv final : public Kernel {
 public:
  struct Parts {
    ConvPd pd;
    std::shared_ptr<Blob> weights;
    std::shared_ptr<Blob> bias;
    Staging src;
    Staging dst;
    bool adds_residual = false;
  };

  // The scratchpad lies at the front of the workspace.
  OneDnnConv(const View& src, const View& dst, Workspace& workspace, Parts parts)
      : src_view_(src),
        dst_view_(dst),
        workspace_(&workspace),
        parts_(std::move(parts)),
        primitive_(parts_.pd),
        src_(parts_.pd.src_desc(), onednn::engine(), src.data),
        dst_(parts_.pd.dst_desc(), onednn::engine(), dst.data),
        scratchpad_(parts_.pd.scratchpad_desc(), onednn::engine(), nullptr),
        arguments_{{DNNL_ARG_SRC, src_},
                   {DNNL_ARG_WEIGHTS, memory(parts_.pd.weights_desc(), onednn::engine(), parts_.weights->data())},
                   {DNNL_ARG_DST, dst_},
                   {DNNL_ARG_SCRATCHPAD, scratchpad_}} {
    if (parts_.bias)
      arguments_.insert({DNNL_ARG_BIAS, memory(parts_.pd.bias_desc(), onednn::engine(), parts_.bias->data())});
  }

  void run() override {
    std::byte* base = workspace_->data();
    scratchpad_.set_data_handle(base);
    if (parts_.src.used) stage_source(base + parts_.src.offset);
    if (parts_.dst.used) {
      dst_.set_data_handle(base + parts_.dst.offset);
      if (parts_.adds_residual) copy(parts_.dst.in, dst_view_.floats(), wanted_cells(base));
    }
    primitive_.execute(onednn::stream(), arguments_);
    if (parts_.dst.used) copy(parts_.dst.out, wanted_cells(base), dst_view_.floats());
  }

  [[nodiscard]] std::string implementation() const override {
    return std::string(parts_.pd.impl_info_str()) + (parts_.src.used || parts_.dst.used ? "+staged" : "");
  }

 private:
  void stage_source(std::byte* slab) {
    if (parts_.src.has_border) std::memset(slab, 0, parts_.src.n_bytes);
    if (!src_view_.box.empty())
      copy(parts_.src.in, src_view_.floats(), reinterpret_cast<float*>(slab + parts_.src.first_cell));
    src_.set_data_handle(slab);
  }

  [[nodiscard]] float* wanted_cells(std::byte* base) const {
    return reinterpret_cast<float*>(base + parts_.dst.offset + parts_.dst.first_cell);
  }

  View src_view_;
  View dst_view_;
  Workspace* workspace_;
  Parts parts_;
  dnnl::convolution_forward primitive_;
  memory src_;
  memory dst_;
  memory scratchpad_;
  std::unordered_map<int, memory> arguments_;
};

std::string key_of(const memory::desc& desc, Interval channels) {
  std::string key = std::to_string(channels.begin) + ":";
#if DNNL_VERSION_MAJOR >= 3
  memory::desc copy = desc;  // whose question for its bytes is not const
  const std::vector<std::uint8_t> blob = copy.get_blob();
  key.append(blob.begin(), blob.end());
#else
  key.append(reinterpret_cast<const char*>(&desc.data), sizeof(desc.data));
#endif
  return key;
}

// Weights of the box's channels in the primitive's own format.
std::shared_ptr<Blob> prepared_weights(const MakeContext& context, const ConvPd& pd, const ConvGeometry& g) {
  const WeightId id = as<Conv>(context.op())->weights;
  const memory::desc wanted = pd.weights_desc();
  const std::string key = key_of(wanted, g.out_channels);
  if (std::shared_ptr<Blob> known = context.weights.prepared(id, key)) return known;
  Blob original = context.weights.original(id);
  const Index row = g.ic / g.groups * g.h.kernel * g.w.kernel;
  float* from = original.floats().data() + g.out_channels.begin * row;
  const auto tag = g.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw;
  auto values = std::make_shared<Blob>(context.weights.allocate(wanted.get_size()));
  memory src(floats(weight_dims(g), tag), onednn::engine(), from);
  memory dst(wanted, onednn::engine(), values->data());
  dnnl::reorder(src, dst).execute(onednn::stream(), src, dst);
  context.weights.keep(id, key, values);
  return values;
}

std::shared_ptr<Blob> prepared_bias(const MakeContext& context, Interval channels) {
  const WeightId id = as<Conv>(context.op())->bias;
  if (id == no_weight) return nullptr;
  const Blob original = context.weights.original(id);
  return std::make_shared<Blob>(Blob::copy_of(
      original.floats().subspan(static_cast<std::size_t>(channels.begin), static_cast<std::size_t>(channels.size()))));
}

}  // namespace

std::optional<dnnl::post_ops> translated(const std::vector<PostOp>& post_ops) {
  using dnnl::algorithm;
  dnnl::post_ops ops;
  for (const PostOp& post_op : post_ops) {
    const auto* f = std::get_if<Activation>(&post_op);
    if (f == nullptr) {
      ops.append_sum(1.0F);
      continue;
    }
    switch (f->kind) {
      case ActivationKind::relu:
        onednn::append_eltwise(ops, algorithm::eltwise_relu, 0, 0);
        break;
      case ActivationKind::leaky_relu:
        onednn::append_eltwise(ops, algorithm::eltwise_relu, f->alpha, 0);
        break;
      case ActivationKind::clip:
        onednn::append_eltwise(ops, algorithm::eltwise_clip, f->alpha, f->beta);
        break;
      case ActivationKind::sigmoid:
        onednn::append_eltwise(ops, algorithm::eltwise_logistic, 0, 0);
        break;
      case ActivationKind::tanh:
        onednn::append_eltwise(ops, algorithm::eltwise_tanh, 0, 0);
        break;
      case ActivationKind::swish:
        onednn::append_eltwise(ops, algorithm::eltwise_swish, f->alpha, 0);
        break;
      case ActivationKind::elu:
        onednn::append_eltwise(ops, algorithm::eltwise_elu, f->alpha, 0);
        break;
      case ActivationKind::hard_sigmoid:
        onednn::append_eltwise(ops, algorithm::eltwise_linear, f->alpha, f->beta);
        onednn::append_eltwise(ops, algorithm::eltwise_clip, 0, 1);
        break;
      case ActivationKind::hard_swish:
        onednn::append_eltwise(ops, algorithm::eltwise_hardswish, 1.0F / 6.0F, 0.5F);
        break;
      case ActivationKind::linear:
        onednn::append_eltwise(ops, algorithm::eltwise_linear, f->alpha, f->beta);
        break;
      case ActivationKind::abs:
        onednn::append_eltwise(ops, algorithm::eltwise_abs, 0, 0);
        break;
      case ActivationKind::exp:
        onednn::append_eltwise(ops, algorithm::eltwise_exp, 0, 0);
        break;
      case ActivationKind::sqrt:
        onednn::append_eltwise(ops, algorithm::eltwise_sqrt, 0, 0);
        break;
      default:
        return std::nullopt;
    }
  }
  return ops;
}

onednn::ConvDesc describe(const MakeContext& context, const Box& read, const Box& computed) {
  const ConvGeometry g = geometry_of(context, read, computed);
  const Index oc = g.out_channels.size();
  const Index ic = g.groups == 1 ? g.ic : oc / (g.oc / g.groups) * (g.ic / g.groups);
  const bool with_bias = as<Conv>(context.op())->bias != no_weight;
  return {.src = floats({g.n, ic, g.ih, g.iw}, memory::format_tag::nhwc),
          .weights = floats(weight_dims(g), memory::format_tag::any),
          .bias = with_bias ? floats({oc}, memory::format_tag::x) : memory::desc(),
          .dst = floats({g.n, oc, g.oh, g.ow}, memory::format_tag::nhwc),
          .strides = {g.h.stride, g.w.stride},
          .dilations = {g.h.dilation - 1, g.w.dilation - 1},
          .pad_begin = {g.h.pad_begin, g.w.pad_begin},
          .pad_end = {g.h.pad_end, g.w.pad_end}};
}

KernelPtr bind(const MakeContext& context, ConvPd pd, const ConvSlabs& slabs) {
  const View& dst = context.request.dst;
  const ConvGeometry g = geometry_of(context, slabs.read, slabs.computed);
  std::size_t n_bytes = aligned(pd.scratchpad_desc().get_size());
  Staging src_staging = stage(slabs.src, slabs.read, n_bytes);
  n_bytes += aligned(src_staging.n_bytes);
  Staging dst_staging = stage(dst, slabs.computed, n_bytes);
  n_bytes += aligned(dst_staging.n_bytes);
  context.workspace.reserve(n_bytes);
  OneDnnConv::Parts parts{.pd = std::move(pd),
                          .weights = nullptr,
                          .bias = prepared_bias(context, g.out_channels),
                          .src = std::move(src_staging),
                          .dst = std::move(dst_staging),
                          .adds_residual = residual_input(context.op()) >= 0};
  parts.weights = prepared_weights(context, parts.pd, g);
  return std::make_unique<OneDnnConv>(slabs.src, dst, context.workspace, std::move(parts));
}

}  // namespace strake::kernels
