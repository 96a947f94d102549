// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One convolution primitive of oneDNN, bound to views.

#include "kernels/makers.hpp"
#include "kernels/onednn.hpp"

namespace strake::kernels {

/// What a primitive reads and computes: at least what is wanted, for some implementations refuse narrow slabs.
struct ConvSlabs {
  View src;      // cells of `read` that are not in it count as zero
  Box read;      // goes beyond the map where padding is written out
  Box computed;  // contains the box that is wanted, and may go beyond the map
};

/// The post-ops in oneDNN's words; empty where it has none for one of them.
[[nodiscard]] std::optional<dnnl::post_ops> translated(const std::vector<PostOp>& post_ops);

/// The primitive for dense NHWC slabs of these boxes.
[[nodiscard]] onednn::ConvDesc describe(const MakeContext& context, const Box& read, const Box& computed);

/// A kernel that runs the primitive, through the workspace where views are not dense or not what it reads or computes.
/// Its weights are reordered here, and shared with other slabs that want them in the same format.
[[nodiscard]] KernelPtr bind(const MakeContext& context, onednn::ConvPd pd, const ConvSlabs& slabs);

}  // namespace strake::kernels
