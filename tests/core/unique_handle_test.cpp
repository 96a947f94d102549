// SPDX-License-Identifier: Apache-2.0
#include "core/unique_handle.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace strake {
namespace {

std::vector<int> destroyed;  // in order

struct NumberTraits {
  using Handle = int;
  static Handle null() noexcept { return 0; }
  static void destroy(Handle handle) noexcept { destroyed.push_back(handle); }
};
using Number = UniqueHandle<NumberTraits>;

class OwnedHandle : public testing::Test {
 protected:
  void SetUp() override { destroyed.clear(); }
};

TEST_F(OwnedHandle, DestroysOnceAtTheEnd) {
  {
    const Number one(1);
    EXPECT_TRUE(one);
    EXPECT_EQ(one.get(), 1);
  }
  EXPECT_EQ(destroyed, (std::vector<int>{1}));
}

TEST_F(OwnedHandle, DestroysNothingWhenNull) {
  { const Number none; }
  EXPECT_TRUE(destroyed.empty());
}

TEST_F(OwnedHandle, MovesItsHandleAway) {
  Number one(1);
  {
    const Number other(std::move(one));
    EXPECT_EQ(other.get(), 1);
  }
  EXPECT_EQ(destroyed, (std::vector<int>{1}));
  Number two(2);
  two = Number(3);
  EXPECT_EQ(destroyed, (std::vector<int>{1, 2}));
  EXPECT_EQ(two.get(), 3);
}

TEST_F(OwnedHandle, FreesThePresentHandleBeforeACFunctionWritesTheNext) {
  Number one(1);
  *one.out() = 2;
  EXPECT_EQ(destroyed, (std::vector<int>{1}));
  EXPECT_EQ(one.get(), 2);
}

}  // namespace
}  // namespace strake
