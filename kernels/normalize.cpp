// SPDX-License-Identifier: Apache-2.0
// (x - mean) / sqrt(variance + epsilon) * scale + shift, each operand per cell, per channel or per place.

#include <array>
#include <cmath>

#include "kernels/along.hpp"
#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/row_loops.hpp"

namespace strake::kernels {

namespace {

STRAKE_MULTIVERSION void centre_and_scale(const float* x, const float* mean, const float* factor, float* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] = (x[i] - mean[i]) * factor[i];
}

STRAKE_MULTIVERSION void multiply(float* values, const float* by, Index n) {
  for (Index i = 0; i < n; ++i) values[i] *= by[i];
}

STRAKE_MULTIVERSION void reciprocal_root(const float* variance, float epsilon, float* out, Index n) {
  for (Index i = 0; i < n; ++i) out[i] = 1.0F / std::sqrt(variance[i] + epsilon);
}

/// `n` neighbours from `first` on, at one place.
struct Tile {
  Index run;
  Index cell;
  Index first;
  Index n;
};

class Normalisation {
 public:
  Normalisation(const Normalize& op, const std::vector<View>& src, const View& dst)
      : epsilon_(op.epsilon), views_(src), dst_(dst) {
    std::vector<View> views = src;
    views.push_back(dst);
    along_ = walk_along(views, {});
  }

  void operator()() const {
    const Index tiles = along_.n_tiles();
#pragma omp parallel if (dst_.box.volume() > parallel_floats)
    {
      std::array<Operand, 4> operands;  // mean, factor, scale, shift
#pragma omp for schedule(static)
      for (Index i = 0; i < along_.n_places() * tiles; ++i) {
        // Tiles come one behind the other for the same channels, so that what is per channel is read once.
        const Index place = i % along_.n_places();
        const Index first = i / along_.n_places() * tile_size;
        const Tile tile{.run = place / along_.outer.length,
                        .cell = place % along_.outer.length,
                        .first = first,
                        .n = std::min(tile_size, along_.width - first)};
        normalise(tile, operands);
      }
    }
  }

 private:
  /// Values of one operand for a tile, and where they came from.
  struct Operand {
    std::array<float, tile_size> values;
    const float* from = nullptr;
  };

  // Where the tile begins in a view.
  Index begin(const Tile& tile, std::size_t view) const {
    return along_.place(tile.run, tile.cell, view) + tile.first * along_.inner[view];
  }

  // The operand's values at the tile; repeated where it does not vary.
  const float* load(std::size_t view, const Tile& tile, Operand& operand) const {
    const Index step = along_.inner[view];
    const bool is_variance = view == 2;
    const float* from = views_[view].floats() + begin(tile, view);
    if (step == 1 && !is_variance) return from;
    float* values = operand.values.data();
    if (operand.from == from) return values;
    operand.from = from;
    for (Index i = 0; i < tile.n; ++i) values[i] = from[i * step];
    if (is_variance) reciprocal_root(values, epsilon_, values, tile.n);
    return values;
  }

  void normalise(const Tile& tile, std::array<Operand, 4>& operands) const {
    const float* mean = load(1, tile, operands[0]);
    const float* factor = load(2, tile, operands[1]);
    float* out = dst_.floats() + begin(tile, views_.size());
    centre_and_scale(views_[0].floats() + begin(tile, 0), mean, factor, out, tile.n);
    if (views_.size() > 3) multiply(out, load(3, tile, operands[2]), tile.n);
    if (views_.size() > 4) add_row(load(4, tile, operands[3]), out, tile.n);
  }

  float epsilon_;
  std::vector<View> views_;
  View dst_;
  Along along_;
};

}  // namespace

KernelPtr make_normalize(const MakeContext& context) {
  return make_own(Normalisation(*as<Normalize>(context.op()), context.request.src, context.request.dst));
}

}  // namespace strake::kernels
