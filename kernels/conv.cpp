// SPDX-License-Identifier: Apache-2.0
// Convolutions by oneDNN, on dense NHWC slabs.

#include <array>
#include <cstring>
#include <string_view>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "kernels/conv_geometry.hpp"
#include "kernels/onednn.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

using dnnl::memory;
using onednn::ConvPd;
using onednn::first_convolution;

std::size_t aligned(std::size_t n_bytes) { return (n_bytes + 63) / 64 * 64; }

// ---- which implementation -----------------------------------------------------------------------------------------

bool is_reference(std::string_view name) { return name.starts_with("ref") || name.starts_with("gemm:ref"); }

// Implementations whose bits were never seen to depend on the slab (docs/architecture.md, "Exact"): they add the
// products of one output in one order. Plain `brgconv` and the gemm ones are not among them.
bool is_cut_independent(std::string_view name) {
  for (const std::string_view prefix : {"brgconv_1x1:", "jit_1x1:", "jit:avx", "jit:sse", "jit_dw:", "brdgmm"})
    if (name.starts_with(prefix)) return true;
  return false;
}

// ---- descriptions -------------------------------------------------------------------------------------------------

// One eltwise operation each; empty where oneDNN has none.
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

memory::desc floats(const memory::dims& dims, memory::format_tag tag) { return {dims, memory::data_type::f32, tag}; }

memory::dims weight_dims(const ConvGeometry& g) {
  const Index oc = g.out_channels.size();
  if (g.groups == 1) return {oc, g.ic, g.h.kernel, g.w.kernel};
  const Index groups = oc / (g.oc / g.groups);
  return {groups, g.oc / g.groups, g.ic / g.groups, g.h.kernel, g.w.kernel};
}

onednn::ConvDesc describe(const ConvGeometry& g, bool with_bias) {
  const Index oc = g.out_channels.size();
  const Index ic = g.groups == 1 ? g.ic : oc / (g.oc / g.groups) * (g.ic / g.groups);
  return {.src = floats({g.n, ic, g.ih, g.iw}, memory::format_tag::nhwc),
          .weights = floats(weight_dims(g), memory::format_tag::any),
          .bias = with_bias ? floats({oc}, memory::format_tag::x) : memory::desc(),
          .dst = floats({g.n, oc, g.oh, g.ow}, memory::format_tag::nhwc),
          .strides = {g.h.stride, g.w.stride},
          .dilations = {g.h.dilation - 1, g.w.dilation - 1},
          .pad_begin = {g.h.pad_begin, g.w.pad_begin},
          .pad_end = {g.h.pad_end, g.w.pad_end}};
}

dnnl::primitive_attr attributes_of(const dnnl::post_ops& post_ops) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attr.set_post_ops(post_ops);
  return attr;
}

// ---- the kernel ---------------------------------------------------------------------------------------------------

// Where the primitive reads or writes in the workspace because the view is not dense, or zero padding is written out.
struct Staging {
  bool used = false;
  std::size_t offset = 0;      // of the slab in the workspace
  std::size_t first_cell = 0;  // of the view's cells in the slab, in bytes: behind padding that is written out
  Walk in;                     // from the view to the slab
  Walk out;                    // and back
};

class OneDnnConv final : public Kernel {
 public:
  struct Parts {
    ConvPd pd;
    std::shared_ptr<Blob> weights;
    std::shared_ptr<Blob> bias;
    Staging src;
    std::size_t src_bytes = 0;
    Staging dst;
    std::size_t scratchpad_offset = 0;
    bool adds_residual = false;
  };

  OneDnnConv(const Request& request, Workspace& workspace, Parts parts)
      : src_view_(request.src.front()),
        dst_view_(request.dst),
        workspace_(&workspace),
        parts_(std::move(parts)),
        primitive_(parts_.pd),
        src_(parts_.pd.src_desc(), onednn::engine(), src_view_.data),
        dst_(parts_.pd.dst_desc(), onednn::engine(), dst_view_.data),
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
    scratchpad_.set_data_handle(base == nullptr ? nullptr : base + parts_.scratchpad_offset);
    if (parts_.src.used) stage_source(base + parts_.src.offset);
    if (parts_.dst.used) {
      std::byte* staged = base + parts_.dst.offset;
      dst_.set_data_handle(staged);
      if (parts_.adds_residual) copy(parts_.dst.in, dst_view_.floats(), reinterpret_cast<float*>(staged));
    }
    primitive_.execute(onednn::stream(), arguments_);
    if (parts_.dst.used)
      copy(parts_.dst.out, reinterpret_cast<const float*>(base + parts_.dst.offset), dst_view_.floats());
  }

  [[nodiscard]] std::string implementation() const override {
    return std::string(parts_.pd.impl_info_str()) + (parts_.src.used || parts_.dst.used ? "+staged" : "");
  }

 private:
  void stage_source(std::byte* staged) {
    if (parts_.src_bytes > dense_bytes(src_view_.box, ElementType::f32)) std::memset(staged, 0, parts_.src_bytes);
    src_.set_data_handle(staged);
    copy(parts_.src.in, src_view_.floats(), reinterpret_cast<float*>(staged + parts_.src.first_cell));
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
  const std::vector<std::uint8_t> blob = desc.get_blob();
  key.append(blob.begin(), blob.end());
#else
  key.append(reinterpret_cast<const char*>(&desc.data), sizeof(desc.data));
#endif
  return key;
}

// Weights of the box's channels in the primitive's own format, shared with other slabs that want the same.
std::shared_ptr<Blob> prepared_weights(const MakeContext& context, const ConvPd& pd, const ConvGeometry& g) {
  const WeightId id = as<Conv>(context.op())->weights;
  const memory::desc wanted = pd.weights_desc();
  const std::string key = key_of(wanted, g.out_channels);
  if (std::shared_ptr<Blob> known = context.weights.prepared(id, key)) return known;
  Blob original = context.weights.original(id);
  const Index row = g.ic / g.groups * g.h.kernel * g.w.kernel;
  float* from = original.floats().data() + g.out_channels.begin * row;
  const auto tag = g.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw;
  auto values = std::make_shared<Blob>(Blob::allocate(wanted.get_size()));
  memory src(floats(weight_dims(g), tag), onednn::engine(), from);
  memory dst(wanted, onednn::engine(), values->data());
  dnnl::reorder(src, dst).execute(onednn::stream(), src, dst);
  context.weights.keep(id, key, values);
  return values;
}

std::shared_ptr<Blob> prepared_bias(const MakeContext& context, const ConvGeometry& g) {
  const WeightId id = as<Conv>(context.op())->bias;
  if (id == no_weight) return nullptr;
  const Blob original = context.weights.original(id);
  const auto all = original.floats();
  return std::make_shared<Blob>(Blob::copy_of(
      all.subspan(static_cast<std::size_t>(g.out_channels.begin), static_cast<std::size_t>(g.out_channels.size()))));
}

// With the zero padding written out around the source, as far as the window reaches beyond it.
ConvGeometry written_out(const ConvGeometry& g) {
  ConvGeometry padded = g;
  padded.ih += g.h.pad_begin + g.h.pad_end;
  padded.iw += g.w.pad_begin + g.w.pad_end;
  padded.h.pad_begin = padded.h.pad_end = padded.w.pad_begin = padded.w.pad_end = 0;
  return padded;
}

KernelPtr bind(const MakeContext& context, ConvPd pd, const ConvGeometry& g, bool padding_written_out) {
  const Request& request = context.request;
  const View& src = request.src.front();
  OneDnnConv::Parts parts{.pd = std::move(pd),
                          .weights = nullptr,
                          .bias = prepared_bias(context, g),
                          .src = {},
                          .src_bytes = 0,
                          .dst = {},
                          .scratchpad_offset = 0,
                          .adds_residual = residual_input(context.op()) >= 0};
  parts.weights = prepared_weights(context, parts.pd, g);
  std::size_t n_bytes = aligned(parts.pd.scratchpad_desc().get_size());
  if (padding_written_out || !src.dense()) {
    Box slab = src.box;
    if (padding_written_out) {
      slab[2] = {src.box[2].begin - g.h.pad_begin, src.box[2].end + g.h.pad_end};
      slab[3] = {src.box[3].begin - g.w.pad_begin, src.box[3].end + g.w.pad_end};
    }
    const View staged = dense_view(slab, ElementType::f32, nullptr);
    const Index offset =
        (src.box[2].begin - slab[2].begin) * staged.strides[2] + (src.box[3].begin - slab[3].begin) * staged.strides[3];
    View part = staged;
    part.box = src.box;
    parts.src = {.used = true,
                 .offset = n_bytes,
                 .first_cell = static_cast<std::size_t>(offset) * sizeof(float),
                 .in = walk_over({src, part}),
                 .out = {}};
    parts.src_bytes = dense_bytes(slab, ElementType::f32);
    n_bytes += aligned(parts.src_bytes);
  }
  if (!request.dst.dense()) {
    const View staged = dense_view(request.dst.box, ElementType::f32, nullptr);
    parts.dst = {.used = true,
                 .offset = n_bytes,
                 .first_cell = 0,
                 .in = walk_over({request.dst, staged}),
                 .out = walk_over({staged, request.dst})};
    n_bytes += aligned(dense_bytes(request.dst.box, ElementType::f32));
  }
  context.workspace.reserve(n_bytes);
  return std::make_unique<OneDnnConv>(request, context.workspace, std::move(parts));
}

// The name of the implementation that the whole layer gets under `exact`; empty if none is to be trusted.
std::string exact_implementation(const MakeContext& context, const dnnl::primitive_attr& attr, bool with_bias) {
  const ConvGeometry whole_layer = geometry_of(context, whole(context.src_shape(0)), whole(context.op().shape));
  const auto pd = first_convolution(describe(whole_layer, with_bias), attr, is_cut_independent);
  return pd ? pd->impl_info_str() : "";
}

KernelPtr make_exact(const MakeContext& context, const ConvGeometry& g, const dnnl::primitive_attr& attr,
                     bool with_bias) {
  const std::string wanted = exact_implementation(context, attr, with_bias);
  if (wanted.empty()) return make_own_conv(context);
  const auto is_wanted = [&](std::string_view name) { return name == wanted; };
  if (auto pd = first_convolution(describe(g, with_bias), attr, is_wanted)) return bind(context, *pd, g, false);
  const ConvGeometry padded = written_out(g);
  if (auto pd = first_convolution(describe(padded, with_bias), attr, is_wanted)) return bind(context, *pd, g, true);
  throw InvalidInput("operator '" + context.op().name + "': its kernel " + wanted + " cannot compute the box " +
                     to_string(context.request.dst.box) + ", so this cut is not possible with --exact");
}

// True when a window along this axis has no tap inside the slab, as happens with dilated kernels on tiny maps.
bool has_empty_window(const WindowAxis& axis, Index src_size, Index dst_size) {
  for (Index at = 0; at < dst_size; ++at) {
    bool empty = true;
    for (Index k = 0; k < axis.kernel && empty; ++k) {
      const Index place = at * axis.stride - axis.pad_begin + k * axis.dilation;
      empty = place < 0 || place >= src_size;
    }
    if (empty) return true;
  }
  return false;
}

KernelPtr make_fastest(const MakeContext& context, const ConvGeometry& g, const dnnl::primitive_attr& attr,
                       bool with_bias) {
  // oneDNN 2.6's brgconv applies post-ops to such windows with an unset register: it crashes, or worse, does not.
  const bool no_brgconv = has_empty_window(g.h, g.ih, g.oh) || has_empty_window(g.w, g.iw, g.ow);
  const auto is_fast = [&](std::string_view name) {
    return !is_reference(name) && !(no_brgconv && name.starts_with("brgconv:"));
  };
  if (auto pd = first_convolution(describe(g, with_bias), attr, is_fast)) return bind(context, *pd, g, false);
  log(LogLevel::debug, "operator '" + context.op().name + "': the kernel library has only a reference for it");
  return make_own_conv(context);
}

}  // namespace

KernelPtr make_conv(const MakeContext& context) {
  const Conv& conv = *as<Conv>(context.op());
  if (is_fully_connected(context)) return make_fully_connected(context);
  const std::optional<dnnl::post_ops> post_ops = translated(conv.post_ops);
  const View& src = context.request.src.front();
  // Nothing but padding to read, or part of a group's channels to write.
  const Interval channels = context.request.dst.box[1];
  const Index per_group = context.op().shape[1] / conv.groups;
  const bool whole_groups = conv.groups == 1 || (channels.begin % per_group == 0 && channels.end % per_group == 0);
  if (!post_ops || src.box.empty() || !whole_groups) return make_own_conv(context);
  const ConvGeometry g = geometry_of(context, src.box, context.request.dst.box);
  const dnnl::primitive_attr attr = attributes_of(*post_ops);
  const bool with_bias = conv.bias != no_weight;
  return context.request.exactness == Exactness::exact ? make_exact(context, g, attr, with_bias)
                                                       : make_fastest(context, g, attr, with_bias);
}

}  // namespace strake::kernels
