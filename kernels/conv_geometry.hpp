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

}  // namespace strake::kernels
