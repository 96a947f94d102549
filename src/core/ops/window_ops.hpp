// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Operators that move cells of maps about, resize maps, or slide windows other than those of Conv and Pool.

#include <vector>

#include "core/box.hpp"
#include "core/element_type.hpp"
#include "core/window.hpp"

namespace strake {

class OpRules;

// ---- blocks of cells ----------------------------------------------------------------------------------------------

/// Blocks of channels become blocks of cells. The channels of the input count as (groups, block_h, block_w, c), those
/// of the output as (groups, c): out[g, c][y * block_h + i - begin_h, x * block_w + j - begin_w] = in[g, i, j, c][y,
/// x]. The output's shape says where it ends. ONNX's mode DCR has one group, its mode CRD one channel in each group.
struct DepthToSpace {
  Index block_h = 1;
  Index block_w = 1;
  Index groups = 1;
  Index begin_h = 0;
  Index begin_w = 0;
  static void fields(auto& self, auto&& visit) {
    visit(self.block_h, self.block_w, self.groups, self.begin_h, self.begin_w);
  }
};

/// The inverse: blocks of cells become blocks of channels.
struct SpaceToDepth {
  Index block_h = 1;
  Index block_w = 1;
  Index groups = 1;
  static void fields(auto& self, auto&& visit) { visit(self.block_h, self.block_w, self.groups); }
};

// ---- borders ------------------------------------------------------------------------------------------------------

enum class BorderKind : unsigned char { reflect, edge, wrap };

/// `begin[a]` cells before the input along axis a, taken from the input itself; the output's shape says how many
/// behind. A negative number leaves cells out.
struct BorderPad {
  BorderKind kind = BorderKind::reflect;
  std::vector<Index> begin;
  static void fields(auto& self, auto&& visit) { visit(self.kind, self.begin); }
};

/// The cell of [0, size) that stands at `place`, which may lie outside.
[[nodiscard]] Index border_source(BorderKind kind, Index place, Index size);

// ---- windows of any number of axes --------------------------------------------------------------------------------

enum class PoolNdKind : unsigned char { max, average_of_input, average_of_padded, sum };

/// (n, c, d1, ..., dk) pooled along its last k axes, one window each; for maps that have no rows and columns.
struct PoolNd {
  PoolNdKind kind = PoolNdKind::max;
  std::vector<WindowAxis> windows;
  static void fields(auto& self, auto&& visit) { visit(self.kind, self.windows); }
};

/// (n, c, d1, ..., dk) with weights (m, c / groups, k1, ..., kk) and bias (m). `spread[a]` - 1 zeros stand between each
/// two cells of axis a before the window slides: a transposed convolution has its stride there.
struct ConvNd {
  std::vector<WindowAxis> windows;
  std::vector<Index> spread;
  Index groups = 1;
  int weights = -1;
  int bias = -1;
  static void fields(auto& self, auto&& visit) {
    visit(self.windows, self.spread, self.groups, self.weights, self.bias);
  }
};

enum class StorageOrder : unsigned char { rows_first, columns_first };

/// Where in the whole input, counted as in ONNX, the maximum of each window of a max pooling lies: i64; -1 where a
/// window holds nothing but padding.
struct PoolIndices {
  Window2d window;
  StorageOrder order = StorageOrder::rows_first;
  static void fields(auto& self, auto&& visit) { visit(self.window, self.order); }
};

/// What may stand in the indices of a MaxUnpool.
enum class UnpoolReach : unsigned char {
  window,    // each cell goes into its own window: the indices are those of a PoolIndices
  anywhere,  // nothing is known
};

/// Inputs: values (n, c, h, w) and i64 indices of that shape, which count the cells of (n, c, map_h, map_w) row by row;
/// other cells are 0. The output's shape may be larger than that map.
struct MaxUnpool {
  UnpoolReach reach = UnpoolReach::anywhere;
  Window2d window;
  Index map_h = 0;
  Index map_w = 0;
  static void fields(auto& self, auto&& visit) { visit(self.reach, self.window, self.map_h, self.map_w); }
};

// ---- samples ------------------------------------------------------------------------------------------------------

enum class SampleKind : unsigned char { nearest, linear, cubic };
enum class SampleBorder : unsigned char { zeros, edge, reflect };
enum class Corners : unsigned char { centres, edges };  // where -1 and 1 lie: in the corner cells' centres or edges

/// Inputs: x (n, c, h, w) and a grid (n, oh, ow, 2) of places (x, y) in [-1, 1]; output (n, c, oh, ow).
/// Source: ONNX operator GridSample-16.
struct GridSample {
  SampleKind kind = SampleKind::linear;
  SampleBorder border = SampleBorder::zeros;
  Corners corners = Corners::edges;
  static void fields(auto& self, auto&& visit) { visit(self.kind, self.border, self.corners); }
};

enum class RoiKind : unsigned char { average, max };

/// Inputs: x (n, c, h, w), rois (r, 4) as (x1, y1, x2, y2), i64 batch indices (r); output (r, c, oh, ow).
/// Source: ONNX operator RoiAlign-16.
struct RoiAlign {
  RoiKind kind = RoiKind::average;
  Index sampling_ratio = 0;  // samples of a bin along each axis; 0 for as many as it has cells
  float spatial_scale = 1;
  float offset = 0;  // 0.5 moves places by half a pixel
  static void fields(auto& self, auto&& visit) {
    visit(self.kind, self.sampling_ratio, self.spatial_scale, self.offset);
  }
};

// ---- rules: see core/op_rules.hpp ---------------------------------------------------------------------------------

Shape shape_of(const OpRules& rules, const DepthToSpace& op);
Shape shape_of(const OpRules& rules, const SpaceToDepth& op);
Shape shape_of(const OpRules& rules, const BorderPad& op);
Shape shape_of(const OpRules& rules, const PoolNd& op);
Shape shape_of(const OpRules& rules, const ConvNd& op);
Shape shape_of(const OpRules& rules, const PoolIndices& op);
Shape shape_of(const OpRules& rules, const MaxUnpool& op);
Shape shape_of(const OpRules& rules, const GridSample& op);
Shape shape_of(const OpRules& rules, const RoiAlign& op);

std::vector<Box> reads(const OpRules& rules, const DepthToSpace& op, const Box& dst);
std::vector<Box> reads(const OpRules& rules, const SpaceToDepth& op, const Box& dst);
std::vector<Box> reads(const OpRules& rules, const BorderPad& op, const Box& dst);
std::vector<Box> reads(const OpRules& rules, const PoolNd& op, const Box& dst);
std::vector<Box> reads(const OpRules& rules, const ConvNd& op, const Box& dst);
std::vector<Box> reads(const OpRules& rules, const PoolIndices& op, const Box& dst);
std::vector<Box> reads(const OpRules& rules, const MaxUnpool& op, const Box& dst);
std::vector<Box> reads(const OpRules& rules, const GridSample& op, const Box& dst);
std::vector<Box> reads(const OpRules& rules, const RoiAlign& op, const Box& dst);

ElementType type_of(const OpRules& rules, const PoolNd& op);
ElementType type_of(const OpRules& rules, const ConvNd& op);
ElementType type_of(const OpRules& rules, const PoolIndices& op);
ElementType type_of(const OpRules& rules, const MaxUnpool& op);
ElementType type_of(const OpRules& rules, const GridSample& op);
ElementType type_of(const OpRules& rules, const RoiAlign& op);

bool cuts_along(const OpRules& rules, const DepthToSpace& op, std::size_t axis);
bool cuts_along(const OpRules& rules, const SpaceToDepth& op, std::size_t axis);
bool cuts_along(const OpRules& rules, const ConvNd& op, std::size_t axis);

int strip_axis(const OpRules& rules, const GridSample& op, const std::vector<int>& axes);
int strip_axis(const OpRules& rules, const RoiAlign& op, const std::vector<int>& axes);

}  // namespace strake
