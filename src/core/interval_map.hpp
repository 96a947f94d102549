// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which box of each input an operator reads to produce a box of its output.

#include <vector>

#include "core/graph.hpp"

namespace strake {

/// One box per entry of `op.inputs`, in whole-tensor coordinates, clipped to the input (what was clipped is padding).
/// All are empty when `dst` is. Operators that cannot be cut along an axis read all of it.
[[nodiscard]] std::vector<Box> input_boxes(const Graph& graph, OpId id, const Box& dst);

/// True when a box that is cut along `axis` of the output needs less than the whole of the first input, and a kernel
/// can compute it: rows and columns of windows, channels of a convolution, parts of a sum, any axis of an elementwise
/// operator. Reshape is along axes that lead what it splits, merges or leaves alone; Transpose, Concat, Slice, Pad and
/// Gather are along axes that only shift.
[[nodiscard]] bool can_cut(const Graph& graph, OpId id, std::size_t axis);

/// Into blocks of how many channels a map of operator `id` may be cut, as kernels compute them at once; 0 where it
/// cannot be cut along its channels, or not into whole blocks.
[[nodiscard]] Index channel_block(const Graph& graph, OpId id);

/// The axis of a feature map along which frames are cut into strips.
enum class SplitAxis : unsigned char { rows, columns };

/// For each operator the axis of its output along which a strip runs when inputs are cut along `axis`, or -1 where the
/// operator cannot be cut there, as everything behind a reshape of the map. Follows transposes.
[[nodiscard]] std::vector<int> strip_axes(const Graph& graph, SplitAxis axis);

/// The longer spatial axis of the map that the first window slides over, else of the first input; rows when they are
/// even.
[[nodiscard]] SplitAxis longer_axis(const Graph& graph);

}  // namespace strake
