// SPDX-License-Identifier: Apache-2.0
// Pointwise operators of every type, whole and in random slabs, against the plain-loop reference.

#include <gtest/gtest.h>

#include "kernels/slab_runner.hpp"

namespace strake::kernels {
namespace {

using namespace test;

const std::vector<ElementType> integers = {ElementType::u8,  ElementType::i8,  ElementType::i16, ElementType::i32,
                                           ElementType::i64, ElementType::u16, ElementType::u32, ElementType::u64};
const std::vector<ElementType> floats = {ElementType::f32, ElementType::f64};

bool is_unsigned(ElementType type) {
  return type == ElementType::u8 || type == ElementType::u16 || type == ElementType::u32 || type == ElementType::u64;
}

// Whole numbers for all but floats, so that what C++ leaves open never happens; zeros among them.
Values random_numbers(Random& random, ElementType type, const Shape& shape, float least, float most) {
  Values values = random_values(random, shape, is_unsigned(type) ? std::max(least, 0.0F) : least, most);
  if (is_float(type)) return values;
  for (float& value : values) value = type == ElementType::boolean ? (value > 0 ? 1.0F : 0.0F) : std::floor(value);
  return values;
}

Box random_box(Random& random, const Shape& shape) {
  Box box = whole(shape);
  const Box any = strake::test::random_full_box(random, shape);
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (pick(random, 0, 2) != 0) box[axis] = any[axis];
  return box;
}

std::vector<std::byte> bytes_of(const HostTensor& tensor) {
  return {tensor.data.data(), tensor.data.data() + dense_bytes(whole(tensor.shape), tensor.type)};
}

// The cells of `box` out of a whole tensor.
HostTensor part_of(HostTensor tensor, const Box& box) {
  HostTensor part{tensor.type, box.shape(), Blob::allocate(dense_bytes(box, tensor.type))};
  copy_box(row_major_view(whole(tensor.shape), tensor.type, tensor.data.data()),
           row_major_view(box, tensor.type, part.data.data()), box);
  return part;
}

// The last operator of a graph: all but floats as the reference has it, floats to rounding; no cut changes a bit.
void check_operator(const Graph& graph, const std::vector<Values>& inputs, Random& random) {
  const OpId id = graph.size() - 1;
  SCOPED_TRACE(std::string(kind_name(graph.op(id))) + " to " + to_string(graph.shape(id)) + " of " +
               std::string(to_string(graph.op(id).type)));
  SlabRunner runner(graph, inputs);
  const Box all = whole(graph.shape(id));
  const HostTensor computed = runner.run_tensor(id, all, Exactness::fastest);
  ASSERT_EQ(computed.type, graph.op(id).type);
  if (is_float(computed.type))
    expect_close(values_of(computed), runner.expected(id, all), 1e-6F);  // a rounding or two
  else
    ASSERT_EQ(values_of(computed), runner.expected(id, all));
  for (int slab = 0; slab < 4; ++slab) {
    const Box box = random_box(random, graph.shape(id));
    const HostTensor part = runner.run_tensor(id, box, Exactness::exact, {.margin = pick(random, 0, 2)});
    EXPECT_EQ(bytes_of(part), bytes_of(part_of(computed, box))) << to_string(box);
  }
}

struct Operand {
  ElementType type;
  float least = -6;
  float most = 6;
};

// One operator on operands that broadcast in some way.
void check(Random& random, const Attributes& attributes, const std::vector<Operand>& operands) {
  const std::vector<std::vector<Shape>> shapes = {{{1, 5, 7, 9}, {1, 5, 7, 9}, {1, 5, 7, 9}},
                                                  {{2, 5, 7, 9}, {5, 1, 1}, {}},
                                                  {{3, 4}, {4}, {3, 1}},
                                                  {{1, 33, 40, 31}, {}, {}},
                                                  {{}, {2, 3, 4}, {4}},
                                                  {{}, {}, {}}};
  for (const std::vector<Shape>& one : shapes) {
    Graph graph;
    std::vector<Values> values;
    std::vector<OpId> sources;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      sources.push_back(add_input(graph, one[i], operands[i].type));
      values.push_back(random_numbers(random, operands[i].type, one[i], operands[i].least, operands[i].most));
    }
    add_op(graph, sources, attributes);
    SCOPED_TRACE("of " + std::string(to_string(operands.front().type)));
    check_operator(graph, values, random);
  }
}

std::vector<ElementType> numbers() {
  std::vector<ElementType> all = integers;
  all.insert(all.end(), floats.begin(), floats.end());
  return all;
}

TEST(Pointwise, ComputesWithNumbersOfEveryType) {
  Random random(61);
  for (const PointwiseKind kind :
       {PointwiseKind::add, PointwiseKind::sub, PointwiseKind::mul, PointwiseKind::max, PointwiseKind::min,
        PointwiseKind::prelu, PointwiseKind::fmod, PointwiseKind::mod, PointwiseKind::div})
    for (const ElementType type : numbers()) {
      SCOPED_TRACE("kind " + std::to_string(static_cast<int>(kind)));
      // Integers are divided by 0 now and then; floats near the end of a period would round to either side of it.
      const bool divides = kind == PointwiseKind::div || kind == PointwiseKind::mod || kind == PointwiseKind::fmod;
      const Operand by = divides && is_float(type) ? Operand{type, 64, 96} : Operand{type};
      check(random, Pointwise{.kind = kind}, {{type}, by});
    }
}

TEST(Pointwise, IntegersWrapAround) {
  Random random(62);
  for (const ElementType type : {ElementType::u8, ElementType::i8}) {
    const Operand all = type == ElementType::u8 ? Operand{type, 0, 256} : Operand{type, -128, 128};
    for (const PointwiseKind kind : {PointwiseKind::add, PointwiseKind::sub, PointwiseKind::mul, PointwiseKind::div})
      check(random, Pointwise{.kind = kind}, {all, all});
  }
}

TEST(Pointwise, PowersTakeExponentsOfAnyType) {
  Random random(63);
  for (const ElementType base : numbers())
    for (const ElementType exponent : numbers())
      check(random, Pointwise{.kind = PointwiseKind::pow}, {{base, 1, 6}, {exponent, 0, 3}});
}

TEST(Pointwise, ShiftsAndCombinesBits) {
  Random random(64);
  for (const ElementType type : integers) {
    for (const PointwiseKind kind : {PointwiseKind::bit_and, PointwiseKind::bit_or, PointwiseKind::bit_xor})
      check(random, Pointwise{.kind = kind}, {{type, -100, 100}, {type, -100, 100}});
    // Beyond the bits there are as well.
    for (const PointwiseKind kind : {PointwiseKind::shift_left, PointwiseKind::shift_right})
      check(random, Pointwise{.kind = kind}, {{type, 0, 127}, {type, 0, 12}});
    check(random, Pointwise{.kind = PointwiseKind::bit_not}, {{type, -100, 100}});
  }
}

TEST(Pointwise, ComparesAndDecides) {
  Random random(65);
  std::vector<ElementType> all = numbers();
  for (const PointwiseKind kind : {PointwiseKind::equal, PointwiseKind::less, PointwiseKind::less_or_equal,
                                   PointwiseKind::greater, PointwiseKind::greater_or_equal})
    for (const ElementType type : all) check(random, Pointwise{.kind = kind}, {{type, -2, 3}, {type, -2, 3}});
  all.push_back(ElementType::boolean);
  const Operand condition{ElementType::boolean};
  for (const ElementType type : all)
    check(random, Pointwise{.kind = PointwiseKind::where}, {condition, {type}, {type}});
  check(random, Pointwise{.kind = PointwiseKind::equal}, {condition, condition});
  for (const PointwiseKind kind : {PointwiseKind::logical_and, PointwiseKind::logical_or, PointwiseKind::logical_xor})
    check(random, Pointwise{.kind = kind}, {condition, condition});
  check(random, Pointwise{.kind = PointwiseKind::logical_not}, {condition});
  for (const ElementType type : numbers())
    check(random, Pointwise{.kind = PointwiseKind::clip}, {{type}, {type, -3, 1}, {type, 0, 4}});
}

TEST(Pointwise, FindsNumbersThatAreNone) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const Values values = {1, inf, -inf, std::numeric_limits<float>::quiet_NaN(), 0};
  const auto answers = [&](PointwiseKind kind, ElementType type) {
    Graph graph;
    add_op(graph, {add_input(graph, {5}, type)}, Pointwise{.kind = kind});
    SlabRunner runner(graph, std::vector<Values>{values});
    return runner.run(1, whole({5}), Exactness::exact);
  };
  for (const ElementType type : floats) {
    EXPECT_EQ(answers(PointwiseKind::is_nan, type), (Values{0, 0, 0, 1, 0}));
    EXPECT_EQ(answers(PointwiseKind::is_inf, type), (Values{0, 1, 1, 0, 0}));
    EXPECT_EQ(answers(PointwiseKind::is_positive_inf, type), (Values{0, 1, 0, 0, 0}));
    EXPECT_EQ(answers(PointwiseKind::is_negative_inf, type), (Values{0, 0, 1, 0, 0}));
  }
}

TEST(Pointwise, CastsBetweenAllTypes) {
  Random random(66);
  std::vector<ElementType> from = numbers();
  from.push_back(ElementType::boolean);
  std::vector<ElementType> to = from;
  to.push_back(ElementType::f16);
  to.push_back(ElementType::bf16);
  for (const ElementType source : from)
    for (const ElementType type : to)
      check(random, Pointwise{.kind = PointwiseKind::cast, .to = type}, {{source, -100, 100}});
  // Beyond the range.
  for (const ElementType type : integers)
    check(random, Pointwise{.kind = PointwiseKind::cast, .to = type}, {{ElementType::f32, -1e20F, 1e20F}});
  for (const ElementType type : integers)
    check(random, Pointwise{.kind = PointwiseKind::cast, .to = type}, {{ElementType::i32, -1e9F, 1e9F}});
}

TEST(Pointwise, RoundsADoubleToHalfOnce) {
  // A hair above the middle between 1 and the next half; as a float it is the middle, which would round down.
  const double value = 1.0 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40);
  Graph graph;
  add_op(graph, {add_input(graph, {1}, ElementType::f64)},
         Pointwise{.kind = PointwiseKind::cast, .to = ElementType::f16});
  HostTensor input{ElementType::f64, {1}, Blob::allocate(sizeof value)};
  std::memcpy(input.data.data(), &value, sizeof value);
  SlabRunner runner(graph, std::vector<HostTensor>{input});
  EXPECT_EQ(runner.run(1, whole({1}), Exactness::exact), Values{1.0F + std::ldexp(1.0F, -10)});
}

TEST(Elementwise, OfOtherTypesThanFloat) {
  Random random(67);
  for (int kind = 0; kind <= static_cast<int>(ActivationKind::atanh); ++kind) {
    SCOPED_TRACE("activation " + std::to_string(kind));
    const Activation function{.kind = static_cast<ActivationKind>(kind), .alpha = 0.25F, .beta = 1.5F};
    const bool from_one = function.kind == ActivationKind::acosh;
    check(random, Elementwise{function}, {{ElementType::f64, from_one ? 1.0F : 0.1F, from_one ? 2.0F : 0.9F}});
  }
  for (const ActivationKind kind :
       {ActivationKind::relu, ActivationKind::abs, ActivationKind::neg, ActivationKind::sign})
    for (const ElementType type : integers) check(random, Elementwise{{.kind = kind}}, {{type}});
}

TEST(Repeat, ExpandTileAndTriluMoveCellsOfAnyType) {
  Random random(68);
  for (const ElementType type : {ElementType::f32, ElementType::i64, ElementType::u8, ElementType::boolean}) {
    const auto check_move = [&](const Shape& src, const Attributes& attributes, const Shape& dst = {}) {
      Graph graph;
      add_op(graph, {add_input(graph, src, type)}, attributes, dst);
      check_operator(graph, {random_numbers(random, type, src, -9, 9)}, random);
    };
    check_move({3, 1}, Expand{}, {2, 3, 6});
    check_move({}, Expand{}, {2, 3, 4, 5});
    check_move({1, 7, 1, 1}, Expand{}, {1, 7, 9, 11});
    for (int round = 0; round < 6; ++round) {
      check_move({1, 3, 4, 5}, Tile{{pick(random, 1, 3), pick(random, 1, 3), pick(random, 1, 4), pick(random, 1, 4)}});
      check_move({3, 2}, Tile{{pick(random, 1, 9), pick(random, 1, 9)}});
      const Triangle part = round % 2 == 0 ? Triangle::upper : Triangle::lower;
      check_move({4, 6}, Trilu{part, pick(random, -8, 8)});
      check_move({2, 3, 7, 4}, Trilu{part, pick(random, -8, 8)});
    }
    check_move({3, 3}, Trilu{Triangle::upper, std::numeric_limits<Index>::max()});
    check_move({3, 3}, Trilu{Triangle::lower, std::numeric_limits<Index>::min()});
  }
}

TEST(Pointwise, QuantisesToEveryTypeAndBack) {
  Random random(83);
  for (const ElementType type : {ElementType::u8, ElementType::i8, ElementType::i16, ElementType::u16}) {
    Graph graph;
    const Shape shape = {2, 5, 6, 7};
    const OpId x = add_input(graph, shape);
    const OpId scale = add_input(graph, {5, 1, 1});
    const OpId zero = add_input(graph, {5, 1, 1}, type);
    const std::vector<Values> inputs = {random_values(random, shape, -200, 200),
                                        random_values(random, {5, 1, 1}, 0.1F, 1),
                                        random_numbers(random, type, {5, 1, 1}, -100, 100)};
    const OpId bytes = add_op(graph, {x, scale, zero}, Pointwise{.kind = PointwiseKind::quantize});
    check_operator(graph, inputs, random);
    add_op(graph, {bytes, scale, zero}, Pointwise{.kind = PointwiseKind::dequantize});
    check_operator(graph, inputs, random);
  }
}

}  // namespace
}  // namespace strake::kernels
