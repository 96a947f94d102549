// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Anti-aliased shapes on a picture: each is a signed distance in pixels, negative inside.

#include <algorithm>
#include <cmath>
#include <vector>

#include "io/picture.hpp"

namespace strake::drawing {

struct Point {
  double x = 0;
  double y = 0;
};

/// Red, green and blue, 0 to 255.
struct Colour {
  double r = 0;
  double g = 0;
  double b = 0;
};

inline Colour mix(const Colour& a, const Colour& b, double share_of_b) {
  const double t = std::clamp(share_of_b, 0.0, 1.0);
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

/// Pixels that a shape may touch.
struct Area {
  double left = 0;
  double top = 0;
  double right = 1e9;
  double bottom = 1e9;
};

inline double to_circle(Point p, Point centre, double radius) {
  return std::hypot(p.x - centre.x, p.y - centre.y) - radius;
}

/// To a line from `a` to `b` with round ends.
inline double to_line(Point p, Point a, Point b, double width) {
  const Point along{b.x - a.x, b.y - a.y};
  const double length = along.x * along.x + along.y * along.y;
  const double t = std::clamp(((p.x - a.x) * along.x + (p.y - a.y) * along.y) / std::max(length, 1e-9), 0.0, 1.0);
  return std::hypot(p.x - a.x - t * along.x, p.y - a.y - t * along.y) - width / 2;
}

/// Source: I. Quilez, "2D distance functions", polygon.
inline double to_polygon(Point p, const std::vector<Point>& corners) {
  double squared = 1e18;
  bool inside = false;
  for (std::size_t i = 0, j = corners.size() - 1; i < corners.size(); j = i++) {
    const Point& a = corners[i];
    const Point& b = corners[j];
    const double distance = to_line(p, a, b, 0);
    squared = std::min(squared, distance * distance);
    if ((a.y > p.y) != (b.y > p.y) && p.x < a.x + (p.y - a.y) * (b.x - a.x) / (b.y - a.y)) inside = !inside;
  }
  return inside ? -std::sqrt(squared) : std::sqrt(squared);
}

class Canvas {
 public:
  Canvas(Index h, Index w) : h_(h), w_(w), pixels_(static_cast<std::size_t>(h * w)) {}

  /// @param distance  Point -> signed distance
  /// @param colour    Point -> Colour
  template <class Distance, class Paint>
  void paint(const Area& area, const Distance& distance, const Paint& colour, double opacity = 1) {
    const auto bound = [](double at, Index most) { return std::clamp<Index>(static_cast<Index>(at), 0, most); };
    for (Index y = bound(area.top, h_); y < bound(area.bottom, h_); ++y)
      for (Index x = bound(area.left, w_); x < bound(area.right, w_); ++x) {
        const Point p{static_cast<double>(x) + 0.5, static_cast<double>(y) + 0.5};
        const double cover = std::clamp(0.5 - distance(p), 0.0, 1.0) * opacity;
        Colour& pixel = pixels_[static_cast<std::size_t>(y * w_ + x)];
        if (cover > 0) pixel = mix(pixel, colour(p), cover);
      }
  }

  void circle(Point centre, double radius, const Colour& colour, double opacity = 1) {
    const double reach = radius + 2;
    paint(
        {centre.x - reach, centre.y - reach, centre.x + reach, centre.y + reach},
        [&](Point p) { return to_circle(p, centre, radius); }, [&](Point) { return colour; }, opacity);
  }

  void ring(Point centre, double radius, double width, const Colour& colour) {
    const double reach = radius + width + 2;
    paint(
        {centre.x - reach, centre.y - reach, centre.x + reach, centre.y + reach},
        [&](Point p) { return std::abs(to_circle(p, centre, radius)) - width / 2; }, [&](Point) { return colour; });
  }

  void line(Point a, Point b, double width, const Colour& colour, double opacity = 1) {
    const double reach = width + 2;
    paint(
        {std::min(a.x, b.x) - reach, std::min(a.y, b.y) - reach, std::max(a.x, b.x) + reach,
         std::max(a.y, b.y) + reach},
        [&](Point p) { return to_line(p, a, b, width); }, [&](Point) { return colour; }, opacity);
  }

  void lines(const std::vector<Point>& points, double width, const Colour& colour) {
    for (std::size_t i = 1; i < points.size(); ++i) line(points[i - 1], points[i], width, colour);
  }

  /// `colour` as in `paint`.
  template <class Paint>
  void polygon(const std::vector<Point>& corners, const Paint& colour, double opacity = 1) {
    Area area{1e9, 1e9, 0, 0};
    for (const Point& p : corners)
      area = {std::min(area.left, p.x - 2), std::min(area.top, p.y - 2), std::max(area.right, p.x + 2),
              std::max(area.bottom, p.y + 2)};
    paint(
        area, [&](Point p) { return to_polygon(p, corners); }, colour, opacity);
  }
  void polygon(const std::vector<Point>& corners, const Colour& colour, double opacity = 1) {
    polygon(
        corners, [&](Point) { return colour; }, opacity);
  }

  [[nodiscard]] io::Picture picture() const {
    io::Picture result{.h = h_, .w = w_, .c = 3, .pixels = {}};
    for (const Colour& pixel : pixels_)
      for (const double value : {pixel.r, pixel.g, pixel.b})
        result.pixels.push_back(static_cast<unsigned char>(std::lround(std::clamp(value, 0.0, 255.0))));
    return result;
  }

 private:
  Index h_;
  Index w_;
  std::vector<Colour> pixels_;
};

}  // namespace strake::drawing
