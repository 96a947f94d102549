// SPDX-License-Identifier: Apache-2.0
// Which code computes a convolution.

#include <algorithm>
#include <string_view>

#include "core/errors.hpp"
#include "core/log.hpp"
#include "kernels/fast_activation.hpp"
#include "kernels/isa.hpp"
#include "kernels/onednn_conv.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

using onednn::first_convolution;

// ---- which implementation -----------------------------------------------------------------------------------------

// oneDNN 2.6's jit_dw:sse41 reads channels as if they lay on 16 bytes, and crashes where their number is uneven.
bool is_ruled_out(std::string_view name) {
  return name.starts_with("ref") || name.starts_with("gemm:ref") || name == "jit_dw:sse41";
}

// Our own kernel for what the library has no fast or no trustworthy one for.
KernelPtr make_ours(const MakeContext& context) {
  const bool fastest = context.request.exactness == Exactness::fastest;
  if (fastest && can_fast_depthwise(context)) return make_fast_depthwise(context);
  if (can_depthwise(context)) return make_depthwise(context);
  return fastest && can_1x1(context) ? make_1x1(context) : make_own_conv(context);
}

// Implementations whose bits were never seen to depend on the slab (docs/architecture.md, "Exact"): they add the
// products of one output in one order. Plain `brgconv` and the gemm ones are not among them, nor `jit:sse41`, which
// takes few slabs, nor those of arm64's SVE, which were not examined and exist on some processors only.
bool is_cut_independent(std::string_view name) {
  if (is_ruled_out(name) || name.find(":sve") != std::string_view::npos) return false;
  for (const std::string_view prefix : {"brgconv_1x1:", "brdgmm_dw:", "jit_1x1:", "jit_dw:", "jit:avx"})
    if (name.starts_with(prefix)) return true;
  return false;
}

dnnl::primitive_attr attributes_of(const dnnl::post_ops& post_ops) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attr.set_post_ops(post_ops);
  return attr;
}

// ---- which slabs --------------------------------------------------------------------------------------------------

// All that the windows of `computed`, whole groups, cover: padding included.
Box covered(const MakeContext& context, const Box& computed) {
  const Conv& conv = *as<Conv>(context.op());
  const auto reach = [](const WindowAxis& axis, Interval dst) {
    return Interval{dst.begin * axis.stride - axis.pad_begin,
                    (dst.end - 1) * axis.stride - axis.pad_begin + axis.reach()};
  };
  const Index src_per_group = context.src_shape(0)[1] / conv.groups;
  const Index dst_per_group = context.op().shape[1] / conv.groups;
  const Interval channels = conv.groups == 1 ? Interval{0, src_per_group}
                                             : Interval{computed[1].begin / dst_per_group * src_per_group,
                                                        computed[1].end / dst_per_group * src_per_group};
  return {{computed[0], channels, reach(conv.window.h, computed[2]), reach(conv.window.w, computed[3])}};
}

bool is_pointwise(const Conv& conv) { return conv.window.h.kernel == 1 && conv.window.w.kernel == 1; }

// 1x1 kernels with strides leave the last columns of a map out, which makes the view of what they read a window. The
// primitive passes over those columns as well, so it may be told of the whole rows, without a copy.
View with_unread_columns(const Conv& conv, const View& src) {
  if (!is_pointwise(conv) || src.box.empty() || src.strides[3] == 0) return src;
  const Index unread = src.strides[2] / src.strides[3] - src.box[3].size();
  if (unread <= 0 || unread >= conv.window.w.stride) return src;
  View rows = src;
  rows.box[3].end += unread;
  return rows.dense() ? rows : src;
}

// What a pointwise kernel with strides reads, and what lies behind its last row and column up to a whole stride. It
// reads nothing there, but oneDNN's kernels for AVX2 (jit_1x1) take only maps of that size.
Box with_whole_strides(const Conv& conv, Box read, const Box& computed) {
  if (!is_pointwise(conv)) return read;
  read[2].end = read[2].begin + computed[2].size() * conv.window.h.stride;
  read[3].end = read[3].begin + computed[3].size() * conv.window.w.stride;
  return read;
}

// Such a map where the slab is one but for its last rows, which then may lie behind the slab.
std::optional<View> without_last_rows(const Conv& conv, View src, const Box& computed) {
  const Box all = with_whole_strides(conv, src.box, computed);
  if (all == src.box || all[3] != src.box[3] || all[0].size() != 1) return std::nullopt;
  src.box = all;
  return src.dense() ? std::optional(src) : std::nullopt;
}

// Groups that `channels` touches, all of their output channels.
Interval whole_groups(const MakeContext& context, Interval channels) {
  const Index per_group = context.op().shape[1] / as<Conv>(context.op())->groups;
  if (per_group == context.op().shape[1]) return channels;
  return {channels.begin / per_group * per_group, (channels.end + per_group - 1) / per_group * per_group};
}

// Twice as many columns, up to those of the whole layer, then rows; the same box when there is no more.
Box grown(Box box, const Shape& layer) {
  for (const std::size_t axis : {std::size_t{3}, std::size_t{2}}) {
    if (box[axis].size() >= layer[axis]) continue;
    box[axis].end = box[axis].begin + std::min(2 * box[axis].size(), layer[axis]);
    break;
  }
  return box;
}

// ---- the two policies ---------------------------------------------------------------------------------------------

// The name of the implementation that the whole layer gets under `exact`; empty if none is to be trusted.
std::string exact_implementation(const MakeContext& context, const dnnl::primitive_attr& attr) {
  const auto pd = first_convolution(describe(context, whole(context.src_shape(0)), whole(context.op().shape)), attr,
                                    is_cut_independent);
  return pd ? pd->impl_info_str() : "";
}

KernelPtr make_exact(const MakeContext& context, const dnnl::primitive_attr& attr) {
  const std::string wanted = exact_implementation(context, attr);
  if (wanted.empty()) return make_ours(context);
  const auto is_wanted = [&](std::string_view name) { return name == wanted; };
  const auto found = [&](const ConvSlabs& slabs) {
    return first_convolution(describe(context, slabs.read, slabs.computed), attr, is_wanted);
  };
  const Conv& conv = *as<Conv>(context.op());
  Box computed = context.request.dst.box;
  computed[1] = whole_groups(context, computed[1]);
  const View src = with_unread_columns(conv, context.request.src.front());
  if (!src.box.empty()) {
    const ConvSlabs slabs{src, src.box, computed};
    if (auto pd = found(slabs)) return bind(context, *pd, slabs);
    if (const std::optional<View> all = without_last_rows(conv, src, computed)) {
      const ConvSlabs longer{*all, all->box, computed};
      if (auto pd = found(longer)) return bind(context, *pd, longer);
    }
  }
  // What it refuses becomes a slab without padding, wider and wider.
  const View& exactly = context.request.src.front();
  for (Box last; computed != last; computed = grown(computed, context.op().shape)) {
    const Box read = covered(context, computed);
    for (const Box& box : {read, with_whole_strides(conv, read, computed)}) {
      const ConvSlabs slabs{exactly, box, computed};
      if (auto pd = found(slabs)) return bind(context, *pd, slabs);
    }
    last = computed;
  }
  throw InvalidInput("operator '" + context.op().name + "': its kernel " + wanted + " cannot compute the box " +
                     to_string(context.request.dst.box) + ", so this cut is not possible with --exact");
}

// True when a window along this axis has no tap inside the slab, as happens with dilated kernels on tiny maps.
bool has_empty_window(const WindowAxis& axis, Interval src, Interval dst) {
  for (Index at = dst.begin; at < dst.end; ++at) {
    bool empty = true;
    for (Index k = 0; k < axis.kernel && empty; ++k) {
      const Index place = at * axis.stride - axis.pad_begin + k * axis.dilation;
      empty = place < src.begin || place >= src.end;
    }
    if (empty) return true;
  }
  return false;
}

// ---- SiLU, which our own code applies in half the library's time --------------------------------------------------

// The SiLU that comes last, or empty.
std::optional<Activation> last_swish(const std::vector<PostOp>& post_ops) {
  const auto* last = post_ops.empty() ? nullptr : std::get_if<Activation>(&post_ops.back());
  return last != nullptr && last->kind == ActivationKind::swish ? std::optional(*last) : std::nullopt;
}

// Runs a kernel, then applies a function to all that it wrote.
class ThenFunction final : public Kernel {
 public:
  ThenFunction(KernelPtr first, const View& dst, const Activation& function)
      : first_(std::move(first)), dst_(dst), function_(function) {}

  void run() override {
    first_->run();
    const Index height = dst_.box[2].size();
    const Index rows = dst_.box[0].size() * height;
    const Index width = dst_.box[3].size();
    const Index channels = dst_.box[1].size();
#pragma omp parallel for schedule(static) if (rows * width * channels > parallel_floats)
    for (Index row = 0; row < rows; ++row)
      apply_fast(function_, dst_.floats() + row / height * dst_.strides[0] + row % height * dst_.strides[2], width,
                 dst_.strides[3], channels);
  }

  [[nodiscard]] std::string implementation() const override { return first_->implementation() + "+swish"; }

 private:
  KernelPtr first_;
  View dst_;
  Activation function_;
};

// `attr` has all post-ops but `swish`.
KernelPtr make_fastest(const MakeContext& context, const dnnl::primitive_attr& attr,
                       const std::optional<Activation>& swish) {
  const Conv& conv = *as<Conv>(context.op());
  const Box& dst = context.request.dst.box;
  const View src = with_unread_columns(conv, context.request.src.front());
  if (src.box.empty() || whole_groups(context, dst[1]) != dst[1]) return make_ours(context);
  // oneDNN 2.6's brgconv applies post-ops to such windows with an unset register: it crashes, or worse, does not.
  const bool no_brgconv =
      has_empty_window(conv.window.h, src.box[2], dst[2]) || has_empty_window(conv.window.w, src.box[3], dst[3]);
  const auto is_fast = [&](std::string_view name) {
    return !is_ruled_out(name) && !(no_brgconv && name.starts_with("brgconv:"));
  };
  if (auto pd = first_convolution(describe(context, src.box, dst), attr, is_fast)) {
    KernelPtr kernel = bind(context, *pd, {src, src.box, dst});
    return swish ? std::make_unique<ThenFunction>(std::move(kernel), context.request.dst, *swish) : std::move(kernel);
  }
  log(LogLevel::debug, "operator '" + context.op().name + "': the kernel library has only a reference for it");
  return make_ours(context);
}

}  // namespace

std::vector<Family> alternatives(const Op& op) {
  const Conv* conv = as<Conv>(op);
  if (may_fast_depthwise(op)) return {Family::depthwise};
  if (conv == nullptr || conv->groups != 1) return {};
  const Index kernel = std::max(conv->window.h.kernel, conv->window.w.kernel);
  if (kernel == 1) return {Family::conv1x1};
  const bool dense = std::max(conv->window.h.stride, conv->window.w.stride) == 1;
  if (kernel == 3 && dense) return {Family::winograd4, Family::winograd2};
  return {};
}

double weight_factor(Family family) {
  constexpr double taps = 3 * 3;
  if (family == Family::winograd2) return 4 * 4 / taps;
  if (family == Family::winograd4) return 6 * 6 / taps;
  return 1;
}

KernelPtr make_conv(const MakeContext& context) {
  if (is_fully_connected(context)) return make_fully_connected(context);
  const Request& request = context.request;
  if (request.family == Family::conv1x1 && request.exactness == Exactness::fastest && can_1x1(context))
    return make_1x1(context);
  if (request.family == Family::depthwise && request.exactness == Exactness::fastest && can_fast_depthwise(context))
    return make_fast_depthwise(context);
  const bool winograd = request.family == Family::winograd2 || request.family == Family::winograd4;
  if (winograd && request.exactness == Exactness::fastest && can_winograd(context))
    return make_winograd(context, request.family == Family::winograd2 ? 2 : 4);
  const bool exact = request.exactness == Exactness::exact;
  std::vector<PostOp> of_library = as<Conv>(context.op())->post_ops;
  const std::optional<Activation> swish =
      !exact && has_avx512() && request.dst.strides[1] == 1 ? last_swish(of_library) : std::nullopt;
  if (swish) of_library.pop_back();
  const std::optional<dnnl::post_ops> post_ops = translated(of_library);
  if (!post_ops) return make_ours(context);
  const dnnl::primitive_attr attr = attributes_of(*post_ops);
  return exact ? make_exact(context, attr) : make_fastest(context, attr, swish);
}

}  // namespace strake::kernels
