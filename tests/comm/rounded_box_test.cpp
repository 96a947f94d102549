// SPDX-License-Identifier: Apache-2.0
// Boxes on the wire in fewer bytes against the rounding of single cells.

#include "comm/rounded_box.hpp"

#include <bit>
#include <cstring>
#include <random>

#include "redistribution_cases.hpp"

namespace strake::test {
namespace {

std::vector<float> through(std::vector<float> cells, TransferType type) {
  const Box box = whole({static_cast<Index>(cells.size())});
  std::vector<std::uint32_t> wire(travelling_bytes(box, type) / 4 + 1);
  const View view = dense_view(box, ElementType::f32, reinterpret_cast<std::byte*>(cells.data()));
  comm::encode(view, type, reinterpret_cast<std::byte*>(wire.data()));
  std::ranges::fill(cells, -77.0F);
  comm::decode(reinterpret_cast<const std::byte*>(wire.data()), type, view);
  return cells;
}

void expect_same(float got, float expected, float of) {
  const auto bits = [](float value) { return std::isnan(value) ? 0xFFFFFFFFU : std::bit_cast<std::uint32_t>(value); };
  EXPECT_EQ(bits(got), bits(expected)) << of;
}

// Every 16-bit pattern in the upper half of a float, and in the lower half what decides the direction.
TEST(RoundedBox, RoundsEveryFloatToTheNearestEven) {
  std::vector<float> cells;
  for (std::uint32_t high = 0; high <= 0xFFFFU; ++high)
    for (const std::uint32_t low : {0x0000U, 0x0001U, 0x0FFFU, 0x1000U, 0x1001U, 0x7FFFU, 0x8000U, 0x8001U, 0xFFFFU})
      cells.push_back(std::bit_cast<float>(high << 16 | low));
  for (const TransferType type : {TransferType::bf16, TransferType::fp16}) {
    std::vector<float> expected = cells;
    round_cells(expected, type);
    const std::vector<float> got = through(cells, type);
    for (std::size_t i = 0; i < cells.size(); ++i) expect_same(got[i], expected[i], cells[i]);
    if (HasFailure()) return;
  }
}

TEST(RoundedBox, HasTheValuesOfSteps) {
  // The scale is 254 / 127: steps of 2.
  EXPECT_EQ(through({254, 3, -3, 5, 0.9F, -254, 1}, TransferType::int8),
            (std::vector<float>{254, 4, -4, 4, 0, -254, 0}));
}

TEST(RoundedBox, KeepsWhatIsNoNumberAndLimitsInfinitiesInSteps) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> steps = through({nan, 127, infinity, -infinity, 1}, TransferType::int8);
  EXPECT_TRUE(std::isnan(steps[0]));
  EXPECT_EQ(std::vector<float>(steps.begin() + 1, steps.end()), (std::vector<float>{127, 127, -127, 1}));
  for (const TransferType type : {TransferType::bf16, TransferType::fp16}) {
    const std::vector<float> halves = through({nan, -nan, infinity, -infinity}, type);
    EXPECT_TRUE(std::isnan(halves[0]) && std::isnan(halves[1]));
    EXPECT_EQ(halves[2], infinity);
    EXPECT_EQ(halves[3], -infinity);
  }
  EXPECT_EQ(through({65519, 65520, -1e9F}, TransferType::fp16), (std::vector<float>{65504, infinity, -infinity}));
}

TEST(RoundedBox, HasNoStepsWhereAllIsNothing) {
  constexpr float tiny = std::numeric_limits<float>::min();
  EXPECT_EQ(through({0, -0.0F, 0}, TransferType::int8), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(through({tiny, -tiny, tiny / 4}, TransferType::int8), (std::vector<float>{0, 0, 0}));
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(through({infinity, 0}, TransferType::int8), (std::vector<float>{0, 0}));
}

// Random windows in every layout: what stands around the cells stays, and the wire holds no byte more than it should.
TEST(RoundedBox, RoundsWindowsOfAnyLayout) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](Index n) { return static_cast<Index>(random() % static_cast<unsigned>(n)); };
    const TransferType type = rounded_types[seed % 3];
    const Box all = whole({1 + below(2), 8 * (1 + below(5)), 1 + below(9), 1 + below(9)});
    Box box = all;
    for (const std::size_t axis : {std::size_t{0}, std::size_t{2}, std::size_t{3}}) {
      const Index begin = below(all[axis].end);
      box[axis] = {begin, begin + 1 + below(all[axis].end - begin)};
    }
    if (below(2) == 0) box[1].begin = 8 * below(all[1].end / 8);
    Blob source = Blob::allocate(dense_bytes(all, ElementType::f32));
    std::normal_distribution<float> normal(0, 10);
    for (float& cell : source.floats()) cell = normal(random);
    const View view = view_in(static_cast<int>(seed / 3 % 3), all, source).window(box);

    std::vector<float> expected(static_cast<std::size_t>(box.volume()));
    const View cells = dense_view(box, ElementType::f32, reinterpret_cast<std::byte*>(expected.data()));
    copy_box(view, cells, box);
    round_cells(expected, type);
    Blob target = numbered(all);
    Blob whole_expected = numbered(all);
    const int layout = static_cast<int>(seed / 9 % 3);
    copy_box(cells, view_in(layout, all, whole_expected), box);

    constexpr std::size_t guard = 64;
    const std::size_t n_bytes = rounded_bytes(expected.size(), type);
    ASSERT_EQ(travelling_bytes(box, type), n_bytes);
    Blob wire = Blob::allocate(guard + n_bytes + guard);
    std::fill_n(wire.data(), wire.size_bytes(), std::byte{7});
    comm::encode(view, type, wire.data() + guard);
    EXPECT_EQ(std::count(wire.data(), wire.data() + guard, std::byte{7}), static_cast<std::ptrdiff_t>(guard));
    EXPECT_EQ(std::count(wire.data() + guard + n_bytes, wire.data() + wire.size_bytes(), std::byte{7}),
              static_cast<std::ptrdiff_t>(guard));
    comm::decode(wire.data() + guard, type, view_in(layout, all, target).window(box));
    ASSERT_EQ(std::memcmp(target.data(), whole_expected.data(), target.size_bytes()), 0);
  }
}

TEST(RoundedBox, RefusesOtherCells) {
  std::byte memory[8] = {};
  EXPECT_THROW(comm::encode(dense_view(whole({4}), ElementType::u8, memory), TransferType::bf16, memory), Bug);
  EXPECT_THROW(comm::decode(memory, TransferType::f32, dense_view(whole({1}), ElementType::f32, memory)), Bug);
}

}  // namespace
}  // namespace strake::test
