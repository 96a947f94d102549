// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Strategies of the literature, as planners of strips: what others would do with the same network, devices and links.
///
/// What holds for all of them: costs are the profile's, strips run along one dimension, and rows go straight to the
/// ranks that need them instead of through a leader.

#include "partition/strip_plan.hpp"

namespace strake::partition {

/// Every map cut in proportion to throughput, what cannot be cut on rank 0: MoDNN (Mao et al., DATE 2017), whose group
/// owner gathers each map and hands it out again.
[[nodiscard]] StripPlan plan_proportional(const StripModel& model);

/// The same with even strips.
[[nodiscard]] StripPlan plan_equal(const StripModel& model);

/// CoEdge (Zeng et al., IEEE/ACM Transactions on Networking 29(2), 2021): every map cut in proportion to throughput; a
/// device whose strip would be shorter than the halo that its neighbours pull from it gets nothing of that map. What
/// differs: the paper minimises energy under a deadline by a linear program, which without a price of energy is the
/// proportional cut.
[[nodiscard]] StripPlan plan_co_edge(const StripModel& model);

/// DeepThings (Zhao et al., IEEE TCAD 37(11), 2018): the first layers fused into one block of even tiles, one for each
/// device, and everything behind it on the gateway, rank 0. What differs: tiles are strips, devices do not steal tiles,
/// and the block ends where the timeline is shortest instead of after a given number of layers.
[[nodiscard]] StripPlan plan_deep_things(const StripModel& model);

/// AOFL (Zhou et al., ACM/IEEE SEC 2019): even strips of fused blocks, and dynamic programming over where blocks end.
[[nodiscard]] StripPlan plan_aofl(const StripModel& model);

/// In the manner of DeepSlicing (Zhang et al., IEEE TPDS 32(9), 2021): strips in proportion to throughput, and at each
/// layer either halos are recomputed or devices synchronise, whichever is faster. What differs: the paper decides by a
/// number of layers that the user gives.
[[nodiscard]] StripPlan plan_deep_slicing(const StripModel& model);

/// PICO (Yang et al., IEEE Transactions on Mobile Computing): contiguous layers form stages, one for each device in
/// order, so that the slowest stage, what it receives included, is as fast as can be. Devices that would only slow the
/// stages down get none. What differs: a stage is one device, not a group that cuts maps.
[[nodiscard]] StripPlan plan_pipeline(const StripModel& model);

/// Everything on the rank with which a frame is done first.
[[nodiscard]] StripPlan plan_single(const StripModel& model);

/// EdgeLD (Xue, Fang, Xu, Zhang, IEEE HPCC 2020), EdgeDI's predecessor: the convolutions between two poolings are one
/// fused block; poolings, and what cannot be cut, run on the master, rank 0. In each block cuts start in proportion to
/// throughput, a device costs a * FLOPs + b + upload + download, and one row at a time moves from the slowest device to
/// the fastest until they are close, some device is down to a row, or thirty have moved; no move is taken back. What
/// differs, by the authors' program: devices are close within 1 % of the slowest instead of 20 ms, since kernels here
/// take less than that; all layers of a block count, not its first; a and b are fitted to the profile; strips are rows
/// or columns.
[[nodiscard]] StripPlan plan_edge_ld(const StripModel& model);

/// EdgeDI's heuristic (Fang et al., ACM Transactions on Internet Technology 23(1), 2023). As EdgeLD, but a row moves
/// only while that shrinks the gap between the slowest device and the fastest, as often as it does, until the slowest
/// keeps a row; and devices compute whole blocks of the network, poolings too. What differs from the paper: blocks end
/// where the graph can be divided and the map changes its size, a and b are fitted to the profile, and rows go straight
/// to who needs them instead of through the leader.
[[nodiscard]] StripPlan plan_published(const StripModel& model);

}  // namespace strake::partition
