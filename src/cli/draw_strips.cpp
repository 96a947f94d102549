// SPDX-License-Identifier: Apache-2.0
#include "cli/draw_strips.hpp"

#include <array>

namespace strake::cli {

namespace {

using Colour = std::array<unsigned char, 3>;

// Okabe and Ito's palette, which people with any colour vision can tell apart.
constexpr std::array<Colour, 7> palette = {Colour{230, 159, 0},  Colour{86, 180, 233}, Colour{0, 158, 115},
                                           Colour{240, 228, 66}, Colour{0, 114, 178},  Colour{213, 94, 0},
                                           Colour{204, 121, 167}};
constexpr Index bar = 16;  // pixels
constexpr Index line = 3;  // pixels
constexpr Index gap = 24;  // pixels between the two pictures

class Canvas {
 public:
  Canvas(Index h, Index w) : picture_{.h = h, .w = w, .c = 3, .pixels = {}} {
    picture_.pixels.assign(static_cast<std::size_t>(h * w * 3), 255);
  }

  void set(Index y, Index x, const Colour& colour) {
    for (Index c = 0; c < 3; ++c) picture_.pixels[place(y, x, c)] = colour[static_cast<std::size_t>(c)];
  }

  void fill(Interval rows, Interval columns, const Colour& colour) {
    for (Index y = std::max<Index>(rows.begin, 0); y < std::min(rows.end, picture_.h); ++y)
      for (Index x = std::max<Index>(columns.begin, 0); x < std::min(columns.end, picture_.w); ++x) set(y, x, colour);
  }

  // `source` at column `left`, stretched to h x w by nearest neighbour.
  void paste(const io::Picture& source, Index left, Index h, Index w) {
    for (Index y = 0; y < h; ++y)
      for (Index x = 0; x < w; ++x) {
        const auto from = static_cast<std::size_t>(((y * source.h / h) * source.w + x * source.w / w) * source.c);
        const auto at = [&](std::size_t c) { return source.pixels[from + (source.c == 1 ? 0 : c)]; };
        set(y, left + x, {at(0), at(1), at(2)});
      }
  }

  [[nodiscard]] io::Picture take() { return std::move(picture_); }

 private:
  [[nodiscard]] std::size_t place(Index y, Index x, Index c) const {
    return static_cast<std::size_t>((y * picture_.w + x) * 3 + c);
  }

  io::Picture picture_;
};

}  // namespace

io::Picture draw_strips(const io::Picture& input, const io::Picture& result, const Graph& graph, const Plan& plan,
                        OpId id) {
  const Index left = bar + input.w * result.h / std::max<Index>(input.h, 1) + gap;
  Canvas canvas(result.h, left + result.w + bar);
  canvas.paste(input, bar, result.h, left - gap - bar);
  canvas.paste(result, left, result.h, result.w);

  const int axis = strip_axes(graph, plan.axis)[static_cast<std::size_t>(id)];
  if (axis < 0) return canvas.take();
  const Index extent = graph.shape(id)[static_cast<std::size_t>(axis)];
  const bool rows = plan.axis == SplitAxis::rows;
  for (int rank = 0; rank < plan.n_ranks; ++rank) {
    const Colour& colour = palette[static_cast<std::size_t>(rank) % palette.size()];
    for (const Box& box : plan.boxes(id, rank)) {
      const Interval strip = box[static_cast<std::size_t>(axis)];
      const Index length = rows ? result.h : result.w;
      const Interval pixels{strip.begin * length / extent, strip.end * length / extent};
      const Interval edge{pixels.end - line, pixels.end};
      if (rows) {
        canvas.fill(pixels, {0, bar}, colour);
        canvas.fill(pixels, {left + result.w, left + result.w + bar}, colour);
        if (pixels.end < length) canvas.fill(edge, {0, left - gap}, colour);
      } else {
        canvas.fill({0, bar}, {left + pixels.begin, left + pixels.end}, colour);
        if (pixels.end < length) canvas.fill({0, result.h}, {bar + edge.begin, bar + edge.end}, colour);
      }
    }
  }
  return canvas.take();
}

}  // namespace strake::cli
