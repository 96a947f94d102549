// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One face of oneDNN 2.6 and 3.x for what Strake uses of it.

#include <oneapi/dnnl/dnnl.hpp>
#include <optional>
#include <string_view>

namespace strake::kernels::onednn {

/// A convolution of dense slabs; dims in oneDNN's order.
struct ConvDesc {
  dnnl::memory::desc src;
  dnnl::memory::desc weights;  // format any
  dnnl::memory::desc bias;     // zero without bias
  dnnl::memory::desc dst;
  dnnl::memory::dims strides;
  dnnl::memory::dims dilations;  // 0 is dense
  dnnl::memory::dims pad_begin;
  dnnl::memory::dims pad_end;
};

inline const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

inline dnnl::stream& stream() {
  static thread_local dnnl::stream in_order(engine());
  return in_order;
}

using ConvPd = dnnl::convolution_forward::primitive_desc;

/// The library's first implementation of this convolution whose name `wanted` accepts; empty where there is none.
template <class Wanted>
std::optional<ConvPd> first_convolution(const ConvDesc& desc, const dnnl::primitive_attr& attr, Wanted wanted) {
  constexpr auto inference = dnnl::prop_kind::forward_inference;
  constexpr auto direct = dnnl::algorithm::convolution_direct;
  const bool with_bias = desc.bias.get_size() > 0;
  try {
#if DNNL_VERSION_MAJOR >= 3
    ConvPd pd = with_bias ? ConvPd(engine(), inference, direct, desc.src, desc.weights, desc.bias, desc.dst,
                                   desc.strides, desc.dilations, desc.pad_begin, desc.pad_end, attr, true)
                          : ConvPd(engine(), inference, direct, desc.src, desc.weights, desc.dst, desc.strides,
                                   desc.dilations, desc.pad_begin, desc.pad_end, attr, true);
#else
    // The iterator behind the primitive descriptor points into the description: it has to live while we walk.
    using Desc = dnnl::convolution_forward::desc;
    const Desc d = with_bias ? Desc(inference, direct, desc.src, desc.weights, desc.bias, desc.dst, desc.strides,
                                    desc.dilations, desc.pad_begin, desc.pad_end)
                             : Desc(inference, direct, desc.src, desc.weights, desc.dst, desc.strides, desc.dilations,
                                    desc.pad_begin, desc.pad_end);
    ConvPd pd(d, attr, engine(), true);
#endif
    if (!pd) return std::nullopt;
    do {
      if (wanted(std::string_view(pd.impl_info_str()))) return pd;
    } while (pd.next_impl());
  } catch (const dnnl::error&) {
    // Sizes that the library refuses to describe (a padding larger than the kernel, say).
  }
  return std::nullopt;
}

inline void append_eltwise(dnnl::post_ops& ops, dnnl::algorithm algorithm, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
  ops.append_eltwise(algorithm, alpha, beta);
#else
  ops.append_eltwise(1.0F, algorithm, alpha, beta);
#endif
}

}  // namespace strake::kernels::onednn
