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
[[nodiscard]] bool is_fully_connected(const MakeContext& context);
[[nodiscard]] KernelPtr make_fully_connected(const MakeContext& context);  // the kernel is the whole map
[[nodiscard]] KernelPtr make_pool(const MakeContext& context);
[[nodiscard]] KernelPtr make_elementwise(
    const MakeContext& context);  // Elementwise, Binary, ScaleShift, NormalizePicture
[[nodiscard]] KernelPtr make_reduction(const MakeContext& context);  // ReduceRows, ReduceParts, Reduce, Softmax, Lrn
[[nodiscard]] KernelPtr make_shape_op(const MakeContext& context);   // Concat, Reshape, Transpose, Slice, Pad, Gather
[[nodiscard]] KernelPtr make_matmul(const MakeContext& context);

/// A kernel that is one function.
[[nodiscard]] KernelPtr make_own(std::function<void()> body, std::string implementation = "own");

}  // namespace strake::kernels
