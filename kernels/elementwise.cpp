// SPDX-License-Identifier: Apache-2.0
// Operators that compute each cell from the same cell of their inputs.

#include <array>
#include <cmath>

#include "core/errors.hpp"
#include "kernels/activation.hpp"
#include "kernels/makers.hpp"
#include "kernels/multiversion.hpp"
#include "kernels/pieces.hpp"
#include "kernels/strided.hpp"

namespace strake::kernels {

namespace {

// ---- Elementwise --------------------------------------------------------------------------------------------------

// Runs that are not gapless go through the function cell by cell.
void apply_run(const Activation& function, const float* in, Index in_step, float* out, Index out_step, Index n) {
  if (in_step == 1 && out_step == 1) return apply(function, in, out, n);
  for (Index i = 0; i < n; ++i) apply(function, in + i * in_step, out + i * out_step, 1);
}

void apply_run(const std::vector<PostOp>& post_ops, float* out, Index step, Index n) {
  if (step == 1) return apply(post_ops, out, n);
  for (Index i = 0; i < n && !post_ops.empty(); ++i) apply(post_ops, out + i * step, 1);
}

KernelPtr make_activation(const MakeContext& context, const Activation& function) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  if (dst.type != ElementType::f32) return make_typed_activation(context, function);
  return make_own([function, src, dst, walk = walk_over({src, dst})] {
    for_each_piece<2>(walk, [&](const std::array<Index, 2>& at, Index n) {
      apply_run(function, src.floats() + at[0], walk.inner[0], dst.floats() + at[1], walk.inner[1], n);
    });
  });
}

// ---- Binary -------------------------------------------------------------------------------------------------------

/// Runs of cells in three views: two operands and the result.
struct BinaryRuns {
  const float* a;
  const float* b;
  float* out;
  std::array<Index, 3> inner;  // out, a, b: from cell to cell
  std::array<Index, 3> outer;  // from run to run
  Index length;
};

#define STRAKE_BINARY(name, expression)                                 \
  STRAKE_MULTIVERSION void name(const BinaryRuns& runs, Index n_runs) { \
    const auto [so, sa, sb] = runs.inner;                               \
    const bool gapless = sa == 1 && sb == 1 && so == 1;                 \
    for (Index run = 0; run < n_runs; ++run) {                          \
      const float* a = runs.a + run * runs.outer[1];                    \
      const float* b = runs.b + run * runs.outer[2];                    \
      float* out = runs.out + run * runs.outer[0];                      \
      if (gapless) {                                                    \
        for (Index i = 0; i < runs.length; ++i) {                       \
          const float x = a[i];                                         \
          const float y = b[i];                                         \
          out[i] = expression;                                          \
        }                                                               \
        continue;                                                       \
      }                                                                 \
      for (Index i = 0; i < runs.length; ++i) {                         \
        const float x = a[i * sa];                                      \
        const float y = b[i * sb];                                      \
        out[i * so] = expression;                                       \
      }                                                                 \
    }                                                                   \
  }

STRAKE_BINARY(loop_add, x + y)
STRAKE_BINARY(loop_sub, x - y)
STRAKE_BINARY(loop_mul, x* y)
STRAKE_BINARY(loop_div, x / y)
STRAKE_BINARY(loop_max, x > y ? x : y)
STRAKE_BINARY(loop_min, x < y ? x : y)
STRAKE_BINARY(loop_pow, std::pow(x, y))

#undef STRAKE_BINARY

using BinaryLoop = void (*)(const BinaryRuns&, Index);

BinaryLoop loop_of(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::add:
      return loop_add;
    case BinaryKind::sub:
      return loop_sub;
    case BinaryKind::mul:
      return loop_mul;
    case BinaryKind::div:
      return loop_div;
    case BinaryKind::max:
      return loop_max;
    case BinaryKind::min:
      return loop_min;
    case BinaryKind::pow:
      return loop_pow;
  }
  throw Bug("internal error: a binary operator has a kind");
}

KernelPtr make_binary(const MakeContext& context, const Binary& binary) {
  const View a = context.request.src[0];
  const View b = context.request.src[1];
  const View dst = context.request.dst;
  Walk walk = broadcast_walk(dst, {a, b});
  BinaryRuns runs{.a = nullptr,
                  .b = nullptr,
                  .out = nullptr,
                  .inner = {walk.inner[0], walk.inner[1], walk.inner[2]},
                  .outer = {},
                  .length = walk.length};
  if (!walk.sizes.empty()) runs.outer = {walk.strides[0].back(), walk.strides[1].back(), walk.strides[2].back()};
  const auto work = [a, b, dst, runs, loop = loop_of(binary.kind), post_ops = binary.post_ops](
                        const std::array<Index, 3>& at, Index n_runs, Index length) {
    BinaryRuns here = runs;
    here.out = dst.floats() + at[0];
    here.a = a.floats() + at[1];
    here.b = b.floats() + at[2];
    here.length = length;
    loop(here, n_runs);
    for (Index run = 0; run < n_runs && !post_ops.empty(); ++run)
      apply_run(post_ops, here.out + run * runs.outer[0], runs.inner[0], length);
  };
  // A long run is divided among threads, short ones are not worth a call each.
  constexpr Index long_run = 4096;
  if (walk.length >= long_run)
    return make_own([work, walk = std::move(walk)] {
      for_each_piece<3>(walk, [&](const std::array<Index, 3>& at, Index n) { work(at, 1, n); });
    });
  return make_own([work, walk = std::move(walk)] {
    for_each_group<3>(walk, [&](const std::array<Index, 3>& at, Index n_runs) { work(at, n_runs, walk.length); });
  });
}

// ---- ScaleShift ---------------------------------------------------------------------------------------------------

/// Pixels of n channels each.
struct Pixels {
  const float* in;
  Index in_step;  // from pixel to pixel
  float* out;
  Index out_step;
  Index count;
};

STRAKE_MULTIVERSION void scale_shift(const Pixels& pixels, const float* scale, const float* shift, Index n) {
  for (Index i = 0; i < pixels.count; ++i) {
    const float* in = pixels.in + i * pixels.in_step;
    float* out = pixels.out + i * pixels.out_step;
    for (Index c = 0; c < n; ++c) out[c] = in[c] * scale[c] + shift[c];
  }
}

// With ReLU behind it, as most are.
STRAKE_MULTIVERSION void scale_shift_relu(const Pixels& pixels, const float* scale, const float* shift, Index n) {
  for (Index i = 0; i < pixels.count; ++i) {
    const float* in = pixels.in + i * pixels.in_step;
    float* out = pixels.out + i * pixels.out_step;
    for (Index c = 0; c < n; ++c) {
      const float x = in[c] * scale[c] + shift[c];
      out[c] = x > 0 ? x : 0.0F;
    }
  }
}

bool is_relu(const std::vector<PostOp>& post_ops) {
  const auto* function = post_ops.size() == 1 ? std::get_if<Activation>(&post_ops.front()) : nullptr;
  return function != nullptr && function->kind == ActivationKind::relu;
}

// One number per channel of the box.
std::vector<float> channel_values(const MakeContext& context, WeightId id, float otherwise) {
  const Interval channels = context.request.dst.box[1];
  std::vector<float> values(static_cast<std::size_t>(channels.size()), otherwise);
  if (id == no_weight) return values;
  const Blob original = context.weights.original(id);
  const auto all = original.floats();
  for (Index c = channels.begin; c < channels.end; ++c)
    values[static_cast<std::size_t>(c - channels.begin)] = all[all.size() == 1 ? 0 : static_cast<std::size_t>(c)];
  return values;
}

// The same walk with the channel axis innermost and never merged with others, so that every run begins at channel 0.
Walk channel_runs(const std::vector<View>& views) {
  const std::size_t n_axes = views.front().box.rank();
  Walk walk{.sizes = {},
            .strides = std::vector<std::vector<Index>>(views.size()),
            .inner = {},
            .length = views.front().box[1].size(),
            .n_runs = 1};
  for (const View& view : views) walk.inner.push_back(view.strides[1]);
  for (const std::size_t axis : canonical_order(n_axes)) {
    if (axis == 1) continue;
    walk.sizes.push_back(views.front().box[axis].size());
    for (std::size_t view = 0; view < views.size(); ++view) walk.strides[view].push_back(views[view].strides[axis]);
  }
  walk.n_runs = volume(walk.sizes);
  return walk;
}

KernelPtr make_scale_shift(const MakeContext& context, const ScaleShift& op) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  Walk walk = channel_runs({src, dst});
  std::vector<float> scale = channel_values(context, op.scale, 1);
  std::vector<float> shift = channel_values(context, op.shift, 0);
  if (walk.inner[0] == 1 && walk.inner[1] == 1) {
    const std::array<Index, 2> steps = {walk.sizes.empty() ? 0 : walk.strides[0].back(),
                                        walk.sizes.empty() ? 0 : walk.strides[1].back()};
    return make_own([=, walk = std::move(walk), scale = std::move(scale), shift = std::move(shift),
                     relu = is_relu(op.post_ops), post_ops = op.post_ops] {
      for_each_group<2>(walk, [&](const std::array<Index, 2>& at, Index n_pixels) {
        const Pixels pixels{src.floats() + at[0], steps[0], dst.floats() + at[1], steps[1], n_pixels};
        (relu ? scale_shift_relu : scale_shift)(pixels, scale.data(), shift.data(), walk.length);
        for (Index i = 0; i < n_pixels && !relu && !post_ops.empty(); ++i)
          apply(post_ops, pixels.out + i * steps[1], walk.length);
      });
    });
  }
  return make_own(
      [src, dst, walk = std::move(walk), scale = std::move(scale), shift = std::move(shift), post_ops = op.post_ops] {
#pragma omp parallel for schedule(static) if (walk.n_runs * walk.length > parallel_floats)
        for (Index run = 0; run < walk.n_runs; ++run) {
          const float* in = src.floats() + walk.offset(run, 0);
          float* out = dst.floats() + walk.offset(run, 1);
          for (Index c = 0; c < walk.length; ++c) {
            const auto place = static_cast<std::size_t>(c);
            out[c * walk.inner[1]] = in[c * walk.inner[0]] * scale[place] + shift[place];
            apply(post_ops, out + c * walk.inner[1], 1);
          }
        }
      });
}

// ---- NormalizePicture ---------------------------------------------------------------------------------------------

KernelPtr make_normalisation(const MakeContext& context, const NormalizePicture& op) {
  const View src = context.request.src.front();
  const View dst = context.request.dst;
  return make_own([src, dst, op, walk = channel_runs({src, dst})] {
    const auto first = static_cast<std::size_t>(dst.box[1].begin);
#pragma omp parallel for schedule(static) if (walk.n_runs * walk.length > parallel_floats)
    for (Index run = 0; run < walk.n_runs; ++run) {
      const auto* in = reinterpret_cast<const unsigned char*>(src.data) + walk.offset(run, 0);
      float* out = dst.floats() + walk.offset(run, 1);
      for (Index c = 0; c < walk.length; ++c) {
        const std::size_t channel = first + static_cast<std::size_t>(c);
        out[c * walk.inner[1]] = static_cast<float>(in[c * walk.inner[0]]) * op.scale[channel] + op.shift[channel];
      }
    }
  });
}

}  // namespace

KernelPtr make_elementwise(const MakeContext& context) {
  const Op& op = context.op();
  if (const auto* elementwise = as<Elementwise>(op)) return make_activation(context, elementwise->function);
  if (const auto* binary = as<Binary>(op)) return make_binary(context, *binary);
  if (const auto* scale = as<ScaleShift>(op)) return make_scale_shift(context, *scale);
  return make_normalisation(context, *as<NormalizePicture>(op));
}

}  // namespace strake::kernels
