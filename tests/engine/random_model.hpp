// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Random graphs and random tables of boxes for property tests: everything follows from a printed seed.

#include <cstring>
#include <optional>
#include <random>

#include "core/graph.hpp"
#include "core/plan.hpp"

namespace strake::test {

/// Small numbers from a generator whose sequence is the same everywhere.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  /// Both ends included.
  Index between(Index low, Index high) {
    return low + static_cast<Index>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return between(1, 100) <= percent; }
  float value() { return static_cast<float>(between(-1000, 1000)) / 1000.0F; }
  std::vector<float> values(Index n) {
    std::vector<float> list(static_cast<std::size_t>(n));
    for (float& one : list) one = value();
    return list;
  }

 private:
  std::mt19937_64 engine_;
};

/// Builds graphs of a few operators over small maps of odd, prime and tiny sizes.
class RandomGraph {
 public:
  explicit RandomGraph(Random& random) : random_(random) {}

  Graph make() {
    const Shape shape{random_.chance(15) ? 2 : 1, random_.between(1, 9), size(), size()};
    const OpId input =
        graph_.add({.name = "input", .inputs = {}, .shape = shape, .type = ElementType::f32, .attributes = Input{}});
    graph_.inputs.push_back({input, "input", ElementType::f32});
    OpId last = random_.chance(15) ? add_quantized(input) : input;
    for (Index n = random_.between(2, 5); n > 0; --n) last = add_any(last);
    if (random_.chance(25)) last = add_normalisation(last);
    if (random_.chance(25)) last = add_classifier(last);
    graph_.outputs.push_back({last, "output", ElementType::f32});
    if (random_.chance(20)) {
      OpId middle = graph_.size() / 2;
      while (graph_.op(middle).type != ElementType::f32) --middle;
      graph_.outputs.push_back({middle, "middle", ElementType::f32});
    }
    return std::move(graph_);
  }

 private:
  Index size() {
    constexpr Index sizes[] = {1, 2, 3, 5, 7, 8, 11, 13, 16, 17, 23, 29};
    return sizes[random_.between(0, 11)];
  }

  std::string name() { return "op" + std::to_string(graph_.size()); }

  OpId add(std::vector<OpId> inputs, Attributes attributes, Shape shape = {}) {
    return graph_.add({.name = name(),
                       .inputs = std::move(inputs),
                       .shape = std::move(shape),
                       .type = ElementType::f32,
                       .attributes = std::move(attributes)});
  }

  WeightId weight(Shape shape, float scale = 1) {
    std::vector<float> values = random_.values(volume(shape));
    for (float& value : values) value *= scale;
    return graph_.add_weight("w" + std::to_string(graph_.weights.size()), shape, Blob::copy_of(values));
  }

  // A window that fits the axis at least once.
  WindowAxis window(Index extent, Index most_padding) {
    WindowAxis axis;
    do {
      axis = {.kernel = random_.between(1, 7), .stride = random_.between(1, 3), .dilation = random_.chance(20) ? 2 : 1};
      axis.pad_begin = random_.between(0, std::min(axis.kernel - 1, most_padding));
      axis.pad_end = random_.between(0, std::min(axis.kernel - 1, most_padding));
    } while (output_size(axis, extent, Rounding::floor) < 1);
    return axis;
  }

  std::vector<PostOp> some_activation() {
    if (random_.chance(40)) return {};
    constexpr ActivationKind kinds[] = {ActivationKind::relu,  ActivationKind::leaky_relu, ActivationKind::clip,
                                        ActivationKind::swish, ActivationKind::hard_swish, ActivationKind::sigmoid};
    const ActivationKind kind = kinds[random_.between(0, 5)];
    if (kind == ActivationKind::clip) return {Activation{kind, -0.5F, 1.5F}};
    if (kind == ActivationKind::leaky_relu) return {Activation{kind, 0.1F, 0}};
    return {Activation{kind, 1, 0}};
  }

  OpId add_conv(OpId src, bool with_residual) {
    const Shape shape = graph_.shape(src);
    const Index c = shape[1];
    Conv conv;
    Index m = random_.between(1, 20);
    if (random_.chance(25)) {
      conv.groups = c;  // depthwise
      m = c;
    } else if (c % 2 == 0 && random_.chance(20)) {
      conv.groups = 2;
      m = 2 * random_.between(1, 8);
    }
    conv.window = {window(shape[2], 7), window(shape[3], 7)};
    const Index taps = c / conv.groups * conv.window.h.kernel * conv.window.w.kernel;
    conv.weights =
        weight({m, c / conv.groups, conv.window.h.kernel, conv.window.w.kernel}, 2.0F / static_cast<float>(taps));
    if (random_.chance(70)) conv.bias = weight({m});
    conv.post_ops = some_activation();
    const OpId plain = add({src}, conv);
    if (!with_residual) return plain;
    // A second convolution of the same shape adds the first one's output.
    conv.weights = weight(graph_.weight(conv.weights).shape, 2.0F / static_cast<float>(taps));
    conv.post_ops = {AddInput{1}, Activation{ActivationKind::relu, 0, 0}};
    return add({src, plain}, conv);
  }

  // Windows that always hold a cell of the map.
  std::optional<Window2d> pool_window(const Shape& shape) {
    Window2d both{window(shape[2], 3), window(shape[3], 3)};
    for (WindowAxis* axis : {&both.h, &both.w}) {
      axis->dilation = 1;
      axis->pad_begin = std::min(axis->pad_begin, axis->kernel / 2);
      axis->pad_end = std::min(axis->pad_end, axis->kernel / 2);
    }
    const bool fits =
        output_size(both.h, shape[2], Rounding::floor) >= 1 && output_size(both.w, shape[3], Rounding::floor) >= 1;
    return fits ? std::optional(both) : std::nullopt;
  }

  // Up to some thirty rows and columns, in any way.
  OpId add_resize(OpId src) {
    const Shape shape = graph_.shape(src);
    const Shape dst = {shape[0], shape[1], size(), size()};
    Resize op;
    op.kind = static_cast<ResizeKind>(random_.between(0, 2));
    op.place = static_cast<ResizePlace>(random_.between(0, 6));
    op.antialias = random_.chance(20) ? Antialias::on : Antialias::off;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      op.scale.push_back(static_cast<double>(dst[axis]) / static_cast<double>(shape[axis]));
      op.length.push_back(static_cast<double>(dst[axis]));
      op.roi_begin.push_back(0);
      op.roi_end.push_back(1);
    }
    return add({src}, op, dst);
  }

  // A maximum pooling and the way back. Only of the input, whose values are exact: elsewhere rounding decides which of
  // two almost equal cells is the larger.
  OpId add_unpool(OpId src) {
    const Shape shape = graph_.shape(src);
    const std::optional<Window2d> fitting = pool_window(shape);
    if (!fitting || as<Input>(graph_.op(src)) == nullptr) return add_border(src);
    const Window2d both = *fitting;
    const OpId indices = add({src}, PoolIndices{both, StorageOrder::rows_first});
    const OpId pooled = add({src}, Pool{PoolKind::max, both, AverageOver::input_cells});
    const UnpoolReach reach = random_.chance(50) ? UnpoolReach::window : UnpoolReach::anywhere;
    return add({pooled, indices}, MaxUnpool{reach, both, shape[2], shape[3]}, shape);
  }

  OpId add_border(OpId src) {
    Shape shape = graph_.shape(src);
    BorderPad pad{static_cast<BorderKind>(random_.between(0, 2)), {0, 0, 0, 0}};
    for (const std::size_t axis : {std::size_t{2}, std::size_t{3}}) {
      pad.begin[axis] = random_.between(0, 3);
      shape[axis] += pad.begin[axis] + random_.between(0, 3);
    }
    return add({src}, pad, shape);
  }

  // As a transposed convolution: channels become cells, of which some are left out.
  OpId add_blocks(OpId src) {
    const Shape shape = graph_.shape(src);
    const Index block = random_.between(1, 3);
    const Index groups = random_.between(1, 2);
    const Index c = groups * random_.between(1, 9);
    Conv conv;
    conv.window = {window(shape[2], 3), window(shape[3], 3)};
    const Index taps = shape[1] * conv.window.h.kernel * conv.window.w.kernel;
    conv.weights = weight({c * block * block, shape[1], conv.window.h.kernel, conv.window.w.kernel},
                          2.0F / static_cast<float>(taps));
    const OpId wide = add({src}, conv);
    const Index begin = random_.between(0, block - 1);
    const Shape map = graph_.shape(wide);
    return add({wide}, DepthToSpace{block, block, groups, begin, 0},
               {shape[0], c, map[2] * block - begin, map[3] * block});
  }

  OpId byte(Index value) {
    Blob blob = Blob::allocate(1);
    *blob.data() = static_cast<std::byte>(value);
    return add({}, Constant{graph_.add_weight("w" + std::to_string(graph_.weights.size()), {}, blob, ElementType::u8)});
  }

  // A convolution of bytes. Only of the input, whose values are exact: elsewhere rounding decides which byte it is.
  OpId add_quantized(OpId src) {
    const Shape shape = graph_.shape(src);
    const OpId zero = byte(random_.between(0, 255));
    const OpId scale = add({}, Constant{weight({}, 0)});
    graph_.weights.back().values.floats()[0] = 0.011F;
    const OpId bytes = add({src, scale, zero}, Pointwise{.kind = PointwiseKind::quantize});
    IntegerConv conv;
    conv.groups = random_.chance(30) ? shape[1] : 1;
    conv.window = {window(shape[2], 7), window(shape[3], 7)};
    const Index m = conv.groups == 1 ? random_.between(1, 40) : shape[1];
    const Shape weights = {m, shape[1] / conv.groups, conv.window.h.kernel, conv.window.w.kernel};
    Blob values = Blob::allocate(static_cast<std::size_t>(volume(weights)));
    for (Index i = 0; i < volume(weights); ++i) values.data()[i] = static_cast<std::byte>(random_.between(0, 255));
    conv.weights = graph_.add_weight("w" + std::to_string(graph_.weights.size()), weights, values, ElementType::i8);
    const Index products = volume(weights) / m;
    conv.scale = weight({m}, 0.01F / static_cast<float>(products));
    conv.to = ElementType::u8;
    conv.zero = 120;
    conv.low = 0;
    conv.high = 255;
    const OpId result = add({bytes, zero}, conv);
    return add({result, scale, byte(120)}, Pointwise{.kind = PointwiseKind::dequantize});
  }

  // Channels in groups and back, as a shuffle does, or a map as a list of positions.
  OpId add_reshapes(OpId src) {
    const Shape shape = graph_.shape(src);
    const Index groups = shape[1] % 2 == 0 ? 2 : 1;
    if (random_.chance(50)) {
      const OpId split = add({src}, Reshape{}, {shape[0], groups, shape[1] / groups, shape[2], shape[3]});
      return add({add({split}, Transpose{{0, 2, 1, 3, 4}})}, Reshape{}, shape);
    }
    const OpId positions = add({src}, Reshape{}, {shape[0], shape[1], shape[2] * shape[3]});
    const OpId tokens = add({positions}, Transpose{{0, 2, 1}});
    return add({add({add({tokens}, Elementwise{{ActivationKind::gelu, 0, 0}})}, Transpose{{0, 2, 1}})}, Reshape{},
               shape);
  }

  // Choices by comparison, through other types, and along lines.
  OpId add_pointwise(OpId src) {
    const Shape shape = graph_.shape(src);
    if (random_.chance(30)) return add({src}, Tile{{1, 1, random_.between(1, 2), random_.between(1, 3)}});
    if (random_.chance(20)) {
      const auto part = static_cast<Triangle>(random_.between(0, 1));
      return add({src}, Trilu{part, random_.between(-9, 9)});
    }
    const OpId line = add({src}, Slice{{0, 0, shape[2] - 1, 0}, {1, 1, 1, 1}}, {shape[0], shape[1], 1, shape[3]});
    const OpId condition = add({src, line}, Pointwise{PointwiseKind::less});
    const OpId scaled = add({src, line}, Pointwise{PointwiseKind::prelu});
    const OpId whole_numbers = add({scaled}, Pointwise{PointwiseKind::cast, ElementType::i16});
    const OpId back = add({whole_numbers}, Pointwise{PointwiseKind::cast, ElementType::f32});
    return add({condition, scaled, back}, Pointwise{PointwiseKind::where});
  }

  OpId add_any(OpId src) {
    const Shape shape = graph_.shape(src);
    switch (random_.between(0, 14)) {
      case 0: {
        const PoolKind kind = random_.chance(50) ? PoolKind::max : PoolKind::average;
        const AverageOver over = random_.chance(50) ? AverageOver::input_cells : AverageOver::padded_cells;
        const std::optional<Window2d> both = pool_window(shape);
        return both ? add({src}, Pool{kind, *both, over}) : src;
      }
      case 1:
        return add({src}, Elementwise{{ActivationKind::tanh, 0, 0}});
      case 2:
        return add({src}, ScaleShift{weight({shape[1]}), weight({shape[1]}), some_activation()});
      case 3: {
        const OpId other = add({src}, Elementwise{{ActivationKind::sigmoid, 0, 0}});
        return add({src, other}, Binary{random_.chance(50) ? BinaryKind::add : BinaryKind::mul, some_activation()});
      }
      case 4: {
        const OpId other = add({src}, Elementwise{{ActivationKind::relu, 0, 0}});
        return add({src, other}, Concat{1});
      }
      case 5:
        return add_conv(src, true);
      case 6:
        return add_resize(src);
      case 7:
        return add_unpool(src);
      case 8:
        return random_.chance(50) ? add_border(src) : add_blocks(src);
      case 9:
        return add_reshapes(src);
      case 10:
        return add_pointwise(src);
      default:
        return add_conv(src, false);
    }
  }

  // Statistics of whole maps, of pixels, or of everything, in one step or in parts; gates as squeeze-and-excite has
  // them.
  OpId add_normalisation(OpId src) {
    const std::vector<int> axes[] = {{2, 3}, {1}, {1, 2, 3}, {0, 2, 3}};
    const std::vector<int> over = axes[random_.between(0, 3)];
    const auto statistic = [&](GenericReduceKind kind, std::vector<OpId> inputs) {
      if (random_.chance(50) || over.size() == 1) return add(std::move(inputs), Reduce{kind, over});
      std::vector<int> first = over;
      const auto parts = static_cast<std::size_t>(random_.between(0, static_cast<Index>(first.size()) - 1));
      const int axis = first[parts];
      first.erase(first.begin() + static_cast<std::ptrdiff_t>(parts));
      return add({add(std::move(inputs), Reduce{kind, first})}, Reduce{GenericReduceKind::mean, {axis}});
    };
    const OpId mean = statistic(GenericReduceKind::mean, {src});
    if (random_.chance(30)) return add({src, mean}, Binary{BinaryKind::mul, some_activation()});
    if (random_.chance(20)) return add({src}, Softmax{static_cast<int>(random_.between(1, 3))});
    const OpId variance = statistic(GenericReduceKind::mean_square, {src, mean});
    // Variances near 0 would make differences between kernels large.
    return add({src, mean, variance}, Normalize{0.25F});
  }

  OpId add_classifier(OpId src) {
    const Index c = graph_.shape(src)[1];
    const Index n = graph_.shape(src)[0];
    const float mean = 1.0F / static_cast<float>(graph_.shape(src)[2] * graph_.shape(src)[3]);
    const OpId rows = add({src}, ReduceRows{ReduceKind::sum});
    const OpId pooled = add({rows}, ReduceParts{ReduceKind::sum, mean});
    Conv conv;
    conv.weights = weight({11, c, 1, 1});
    conv.bias = weight({11});
    const OpId logits = add({pooled}, conv);
    const OpId flat = add({logits}, Reshape{}, {n, 11});
    return add({flat}, Softmax{1});
  }

  Random& random_;
  Graph graph_;
};

/// A table nobody would plan: uneven strips, empty ranks, strips that overlap, rows here and columns there, operators
/// on one rank or on all.
inline Plan random_plan(Random& random, const Graph& graph, int n_ranks) {
  Plan plan = empty_plan(graph, n_ranks);
  plan.axis = random.chance(50) ? SplitAxis::rows : SplitAxis::columns;
  const std::vector<int> axes = strip_axes(graph, plan.axis);
  for (OpId id = 0; id < graph.size(); ++id) {
    const Op& op = graph.op(id);
    if (as<Input>(op) != nullptr || as<Constant>(op) != nullptr) continue;
    const Box all = whole(op.shape);
    int axis = axes[static_cast<std::size_t>(id)];
    if (op.shape.size() == 4 && random.chance(15)) {
      const int other = static_cast<int>(random.between(1, 3));
      if (can_cut(graph, id, static_cast<std::size_t>(other))) axis = other;
    }
    if (axis < 0 || random.chance(5)) {
      plan.boxes(id, static_cast<int>(random.between(0, n_ranks - 1))) = {all};
      continue;
    }
    const auto place = static_cast<std::size_t>(axis);
    const Index extent = all[place].end;
    std::vector<Index> cuts{0, extent};
    for (int i = 1; i < n_ranks; ++i) cuts.push_back(random.between(0, extent));
    std::sort(cuts.begin(), cuts.end());
    const Index overlap = random.chance(30) ? random.between(1, 3) : 0;
    for (int rank = 0; rank < n_ranks; ++rank) {
      Interval strip{cuts[static_cast<std::size_t>(rank)], cuts[static_cast<std::size_t>(rank) + 1]};
      if (strip.empty()) continue;
      strip = intersect({strip.begin - overlap, strip.end + overlap}, {0, extent});
      plan.boxes(id, rank) = {with_axis(all, place, strip)};
    }
    if (random.chance(50) && axis == axes[static_cast<std::size_t>(id)])
      plan.overlap[static_cast<std::size_t>(id)] = Overlap::interior_first;
  }
  place_constants(graph, plan);
  return plan;
}

/// A graph whose weights nobody shares, since kernels may change them in place.
inline Graph deep_copy(const Graph& graph) {
  Graph copy = graph;
  for (Weight& weight : copy.weights) {
    const Blob from = weight.values;
    weight.values = Blob::allocate(from.size_bytes());
    std::memcpy(weight.values.data(), from.data(), from.size_bytes());
  }
  return copy;
}

}  // namespace strake::test
