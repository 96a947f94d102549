// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Maps of another size: which cells of the input each cell of the output mixes, and with what weights.

#include <vector>

#include "core/box.hpp"
#include "core/element_type.hpp"

namespace strake {

class OpRules;

enum class ResizeKind : unsigned char { nearest, linear, cubic };

/// Where output cell x lies in the input. Source: ONNX operator Resize-19.
enum class ResizePlace : unsigned char {
  half_pixel,            // (x + 0.5) / scale - 0.5
  half_pixel_symmetric,  // the same, centred where scale * input is no whole number
  pytorch_half_pixel,    // the same, 0 where there is one output cell
  align_corners,         // x (input - 1) / (output - 1)
  asymmetric,            // x / scale
  tf_half_pixel_for_nn,  // (x + 0.5) / scale
  tf_crop_and_resize,    // corners of a region
};

enum class NearestKind : unsigned char {
  round_prefer_floor,
  round_prefer_ceil,
  floor,
  ceil,
  simple  // floor where the map grows, ceil where it shrinks: operators before opset 11
};

/// What stands beyond the border: the border's cell, or nothing, and the other weights count for more.
enum class ResizeBorder : unsigned char { edge, exclude };
/// Whether a shrinking map mixes all the cells that it leaves out.
enum class Antialias : unsigned char { off, on };

/// Any number of axes, one entry of each list for each; interpolation is separable. Axes of scale 1 stay as they are.
struct Resize {
  ResizeKind kind = ResizeKind::nearest;
  ResizePlace place = ResizePlace::half_pixel;
  NearestKind nearest = NearestKind::round_prefer_floor;
  ResizeBorder border = ResizeBorder::edge;
  Antialias antialias = Antialias::off;
  float cubic = -0.75F;
  float extrapolation = 0;        // stands outside the region of tf_crop_and_resize
  std::vector<double> scale;      // output cells per input cell
  std::vector<double> length;     // of the output, before it was rounded to whole cells
  std::vector<double> roi_begin;  // of the region, as parts of the input
  std::vector<double> roi_end;
  static void fields(auto& self, auto&& visit) {
    visit(self.kind, self.place, self.nearest, self.border, self.antialias, self.cubic, self.extrapolation, self.scale,
          self.length, self.roi_begin, self.roi_end);
  }
};

/// The cells [first, first + weights.size()) of the input, all inside, that one cell of the output mixes.
struct ResizeTaps {
  Index first = 0;
  std::vector<float> weights;
  bool outside = false;  // the cell is `extrapolation` instead
};

/// Of output cell `at` along one axis: depends on the whole map alone, not on how it is cut.
[[nodiscard]] ResizeTaps resize_taps(const Resize& op, std::size_t axis, Index src_size, Index dst_size, Index at);

/// True when the operator changes the axis.
[[nodiscard]] bool resizes(const Resize& op, std::size_t axis, Index src_size, Index dst_size);

Shape shape_of(const OpRules& rules, const Resize& op);
std::vector<Box> reads(const OpRules& rules, const Resize& op, const Box& dst);

}  // namespace strake
