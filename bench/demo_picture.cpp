// SPDX-License-Identifier: Apache-2.0
// strake-demo-picture FILE: draws docs/harbour.png, the picture of the demonstration: edges, corners and textures at
// several scales, made by formulas alone.

#include <array>
#include <cstdio>
#include <numbers>

#include "canvas.hpp"
#include "core/errors.hpp"

namespace {

using namespace strake;
using namespace strake::drawing;

constexpr double horizon = 590;
constexpr Point sun{1240, 470};
constexpr Colour ink{22, 26, 44};
constexpr Colour cream{250, 238, 212};
constexpr Colour red{196, 52, 44};

// A number in [0, 1) that looks random, the same on every machine.
double scattered(int i) {
  auto x = static_cast<unsigned>(i) * 2654435761U;
  x = (x ^ (x >> 15)) * 2246822519U;
  return static_cast<double>((x ^ (x >> 13)) & 0xFFFFU) / 65536.0;
}

void draw_sky(Canvas& canvas) {
  constexpr std::array<Colour, 4> scale{{{255, 214, 140}, {240, 142, 108}, {128, 84, 128}, {30, 42, 92}}};
  constexpr double n_bands = 15;
  canvas.paint(
      {}, [](Point) { return -1.0; },
      [&](Point p) {
        // Bands around the sun, as on a printed poster, with soft rims.
        const double at = std::hypot(p.x - sun.x, (p.y - sun.y) * 1.35) / 1250 * n_bands;
        const double rim = std::clamp((at - std::floor(at)) * 40, 0.0, 1.0);
        const double band = std::min((std::floor(at) - 1 + rim) / (n_bands - 1), 0.9999) * 3;
        const auto i = static_cast<std::size_t>(std::max(band, 0.0));
        return mix(scale[i], scale[i + 1], band - static_cast<double>(i));
      });
  canvas.circle(sun, 78, {255, 246, 214});
}

void draw_clouds(Canvas& canvas) {
  for (int i = 0; i < 16; ++i) {
    const double x = 1920 * scattered(i);
    const double y = 60 + 330 * scattered(i + 50);
    const double length = 90 + 240 * scattered(i + 100);
    canvas.line({x, y}, {x + length, y}, 18, {255, 226, 196}, 0.55);
    canvas.line({x + 30, y + 14}, {x + length * 0.7, y + 14}, 10, {255, 226, 196}, 0.35);
  }
}

void draw_hills(Canvas& canvas) {
  const auto hill = [&](double top, double height, double phase, const Colour& colour) {
    canvas.paint(
        {0, top - height - 20, 1920, horizon + 2},
        [&](Point p) {
          const double crest =
              top - height * (0.6 * std::sin(p.x / 190 + phase) + 0.4 * std::sin(p.x / 71 + 2 * phase));
          return (crest - p.y) / 1.2;
        },
        [&](Point) { return colour; });
  };
  hill(540, 34, 0.6, {120, 92, 134});
  hill(568, 24, 2.4, {72, 68, 112});
}

void draw_gull(Canvas& canvas, Point at, double span) {
  std::vector<Point> wings;
  for (int i = -12; i <= 12; ++i) {
    const double t = i / 12.0;
    wings.push_back(
        {at.x + t * span, at.y - span * 0.42 * std::sin(std::numbers::pi * std::abs(t)) * (1.2 - std::abs(t))});
  }
  canvas.lines(wings, span / 11, cream);
}

// Scalloped rows of waves from `from` to `to`, those nearer larger.
void draw_waves(Canvas& canvas, int from, int to) {
  for (int row = from; row < to; ++row) {
    const double depth = row / 16.0;
    const double top = horizon + 400 * depth * depth + 10 * depth;
    const double length = 26 + 150 * depth;
    const double height = 3 + 20 * depth;
    const double phase = scattered(row) * length;
    const Colour dark = mix({214, 128, 112}, {14, 58, 88}, 0.25 + depth * 1.1);
    const Colour light = mix({250, 190, 150}, {70, 160, 176}, depth * 1.2);
    const auto crest = [=](double x) {
      return top + height * std::abs(std::sin(std::numbers::pi * (x + phase) / length));
    };
    canvas.paint(
        {0, top - 2, 1920, 1080}, [&](Point p) { return (crest(p.x) - p.y) * 0.8; },
        [&](Point p) {
          // Contour lines follow the crest and thin out below it.
          const double below = (p.y - crest(p.x)) / (4 + 8 * depth);
          const double stripe = std::clamp((std::cos(2 * std::numbers::pi * below) - 0.35) * 3, 0.0, 1.0);
          return mix(dark, light, stripe * std::clamp(1.1 - below * 0.28, 0.0, 1.0));
        });
  }
}

void draw_glitter(Canvas& canvas) {
  for (int i = 0; i < 70; ++i) {
    const double depth = scattered(i + 300);
    const double y = horizon + 8 + 250 * depth * depth;
    const double x = sun.x + (scattered(i + 400) - 0.5) * (120 + 260 * depth);
    const double half = 8 + 40 * depth * scattered(i + 500);
    canvas.line({x - half, y}, {x + half, y}, 2 + 3 * depth, {255, 232, 180}, 0.9);
  }
}

void draw_rock(Canvas& canvas) {
  const std::vector<Point> outline{{1390, 700}, {1425, 640}, {1480, 622}, {1500, 588}, {1580, 566}, {1690, 572},
                                   {1745, 600}, {1790, 590}, {1850, 640}, {1920, 655}, {1920, 760}, {1390, 760}};
  canvas.polygon(outline, [](Point p) { return mix({92, 78, 96}, {38, 36, 60}, (p.y - 560) / 160); });
  // Facets catch the light of the sun.
  for (int i = 0; i < 34; ++i) {
    const Point a{1420 + 470 * scattered(i + 600), 610 + 110 * scattered(i + 650)};
    const Point b{a.x + 16 + 26 * scattered(i + 700), a.y - 6 + 12 * scattered(i + 750)};
    const Point c{a.x + 8, a.y + 14 + 16 * scattered(i + 800)};
    if (to_polygon(a, outline) < -8 && to_polygon(b, outline) < -8)
      canvas.polygon({a, b, c}, i % 3 == 0 ? Colour{168, 118, 112} : Colour{64, 56, 80});
  }
}

void draw_lighthouse(Canvas& canvas) {
  constexpr double middle = 1640;
  constexpr double foot = 572;
  constexpr double top = 190;
  const auto half = [](double y) { return 38 + 26 * (y - top) / (foot - top); };
  for (const double side : {-1.0, 1.0})
    canvas.polygon({{middle, 152},
                    {middle + side * 1700, side < 0 ? -20.0 : 40.0},
                    {middle + side * 1700, side < 0 ? 190.0 : 250.0}},
                   Colour{255, 244, 200}, 0.24);
  canvas.polygon(
      {{middle - half(foot), foot}, {middle - half(top), top}, {middle + half(top), top}, {middle + half(foot), foot}},
      [&](Point p) {
        const double band = (p.y - top) / (foot - top) * 7;
        const Colour base = static_cast<int>(band) % 2 == 0 ? red : cream;
        const double across = (p.x - middle) / half(p.y);  // round, lit by the sun from the left
        const double shade = std::clamp(0.25 + 0.75 * across, 0.0, 1.0) * 0.62;
        return mix(base, {40, 26, 60}, shade);
      });
  for (const double y : {265.0, 372.0, 480.0}) {
    canvas.polygon({{middle - 12, y}, {middle + 12, y}, {middle + 12, y + 34}, {middle - 12, y + 34}}, ink);
    canvas.line({middle, y}, {middle, y + 34}, 3, cream);
    canvas.line({middle - 12, y + 17}, {middle + 12, y + 17}, 3, cream);
  }
  canvas.polygon({{middle - 66, 178}, {middle + 66, 178}, {middle + 54, 196}, {middle - 54, 196}}, ink);
  for (int i = -6; i <= 6; ++i) canvas.line({middle + i * 10.6, 152}, {middle + i * 10.6, 178}, 2.4, ink);
  canvas.line({middle - 65, 152}, {middle + 65, 152}, 4, ink);
  canvas.polygon({{middle - 32, 118}, {middle + 32, 118}, {middle + 32, 178}, {middle - 32, 178}},
                 Colour{255, 240, 170});
  canvas.circle({middle, 148}, 15, {255, 255, 244});
  for (int i = -2; i <= 2; ++i) canvas.line({middle + i * 16, 118}, {middle + i * 16, 178}, 3, ink);
  canvas.line({middle - 32, 148}, {middle + 32, 148}, 3, ink);
  canvas.polygon({{middle - 42, 120}, {middle - 28, 92}, {middle, 78}, {middle + 28, 92}, {middle + 42, 120}}, red);
  canvas.line({middle, 80}, {middle, 48}, 4, ink);
  canvas.circle({middle, 76}, 8, ink);
}

// ---- the boat -----------------------------------------------------------------------------------------------------

constexpr double stern = 250;
constexpr double bow = 1130;

// 0 at the stern, 1 at the bow.
double along(double x) { return (x - stern) / (bow - stern); }

double sheer(double x) {
  const double t = along(x) - 0.42;
  return 742 - 330 * t * t * (t > 0 ? 1 : 0.62);
}

double keel(double x) {
  const double t = std::clamp(along(x), 0.0, 1.0);
  return sheer(x) + 215 * std::pow(std::sin(std::numbers::pi * (0.10 + 0.9 * (1 - std::pow(t, 2.6)))), 0.42);
}

Colour plank_colour(Point p) {
  constexpr double n_strakes = 9;
  const double place = (p.y - sheer(p.x)) / std::max(keel(p.x) - sheer(p.x), 1.0) * n_strakes;
  const auto strake = static_cast<int>(std::floor(place));
  const double within = place - strake;
  if (strake == 0) return mix({36, 84, 112}, {22, 54, 84}, within);
  const double grain = std::sin(p.x / 17 + 3 * std::sin(p.x / 61 + strake) + within * 26 + strake * 2.1);
  const Colour wood = mix({186, 112, 58}, {132, 68, 36}, 0.5 + 0.32 * grain + 0.25 * (scattered(strake) - 0.5));
  const double seam = std::clamp((0.10 - within) * 14, 0.0, 1.0) + std::clamp((within - 0.95) * 20, 0.0, 1.0) * 0.6;
  const double butt = std::fmod(p.x + 137.0 * strake, 290.0);  // where two planks of a strake meet
  const double joint = std::clamp(2.2 - std::abs(butt - 145), 0.0, 1.0);
  const Colour lit = mix(wood, {250, 206, 140}, std::clamp((0.32 - std::abs(within - 0.22)) * 1.5, 0.0, 0.35));
  return mix(mix(lit, {52, 24, 22}, std::min(seam + joint * 0.8, 1.0)), {30, 20, 44}, place / n_strakes * 0.45);
}

void draw_hull(Canvas& canvas) {
  canvas.paint(
      {stern - 4, 480, bow + 40, 1000},
      [](Point p) {
        const double ends = std::max(stern + (p.y - sheer(stern)) * 0.16 - p.x, p.x - bow + (p.y - sheer(bow)) * 0.34);
        return std::max({(sheer(p.x) - p.y) * 0.86, (p.y - keel(p.x)) * 0.8, ends * 0.95});
      },
      plank_colour);
  std::vector<Point> rail;
  for (double x = stern - 6; x <= bow + 8; x += 4) rail.push_back({x, sheer(x)});
  canvas.lines(rail, 13, {88, 42, 30});
  for (Point& p : rail) p.y -= 3;
  canvas.lines(rail, 4, {232, 176, 104});
  for (double x = stern + 60; x < bow - 40; x += 46)
    for (const double strake : {2.5, 4.5, 6.5}) {
      const double y = sheer(x) + (keel(x) - sheer(x)) * strake / 9;
      canvas.circle({x, y}, 3.2, {64, 30, 24});
      canvas.circle({x - 1, y - 1}, 1.4, {250, 214, 160});
    }
}

// The boat's name in strokes of a pen: each letter in a box of 2 by 3.
void draw_name(Canvas& canvas) {
  const std::vector<std::vector<std::vector<Point>>> letters{
      {{{2, 0}, {0, 0}, {0, 1.5}, {2, 1.5}, {2, 3}, {0, 3}}},
      {{{0, 0}, {2, 0}}, {{1, 0}, {1, 3}}},
      {{{0, 3}, {0, 0}, {2, 0}, {2, 1.5}, {0, 1.5}, {2, 3}}},
      {{{0, 3}, {1, 0}, {2, 3}}, {{0.4, 1.9}, {1.6, 1.9}}},
      {{{0, 0}, {0, 3}}, {{2, 0}, {0, 1.6}, {2, 3}}},
      {{{2, 0}, {0, 0}, {0, 3}, {2, 3}}, {{0, 1.5}, {1.6, 1.5}}}};
  double x = 880;
  for (const auto& letter : letters) {
    for (const auto& stroke : letter) {
      std::vector<Point> points;
      for (const Point& p : stroke) points.push_back({x + p.x * 7, sheer(x + p.x * 7) + 24 + p.y * 7});
      canvas.lines(points, 4.4, {24, 18, 30});
      for (Point& p : points) p = {p.x - 1.5, p.y - 1.5};
      canvas.lines(points, 3.2, cream);
    }
    x += 26;
  }
}

// A sail between three corners, sewn of cloths parallel to its last side.
void draw_sail(Canvas& canvas, const std::array<Point, 3>& corners, const Colour& one, const Colour& other) {
  const Point& a = corners[1];
  const Point& b = corners[2];
  const double length = std::hypot(b.x - a.x, b.y - a.y);
  const Point normal{(b.y - a.y) / length, -(b.x - a.x) / length};
  canvas.polygon({corners.begin(), corners.end()}, [&](Point p) {
    const double away = std::abs((p.x - a.x) * normal.x + (p.y - a.y) * normal.y);
    const double cloth = away / 58;
    const double within = cloth - std::floor(cloth);
    const Colour base = static_cast<int>(cloth) % 2 == 0 ? one : other;
    const double seam = std::clamp((0.05 - std::min(within, 1 - within)) * 30, 0.0, 1.0) * 0.55;
    return mix(mix(base, {120, 84, 110}, 0.30 * within), {92, 60, 70}, seam);
  });
}

void draw_rig(Canvas& canvas) {
  const Point masthead{640, 96};
  draw_sail(canvas, {{{626, 120}, {626, 640}, {292, 652}}}, cream, {238, 206, 160});
  draw_sail(canvas, {{{662, 150}, {1120, 556}, {676, 652}}}, red, cream);
  canvas.line({640, 742}, masthead, 15, {104, 58, 36});
  canvas.line({637, 742}, {637, masthead.y}, 4, {206, 140, 84});
  canvas.line({640, 664}, {270, 676}, 11, {104, 58, 36});
  canvas.line(masthead, {bow + 70, sheer(bow) - 22}, 3, ink);
  canvas.line({bow - 60, sheer(bow) + 6}, {bow + 92, sheer(bow) - 32}, 11, {104, 58, 36});
  canvas.line(masthead, {stern + 8, sheer(stern)}, 3, ink);
  for (const double foot : {560.0, 590.0, 700.0, 730.0}) canvas.line({640, 190}, {foot, sheer(foot)}, 2.4, ink);
  for (int i = 1; i < 12; ++i) {  // ratlines
    const double t = 0.42 + 0.045 * i;
    const auto at = [&](double foot) { return Point{640 + (foot - 640) * t, 190 + (sheer(foot) - 190) * t}; };
    canvas.line(at(560), at(590), 2, ink);
    canvas.line(at(700), at(730), 2, ink);
  }
  constexpr std::array<Colour, 4> flags{{{232, 180, 60}, {44, 110, 150}, {196, 52, 44}, {250, 238, 212}}};
  for (int i = 0; i < 11; ++i) {
    const double t = 0.06 + 0.082 * i;
    const auto at = [&](double s) {
      return Point{masthead.x + (stern + 8 - masthead.x) * s, masthead.y + (sheer(stern) - masthead.y) * s};
    };
    const Point tip{at(t + 0.02).x - 30, at(t + 0.02).y + 6};
    canvas.polygon({at(t), at(t + 0.042), tip}, flags[static_cast<std::size_t>(i) % flags.size()]);
  }
  canvas.polygon({{640, 92}, {720, 74}, {700, 92}, {724, 108}, {640, 112}}, Colour{232, 180, 60});
}

// ---- the quay -----------------------------------------------------------------------------------------------------

constexpr double quay = 930;

void draw_tiles(Canvas& canvas) {
  canvas.paint(
      {0, quay, 1920, 1080}, [](Point p) { return quay - p.y; },
      [](Point p) {
        const double depth = 190 / (p.y - quay + 120);  // perspective: rows get lower towards the water
        const double u = (p.x - 960) * depth / 92;
        const double v = depth * 9;
        const auto odd = (static_cast<int>(std::floor(u)) + static_cast<int>(std::floor(v))) % 2 != 0;
        const double rim = std::min({u - std::floor(u), std::ceil(u) - u, v - std::floor(v), std::ceil(v) - v});
        const double stone =
            scattered(static_cast<int>(std::floor(u)) * 31 + static_cast<int>(std::floor(v)) * 57 + 4000);
        const Colour base =
            odd ? mix({206, 186, 160}, {184, 160, 138}, stone) : mix({92, 84, 100}, {70, 64, 84}, stone);
        return mix(base, ink, std::clamp((0.035 - rim) * 40, 0.0, 0.8));
      });
  canvas.polygon({{0, quay - 14}, {1920, quay - 14}, {1920, quay + 8}, {0, quay + 8}}, [](Point p) {
    return mix({224, 204, 172}, {110, 92, 96}, (p.y - quay + 14) / 20);
  });
  for (double x = 24; x < 1920; x += 118) canvas.line({x, quay - 13}, {x, quay + 7}, 3, {88, 72, 80});
}

void draw_crate(Canvas& canvas, Point corner, double side) {
  const auto at = [&](double u, double v) { return Point{corner.x + u * side, corner.y + v * side}; };
  canvas.polygon({at(0, 0), at(1, 0), at(1, 1), at(0, 1)}, [&](Point p) {
    const double board = (p.y - corner.y) / side * 5;
    const double within = board - std::floor(board);
    const double grain = std::sin(p.x / 9 + 4 * std::sin(p.x / 37 + std::floor(board)) + within * 9);
    return mix(mix({198, 144, 84}, {168, 112, 62}, 0.5 + 0.35 * grain), {64, 36, 26}, within < 0.06 ? 0.9 : 0.0);
  });
  constexpr Colour beam{148, 92, 48};
  const double width = side / 8;
  canvas.line(at(0.1, 0.1), at(0.9, 0.9), width, beam);
  canvas.line(at(0.1, 0.9), at(0.9, 0.1), width, beam);
  for (const auto& [a, b] : std::array<std::pair<Point, Point>, 4>{{{at(0.06, 0.06), at(0.94, 0.06)},
                                                                    {at(0.06, 0.94), at(0.94, 0.94)},
                                                                    {at(0.06, 0.06), at(0.06, 0.94)},
                                                                    {at(0.94, 0.06), at(0.94, 0.94)}}})
    canvas.line(a, b, width, {124, 74, 40});
  for (const double u : {0.06, 0.94})
    for (const double v : {0.06, 0.94}) canvas.circle(at(u, v), side / 40, ink);
}

void draw_wheel(Canvas& canvas, Point centre, double radius) {
  for (int i = 0; i < 8; ++i) {
    const double angle = std::numbers::pi * (i + 0.25) / 4;
    const auto at = [&](double r) { return Point{centre.x + r * std::cos(angle), centre.y + r * std::sin(angle)}; };
    canvas.line(centre, at(radius * 1.25), radius / 11, {118, 64, 36});
    canvas.line(at(radius * 1.1), at(radius * 1.36), radius / 7, {162, 96, 50});
  }
  canvas.ring(centre, radius, radius / 5, {92, 46, 28});
  canvas.ring(centre, radius, radius / 8, {196, 126, 66});
  canvas.ring(centre, radius * 0.62, radius / 16, {196, 126, 66});
  canvas.circle(centre, radius / 4, {92, 46, 28});
  canvas.circle(centre, radius / 6, {232, 180, 60});
}

void draw_rope(Canvas& canvas, Point centre) {
  canvas.paint(
      {centre.x - 110, centre.y - 60, centre.x + 110, centre.y + 60},
      [&](Point p) { return std::hypot(p.x - centre.x, (p.y - centre.y) * 2) - 92; }, [](Point) { return ink; }, 0.8);
  for (int i = 7; i >= 1; --i) {
    canvas.paint(
        {centre.x - 110, centre.y - 60, centre.x + 110, centre.y + 60},
        [&](Point p) { return std::abs(std::hypot(p.x - centre.x, (p.y - centre.y) * 2) - i * 12.0) - 5; },
        [&](Point p) {
          const double twist = std::sin(std::atan2((p.y - centre.y) * 2, p.x - centre.x) * i * 9);
          return mix({214, 180, 122}, {126, 88, 52}, 0.5 + 0.5 * twist);
        });
  }
}

void draw_bollard(Canvas& canvas, double x) {
  canvas.polygon({{x - 22, quay + 46}, {x - 18, quay - 34}, {x + 18, quay - 34}, {x + 22, quay + 46}}, [&](Point p) {
    return mix({98, 104, 128}, ink, 0.5 + (p.x - x) / 44);
  });
  canvas.line({x - 20, quay - 38}, {x + 20, quay - 38}, 22, {52, 56, 80});
  canvas.line({x - 20, quay - 43}, {x + 12, quay - 43}, 5, {150, 156, 176});
  canvas.line({x - 18, quay - 8}, {x + 18, quay - 2}, 9, {214, 180, 122});
  canvas.line({x - 18, quay + 4}, {x + 19, quay + 10}, 9, {190, 150, 96});
}

Canvas harbour() {
  Canvas canvas(1080, 1920);
  draw_sky(canvas);
  draw_clouds(canvas);
  draw_hills(canvas);
  draw_waves(canvas, 0, 9);
  draw_glitter(canvas);
  draw_rock(canvas);
  draw_lighthouse(canvas);
  draw_waves(canvas, 9, 12);
  draw_rig(canvas);
  draw_hull(canvas);
  draw_name(canvas);
  draw_waves(canvas, 12, 16);
  for (const auto& [x, y, span] : {std::array{905., 150., 44.},
                                   {1010., 215., 30.},
                                   {850., 250., 24.},
                                   {1400., 110., 36.},
                                   {1460., 180., 22.},
                                   {170., 190., 30.}})
    draw_gull(canvas, {x, y}, span);
  draw_tiles(canvas);
  draw_bollard(canvas, 1260);
  draw_rope(canvas, {1060, 1016});
  draw_crate(canvas, {1500, 852}, 190);
  draw_crate(canvas, {1698, 832}, 210);
  draw_crate(canvas, {1596, 706}, 142);
  draw_wheel(canvas, {176, 884}, 104);
  return canvas;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: strake-demo-picture FILE.png\n");
    return 2;
  }
  try {
    strake::io::write_png(argv[1], harbour().picture());
    return 0;
  } catch (const strake::InvalidInput& error) {
    std::fprintf(stderr, "strake-demo-picture: %s\n", error.what());
    return 2;
  }
}
