// SPDX-License-Identifier: Apache-2.0
// 3x3 convolutions of stride 1 by Winograd's algorithm, on NHWC slabs. A chunk of tiles at a time: its inputs become
// one small matrix (tiles, channels) per point, each is multiplied by the weights of its point, the products become
// outputs. The chunk stays in the caches; the weights, 4 times (m = 2: 1.8 times) as large as those of the direct
// convolution, pass by once per chunk.

#include <omp.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/errors.hpp"
#include "kernels/conv_geometry.hpp"
#include "kernels/finish.hpp"
#include "kernels/lane.hpp"
#include "kernels/micro_gemm.hpp"
#include "kernels/winograd_tile.hpp"

namespace strake::kernels {

namespace {

using winograd::points;

// ---- weights ------------------------------------------------------------------------------------------------------

// (points, panels, ic, panel_columns) of output channels `channels`, from (oc, ic, 3, 3).
std::shared_ptr<Blob> transformed(const MakeContext& context, Index m, const ConvGeometry& g) {
  const WeightId id = as<Conv>(context.op())->weights;
  const Interval channels = g.out_channels;
  const std::string form = "winograd" + std::to_string(m) + ":" + to_string(channels);
  if (std::shared_ptr<Blob> known = context.weights.prepared(id, form)) return known;
  const Index n_points = points(m) * points(m);
  const Index point_floats = packed_floats(g.ic, channels.size());
  auto values = std::make_shared<Blob>(
      context.weights.allocate(static_cast<std::size_t>(n_points * point_floats) * sizeof(float)));
  float* to = values->floats().data();
  context.weights.keep(id, form, values);
  if (context.weights.is_synthetic()) {
    std::ranges::fill(values->floats(), 0.01F);
    return values;
  }
  const Blob original = context.weights.original(id);
  const float* from = original.floats().data();
  const Index panels = (channels.size() + panel_columns - 1) / panel_columns;
#pragma omp parallel for schedule(static)
  for (Index panel = 0; panel < panels; ++panel) {
    std::vector<double> u(static_cast<std::size_t>(n_points));
    const Index first = panel * panel_columns;
    const Index width = panel_width(first, channels.size());
    for (Index i = 0; i < g.ic; ++i)
      for (Index column = 0; column < width; ++column) {
        const Index channel = channels.begin + first + column;
        std::ranges::fill(u, 0.0);
        if (channel < channels.end) winograd::transform_weights(m, from + (channel * g.ic + i) * 9, u.data());
        for (Index point = 0; point < n_points; ++point)
          to[point * point_floats + first * g.ic + i * width + column] =
              static_cast<float>(u[static_cast<std::size_t>(point)]);
      }
  }
  return values;
}

// ---- chunks -------------------------------------------------------------------------------------------------------

// Half of a second-level cache; the weights want some of it too.
constexpr Index chunk_bytes = 512 * 1024;

// Steps of the caches' sets: rows that lie a multiple of this apart push each other out.
constexpr Index set_floats = 256;

// Rows of a chunk's matrices: whole lanes, and never a multiple of the sets.
Index spread_rows(Index channels) {
  const Index floats = whole_lanes(channels);
  return floats % set_floats == 0 ? floats + lane_floats : floats;
}

struct ChunkShape {
  Index tiles = 0;    // per chunk, at most
  Index v_step = 0;   // floats from tile to tile
  Index v_point = 0;  // floats from point to point
  Index product_step = 0;
  Index product_point = 0;

  [[nodiscard]] Index floats(Index n_points) const { return n_points * (v_point + product_point); }
};

// Weights that threads may each read on their own, and the tiles that make that worth it: then they need not wait for
// each other, nor fetch what another one has computed.
constexpr Index most_weight_bytes_alone = 4 * chunk_bytes;
constexpr Index least_tiles_alone = 8;

Index weight_bytes(Index m, const ConvGeometry& g) {
  return points(m) * points(m) * g.ic * g.out_channels.size() * static_cast<Index>(sizeof(float));
}

bool threads_are_alone(Index m, const ConvGeometry& g, Index all_tiles, Index threads) {
  return threads == 1 || (weight_bytes(m, g) <= most_weight_bytes_alone && all_tiles >= least_tiles_alone * threads);
}

// As many tiles as fit beside the weights: large weights want to pass by seldom. Threads that are alone get equally
// many chunks.
ChunkShape chunk_shape(Index m, const ConvGeometry& g, Index all_tiles, Index threads) {
  const Index n_points = points(m) * points(m);
  ChunkShape shape;
  shape.v_step = spread_rows(g.ic);
  shape.product_step = spread_rows(g.out_channels.size());
  const Index tile_bytes = n_points * (shape.v_step + shape.product_step) * static_cast<Index>(sizeof(float));
  const Index wanted = std::max<Index>(std::max(chunk_bytes, weight_bytes(m, g) / 2) / tile_bytes, 8);
  Index chunks = (all_tiles + wanted - 1) / wanted;
  if (threads_are_alone(m, g, all_tiles, threads)) chunks = (chunks + threads - 1) / threads * threads;
  shape.tiles = (all_tiles + chunks - 1) / chunks;
  shape.v_point = shape.tiles * shape.v_step + lane_floats;
  shape.product_point = shape.tiles * shape.product_step + lane_floats;
  return shape;
}

// Who does which part of a chunk: one thread all of it, or all threads together.
struct Share {
  Index part = 0;
  Index parts = 1;

  [[nodiscard]] Interval of(Index n) const { return {n * part / parts, n * (part + 1) / parts}; }
};

class Winograd final : public Kernel {
 public:
  Winograd(const MakeContext& context, Index m)
      : m_(m),
        src_(context.request.src.front()),
        dst_(context.request.dst),
        workspace_(&context.workspace),
        post_ops_(as<Conv>(context.op())->post_ops),
        g_(geometry_of(context, src_.box, dst_.box)),
        weights_(transformed(context, m, g_)),
        bias_(padded_bias(context, g_.out_channels)),
        tile_rows_((g_.oh + m - 1) / m),
        tile_columns_((g_.ow + m - 1) / m),
        tiles_(g_.n * tile_rows_ * tile_columns_),
        threads_(omp_get_max_threads()),
        chunk_(chunk_shape(m, g_, tiles_, threads_)) {
    const std::optional<Finish> simple = fast_finish(post_ops_);
    is_simple_ = simple.has_value();
    finish_ = simple.value_or(Finish{});
    finish_.bias = bias_.data();
    together_ = !threads_are_alone(m, g_, tiles_, threads_);
    const Index tile_floats = is_simple_ ? 0 : m * m * whole_lanes(g_.out_channels.size());
    own_floats_ = chunk_.floats(n_points()) + tile_floats;
    const Index buffers = together_ ? 1 : threads_;
    const Index floats = buffers * chunk_.floats(n_points()) + threads_ * tile_floats;
    context.workspace.reserve(static_cast<std::size_t>(floats) * sizeof(float));
  }

  void run() override {
    auto* memory = reinterpret_cast<float*>(workspace_->data());
    const Index chunks = (tiles_ + chunk_.tiles - 1) / chunk_.tiles;
#pragma omp parallel num_threads(static_cast <int>(threads_)) if (threads_ > 1)
    {
      const Share team{omp_get_thread_num(), omp_get_num_threads()};
      if (together_) {
        float* tile_buffer = memory + chunk_.floats(n_points()) + team.part * (own_floats_ - chunk_.floats(n_points()));
        for (Index chunk = 0; chunk < chunks; ++chunk) {
          const Interval tiles = tiles_of(chunk);
          transform_sources(tiles, team, memory);
#pragma omp barrier
          multiply_points(tiles, team, memory);
#pragma omp barrier
          transform_products(tiles, team, memory, tile_buffer);
#pragma omp barrier
        }
      } else {
        float* own = memory + team.part * own_floats_;
        for (Index chunk = team.part; chunk < chunks; chunk += team.parts) {
          const Interval tiles = tiles_of(chunk);
          transform_sources(tiles, {}, own);
          multiply_points(tiles, {}, own);
          transform_products(tiles, {}, own, own + chunk_.floats(n_points()));
        }
      }
    }
  }

  [[nodiscard]] std::string implementation() const override { return "own_winograd" + std::to_string(m_); }

 private:
  // Channels of a tile that one thread transforms at a time, where threads share chunks of few tiles.
  static constexpr Index channels_at_once = 128;

  [[nodiscard]] Index n_points() const { return points(m_) * points(m_); }
  [[nodiscard]] Interval tiles_of(Index chunk) const {
    return {chunk * chunk_.tiles, std::min((chunk + 1) * chunk_.tiles, tiles_)};
  }
  [[nodiscard]] float* products(float* memory) const { return memory + n_points() * chunk_.v_point; }

  struct Place {
    Index n, y, x;  // of the tile's first output in the slab
  };
  [[nodiscard]] Place place(Index tile) const {
    const Index in_image = tile % (tile_rows_ * tile_columns_);
    return {tile / (tile_rows_ * tile_columns_), in_image / tile_columns_ * m_, in_image % tile_columns_ * m_};
  }

  void transform_sources(Interval tiles, Share share, float* memory) const {
    const Index pieces = (g_.ic + channels_at_once - 1) / channels_at_once;
    const Interval mine = share.of(tiles.size() * pieces);
    const Index reach = points(m_);
    for (Index at = mine.begin; at < mine.end; ++at) {
      const Index tile = at / pieces;
      const Index channel = at % pieces * channels_at_once;
      const auto [n, y, x] = place(tiles.begin + tile);
      const Index top = y - g_.h.pad_begin;
      const Index left = x - g_.w.pad_begin;
      winograd::transform_input(
          m_,
          {.src = src_.floats() + n * src_.strides[0] + top * src_.strides[2] + left * src_.strides[3] + channel,
           .row_step = src_.strides[2],
           .column_step = src_.strides[3],
           .rows = intersect({-top, g_.ih - top}, {0, reach}),
           .columns = intersect({-left, g_.iw - left}, {0, reach}),
           .channels = std::min(channels_at_once, g_.ic - channel)},
          memory + tile * chunk_.v_step + channel, chunk_.v_point);
    }
  }

  void multiply_points(Interval tiles, Share share, float* memory) const {
    const Index oc = g_.out_channels.size();
    const Index panels = (oc + panel_columns - 1) / panel_columns;
    const Index point_floats = packed_floats(g_.ic, oc);
    const Interval mine = share.of(n_points() * panels);
    for (Index at = mine.begin; at < mine.end; ++at) {
      const Index point = at / panels;
      const Index column = at % panels * panel_columns;
      multiply({.a = memory + point * chunk_.v_point,
                .a_step = chunk_.v_step,
                .b = weights_->floats().data() + point * point_floats + column * g_.ic,
                .k = g_.ic,
                .width = panel_width(column, oc),
                .c = products(memory) + point * chunk_.product_point + column,
                .c_step = chunk_.product_step,
                .rows = tiles.size()});
    }
  }

  void transform_products(Interval tiles, Share share, float* memory, float* tile_buffer) const {
    const Index oc = g_.out_channels.size();
    const Index pieces = is_simple_ ? (oc + channels_at_once - 1) / channels_at_once : 1;
    const Index piece = is_simple_ ? channels_at_once : oc;
    const Interval mine = share.of(tiles.size() * pieces);
    for (Index at = mine.begin; at < mine.end; ++at) {
      const Index tile = at / pieces;
      const Index channel = at % pieces * piece;
      const auto [n, y, x] = place(tiles.begin + tile);
      float* dst = dst_.floats() + n * dst_.strides[0] + y * dst_.strides[2] + x * dst_.strides[3] + channel;
      winograd::OutputTile out{.dst = dst,
                               .row_step = dst_.strides[2],
                               .column_step = dst_.strides[3],
                               .rows = std::min(m_, g_.oh - y),
                               .columns = std::min(m_, g_.ow - x),
                               .channels = std::min(piece, oc - channel)};
      if (!is_simple_) {
        out.dst = tile_buffer;
        out.row_step = m_ * whole_lanes(oc);
        out.column_step = whole_lanes(oc);
      }
      Finish finish = finish_;
      finish.bias += channel;
      winograd::transform_output(m_, products(memory) + tile * chunk_.product_step + channel, chunk_.product_point,
                                 finish, out);
      if (!is_simple_) finish_pixels(out, dst);
    }
  }

  // The post-ops of a tile that lies in a buffer of its own.
  void finish_pixels(const winograd::OutputTile& tile, float* dst) const {
    const Index n = tile.channels;
    for (Index y = 0; y < tile.rows; ++y)
      for (Index x = 0; x < tile.columns; ++x) {
        float* values = tile.dst + y * tile.row_step + x * tile.column_step;
        float* out = dst + y * dst_.strides[2] + x * dst_.strides[3];
        finish_pixel(post_ops_, values, n, out);
      }
  }

  Index m_;
  View src_;
  View dst_;
  Workspace* workspace_;
  std::vector<PostOp> post_ops_;
  ConvGeometry g_;
  std::shared_ptr<Blob> weights_;
  std::vector<float> bias_;
  Index tile_rows_;
  Index tile_columns_;
  Index tiles_;
  Index threads_;
  ChunkShape chunk_;
  Finish finish_;
  bool is_simple_ = false;  // all post-ops are done by `finish_`
  bool together_ = false;   // all threads work on one chunk
  Index own_floats_ = 0;    // of the workspace per thread, where each has its own chunk
};

}  // namespace

bool can_winograd(const MakeContext& context) {
  const Conv& conv = *as<Conv>(context.op());
  const auto fits = [](const WindowAxis& axis) { return axis.kernel == 3 && axis.stride == 1 && axis.dilation == 1; };
  const View& src = context.request.src.front();
  const auto neighbours = [](const View& view) { return view.strides[1] == 1 || view.box[1].size() == 1; };
  return conv.groups == 1 && fits(conv.window.h) && fits(conv.window.w) && !src.box.empty() && neighbours(src) &&
         neighbours(context.request.dst);
}

KernelPtr make_winograd(const MakeContext& context, Index m) { return std::make_unique<Winograd>(context, m); }

}  // namespace strake::kernels
