// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Rewrites that keep what a graph computes and make it local, smaller or faster. Each is one function on its own; none
/// changes the value or the name of a graph output beyond float rounding.

#include "core/graph.hpp"
#include "core/interval_map.hpp"

namespace strake::rewrite {

/// All of them, in the order in which they feed each other, until nothing changes. Sums over whole maps are split along
/// `longer_axis`: it follows from the model alone, so that bits do not depend on how frames are cut.
void optimise(Graph& graph);

// ---- lower.cpp: what is not local becomes local -------------------------------------------------------------------

/// Reduce over rows and columns of a feature map (mean, sum, max), or a Pool whose window is the whole map, becomes
/// ReduceRows and ReduceParts.
bool lower_global_pools(Graph& graph);

/// A Reduce over several axes, one of which is the axis along which strips of its input run, becomes a Reduce over the
/// others, cut in strips, and one of these partial results. So does a Pool whose window is the whole map. What
/// `lower_global_pools` makes of rows and columns is left to it. Means of integers stay whole.
bool split_reductions(Graph& graph, SplitAxis parts);

/// A 1x1 convolution behind a Reshape that flattened a feature map becomes a convolution whose kernel is the whole map:
/// the weights (m, c*h*w, 1, 1) already lie as (m, c, h, w).
bool lower_flatten(Graph& graph);

/// A Pad with zeros before a convolution, or before an average pooling that divides by its padded cells or pads nothing
/// itself, becomes padding of its own; so does a Pad with the lowest float before a maximum pooling. Not where a window
/// could then lie in nothing but padding.
bool fold_pads(Graph& graph);

/// An Elementwise, or a ScaleShift whose channels stay channels, moves in front of the Reshape that only it reads: next
/// to the convolution that may take it in.
bool lift_over_reshapes(Graph& graph);

// ---- blocks.cpp: channels that become cells, and cells that become channels ---------------------------------------

/// A Reshape to six axes, a Transpose and a Reshape back to a map become DepthToSpace or SpaceToDepth, where that is
/// what they do: pixel shuffles as exporters write them.
bool find_blocks(Graph& graph);

/// An Elementwise or a ScaleShift moves in front of the DepthToSpace that only it reads, next to the convolution that
/// may take it in.
bool lift_over_blocks(Graph& graph);

// ---- fold.cpp: constants and per-channel arithmetic ---------------------------------------------------------------

/// Adding, subtracting, multiplying or dividing by a Constant that varies along channels only (or not at all) becomes a
/// ScaleShift.
bool constants_to_scale_shift(Graph& graph);

/// ScaleShift after a convolution goes into its weights and bias; consecutive ScaleShifts become one.
bool fold_scale_shift_backward(Graph& graph);

/// ScaleShift before a convolution goes into its weights and bias; its shift only where the convolution pads nothing,
/// since a shifted border is not zero.
bool fold_scale_shift_forward(Graph& graph);

// ---- fuse.cpp: activations and residual additions -----------------------------------------------------------------

/// x * sigmoid(x) becomes swish, x * clip(x + 3, 0, 6) / 6 and x * hard_sigmoid(x) become hard_swish,
/// clip(x + 3, 0, 6) / 6 becomes hard_sigmoid, x * tanh(softplus(x)) becomes mish.
bool find_activations(Graph& graph);

/// x * (1 + erf(x / sqrt(2))) / 2 and its approximation by tanh, multiplied in any order, become gelu (gelu.cpp).
bool find_gelus(Graph& graph);

/// An Elementwise whose only source is a convolution, a Binary or a ScaleShift that nobody else reads becomes a
/// post-op: one at most, and one behind a residual. Rare functions (softplus, log, ...) stay behind convolutions.
bool fuse_activations(Graph& graph);

/// An addition of two equal shapes, one of them a convolution without post-ops that nobody else reads, becomes that
/// convolution's residual addition. Where both are, the later one takes it.
bool fuse_residuals(Graph& graph);

// ---- shuffle.cpp: moves that models spell out ---------------------------------------------------------------------

/// A chain of Reshapes, Transposes, Slices and Gathers that only picks and orders the channels of a map becomes one
/// Gather of channels, which can be cut along rows: ShuffleNet's channel shuffle, in whatever words.
bool find_shuffles(Graph& graph);

// ---- quantize_convs.cpp, quantize_moves.cpp: quantised networks -----------------------------------------------------

/// A Conv of dequantised bytes, and a MatMul of them with a constant matrix, become an IntegerConv to f32 where the
/// weights are whole numbers of 8 bits times a step for each output channel, as folding a dequantisation leaves them,
/// and the post-ops are a dequantised residual, relu or clip.
bool find_integer_convs(Graph& graph);

/// The quantisation of an IntegerConv that nobody else reads becomes part of it. So does a sum with a dequantised
/// residual, be the convolution's own result quantised on the way or not.
bool fuse_quantised(Graph& graph);

/// Moves and maximum poolings of dequantised bytes become dequantised moves; a quantisation goes in front of the
/// Reshape behind a convolution; a dequantisation and the same quantisation cancel out.
bool move_bytes(Graph& graph);

// ---- prune.cpp: what nobody needs ---------------------------------------------------------------------------------

/// Reshapes and transposes that change nothing or undo each other, slices of everything, pads of nothing.
bool drop_identities(Graph& graph);

/// Operators that no graph output depends on (inputs stay), weights that no operator names; renumbers the rest.
bool drop_dead(Graph& graph);

}  // namespace strake::rewrite
