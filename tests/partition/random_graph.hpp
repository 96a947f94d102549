// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Random small networks, and random profiles of unequal ranks and links for them.

#include "core/profile.hpp"
#include "core/random.hpp"
#include "core/small_graphs.hpp"

namespace strake::test {

inline WindowAxis random_window(Random& random, Index src_size) {
  WindowAxis window;
  window.kernel = pick(random, 1, std::min<Index>(5, src_size));
  window.stride = src_size > 6 ? pick(random, 1, 2) : 1;
  window.pad_begin = pick(random, 0, window.kernel - 1);
  window.pad_end = pick(random, 0, window.kernel - 1);
  return window;
}

/// Convolutions, pools, residuals, concatenations, squeeze-and-excite, and at the end sometimes a tail that cannot be
/// cut. One or two inputs, one or two outputs.
inline Graph random_graph(Random& random) {
  Graph graph;
  graph.name = "random";
  const Shape map = {1, pick(random, 1, 4), pick(random, 1, 26), pick(random, 1, 26)};
  OpId last = add_input(graph, map);
  if (pick(random, 0, 3) == 0) {
    const OpId other = add_input(graph, map);
    last = add_op(graph, {last, other}, Concat{.axis = 1});
  }
  OpId earlier = last;
  const Index n_ops = pick(random, 1, 9);
  for (Index i = 0; i < n_ops; ++i) {
    const Shape shape = graph.shape(last);
    OpId next = last;
    switch (pick(random, 0, 6)) {
      case 0:
        next = add_op(
            graph, {last},
            Pool{.kind = PoolKind::max, .window = {random_window(random, shape[2]), random_window(random, shape[3])}});
        break;
      case 1:
        next = add_op(graph, {last}, Elementwise{.function = {}});
        break;
      case 2:
        if (graph.shape(earlier) == shape)
          next = add_op(graph, {last, earlier}, Binary{.kind = BinaryKind::add, .post_ops = {}});
        break;
      case 3:
        if (graph.shape(earlier)[2] == shape[2] && graph.shape(earlier)[3] == shape[3])
          next = add_op(graph, {earlier, last}, Concat{.axis = 1});
        break;
      case 4: {
        const OpId sums = add_op(graph, {add_op(graph, {last}, ReduceRows{})}, ReduceParts{});
        next = add_op(graph, {last, sums}, Binary{.kind = BinaryKind::mul, .post_ops = {}});
        break;
      }
      default:
        next = add_conv(graph, last, pick(random, 1, 6),
                        {random_window(random, shape[2]), random_window(random, shape[3])});
    }
    if (pick(random, 0, 2) == 0) earlier = last;
    last = next;
  }
  if (pick(random, 0, 2) == 0) add_output(graph, earlier);
  if (pick(random, 0, 2) == 0) last = add_op(graph, {last}, Reshape{}, {1, volume(graph.shape(last))});
  if (pick(random, 0, 4) == 0) last = add_op(graph, {last}, Elementwise{.function = {}});
  add_output(graph, last);
  return graph;
}

/// Costs that do not grow evenly with the extent, of ranks that differ up to twentyfold, joined by links of any speed.
inline Profile random_profile(Random& random, const Graph& graph, int n_ranks, SplitAxis axis) {
  Profile profile{.model = fingerprint(graph), .axis = axis, .ranks = {}, .links = {}};
  const std::vector<int> axes = strip_axes(graph, axis);
  const auto factor = [&random] { return static_cast<double>(pick(random, 50, 1000)) / 1000; };
  const double link_scale = static_cast<double>(pick(random, 0, 2)) * factor();
  for (int rank = 0; rank < n_ranks; ++rank) {
    RankProfile one;
    const double slowness = 1 / factor();
    for (OpId id = 0; id < graph.size(); ++id) {
      const int at = axes[static_cast<std::size_t>(id)];
      const Index n_rows = at < 0 ? 1 : graph.shape(id)[static_cast<std::size_t>(at)];
      const double work = 1 + multiply_adds(graph, id) / 100;
      OpCost cost;
      for (const Index extent : {n_rows / 4, n_rows / 2, n_rows}) {
        if (extent <= (cost.extents.empty() ? 0 : cost.extents.back())) continue;
        cost.extents.push_back(extent);
        cost.microseconds.push_back(slowness * work * (0.2 + factor()) * static_cast<double>(extent) /
                                    static_cast<double>(n_rows));
      }
      one.whole_us += cost.microseconds.back();
      one.ops.push_back(std::move(cost));
    }
    profile.ranks.push_back(std::move(one));
    std::vector<Link>& from = profile.links.emplace_back();
    for (int other = 0; other < n_ranks; ++other) {
      Link link{.latency_us = 10 * link_scale * factor(), .us_per_byte = 0.01 * link_scale * factor()};
      link.overhead_us = link.latency_us / 4;
      link.overhead_us_per_byte = link.us_per_byte / 2;
      from.push_back(other == rank ? Link{} : link);
    }
  }
  return profile;
}

/// Three convolutions over 24 rows.
inline Graph chain() {
  Graph graph;
  graph.name = "chain";
  OpId last = add_input(graph, {1, 3, 24, 24});
  for (int i = 0; i < 3; ++i) last = add_conv3(graph, last, 8);
  add_output(graph, last);
  return graph;
}

/// Ranks of these times per row for every operator, and equal links.
inline Profile even_profile(const Graph& graph, const std::vector<double>& us_per_row, Link link) {
  Profile profile{.model = fingerprint(graph), .axis = SplitAxis::rows, .ranks = {}, .links = {}};
  const std::vector<int> axes = strip_axes(graph, SplitAxis::rows);
  for (std::size_t rank = 0; rank < us_per_row.size(); ++rank) {
    RankProfile one;
    for (OpId id = 0; id < graph.size(); ++id) {
      const int axis = axes[static_cast<std::size_t>(id)];
      const Index rows = axis < 0 ? 1 : graph.shape(id)[static_cast<std::size_t>(axis)];
      one.ops.push_back({.extents = {rows}, .microseconds = {us_per_row[rank] * static_cast<double>(rows)}});
    }
    profile.ranks.push_back(std::move(one));
    profile.links.emplace_back(us_per_row.size(), link);
    profile.links.back()[rank] = {};
  }
  return profile;
}

}  // namespace strake::test
