// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The families of kernels behind `prepare`; one file each.

#include <functional>

#include "kernels/kernel.hpp"

namespace strake::kernels {

/// Everything that a family needs to make a kernel.
struct MakeContext {
  const Request& request;
  WeightStore& weights;
  Workspace& workspace;

  [[nodiscard]] const Op& op() const { return request.graph.op(request.op); }
  [[nodiscard]] const Shape& src_shape(std::size_t input) const { return request.graph.shape(op().inputs[input]); }
};

using KernelPtr = std::unique_ptr<Kernel>;

[[nodiscard]] KernelPtr make_conv(const MakeContext& context);      // oneDNN; chooses among the next two as well
[[nodiscard]] KernelPtr make_own_conv(const MakeContext& context);  // any shape, one order of additions
[[nodiscard]] bool can_depthwise(const MakeContext& context);
[[nodiscard]] KernelPtr make_depthwise(const MakeContext& context);  // the same for depthwise ones
[[nodiscard]] bool may_fast_depthwise(const Op& op);                 // whatever the box
[[nodiscard]] bool can_fast_depthwise(const MakeContext& context);
[[nodiscard]] KernelPtr make_fast_depthwise(const MakeContext& context);
[[nodiscard]] bool can_winograd(const MakeContext& context);
[[nodiscard]] KernelPtr make_winograd(const MakeContext& context, Index m);  // tiles of m x m outputs: 2 or 4
[[nodiscard]] bool can_1x1(const MakeContext& context);
[[nodiscard]] KernelPtr make_1x1(const MakeContext& context);  // as a product of matrices
[[nodiscard]] bool is_fully_connected(const MakeContext& context);
[[nodiscard]] KernelPtr make_fully_connected(const MakeContext& context);  // the kernel is the whole map
[[nodiscard]] KernelPtr make_pool(const MakeContext& context);
[[nodiscard]] KernelPtr make_elementwise(
    const MakeContext& context);  // Elementwise, Binary, ScaleShift, NormalizePicture
[[nodiscard]] KernelPtr make_reduction(const MakeContext& context);    // ReduceRows, ReduceParts, Lrn and the next four
[[nodiscard]] KernelPtr make_reduce_axes(const MakeContext& context);  // Reduce
[[nodiscard]] KernelPtr make_arg_reduce(const MakeContext& context);
[[nodiscard]] KernelPtr make_cum_sum(const MakeContext& context);
[[nodiscard]] KernelPtr make_softmax(const MakeContext& context);
[[nodiscard]] KernelPtr make_normalize(const MakeContext& context);
[[nodiscard]] KernelPtr make_shape_op(const MakeContext& context);   // Concat, Transpose, Slice, Pad, Gather
[[nodiscard]] KernelPtr make_pointwise(const MakeContext& context);  // of any type; Elementwise of all but f32
[[nodiscard]] KernelPtr make_typed_activation(const MakeContext& context, const Activation& function);
[[nodiscard]] KernelPtr make_repeat(const MakeContext& context);  // Expand, Tile, Trilu
[[nodiscard]] KernelPtr make_reshape(const MakeContext& context);
[[nodiscard]] KernelPtr make_blocks(const MakeContext& context);  // DepthToSpace, SpaceToDepth, BorderPad
[[nodiscard]] KernelPtr make_resize(const MakeContext& context);
[[nodiscard]] KernelPtr make_pool_indices(const MakeContext& context);  // PoolIndices, MaxUnpool
[[nodiscard]] KernelPtr make_windows_nd(const MakeContext& context);    // PoolNd, ConvNd
[[nodiscard]] KernelPtr make_samples(const MakeContext& context);       // GridSample, RoiAlign
[[nodiscard]] KernelPtr make_integer_conv(const MakeContext& context);
[[nodiscard]] KernelPtr make_matmul(const MakeContext& context);

/// A kernel that is one function.
[[nodiscard]] KernelPtr make_own(std::function<void()> body, std::string implementation = "own");

}  // namespace strake::kernels
