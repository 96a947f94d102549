// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Sizes of one convolution on slabs, as loops and libraries want them.

#include "kernels/makers.hpp"

namespace strake::kernels {

/// A convolution of a box: sizes of the slabs, and windows whose padding is what was clipped.
struct ConvGeometry {
  Index n = 1;
  Index ic = 1;  // of the whole convolution
  Index oc = 1;  // of the whole convolution
  Index groups = 1;
  Interval out_channels;  // that the box covers
  Index ih = 0;
  Index iw = 0;
  Index oh = 0;
  Index ow = 0;
  WindowAxis h;
  WindowAxis w;
};

/// @param conv  a Conv or an IntegerConv, the operator of the context
template <class AnyConv>
ConvGeometry geometry_of(const MakeContext& context, const AnyConv& conv, const Box& src, const Box& dst) {
  ConvGeometry g;
  g.n = dst[0].size();
  g.ic = context.src_shape(0)[1];
  g.oc = context.op().shape[1];
  g.groups = conv.groups;
  g.out_channels = dst[1];
  g.ih = src[2].size();
  g.iw = src[3].size();
  g.oh = dst[2].size();
  g.ow = dst[3].size();
  g.h = window_of_slab(conv.window.h, src[2], dst[2]);
  g.w = window_of_slab(conv.window.w, src[3], dst[3]);
  return g;
}

inline ConvGeometry geometry_of(const MakeContext& context, const Box& src, const Box& dst) {
  return geometry_of(context, *as<Conv>(context.op()), src, dst);
}

/// The first channel of the cell of `src` that the tap (ky, kx) of output pixel (y, x) reads in image n; null in the
/// padding, and for pixels behind the last column.
inline const float* read_cell(const ConvGeometry& g, const View& src, Index n, Index y, Index x, Index ky, Index kx) {
  const Index sy = y * g.h.stride - g.h.pad_begin + ky * g.h.dilation;
  const Index sx = x * g.w.stride - g.w.pad_begin + kx * g.w.dilation;
  if (x >= g.ow || sy < 0 || sy >= g.ih || sx < 0 || sx >= g.iw) return nullptr;
  return src.floats() + n * src.strides[0] + sy * src.strides[2] + sx * src.strides[3];
}

}  // namespace strake::kernels
