// SPDX-License-Identifier: Apache-2.0
#include "core/interval.hpp"

#include <gtest/gtest.h>

namespace strake {
namespace {

bool has(Interval interval, Index i) { return interval.begin <= i && i < interval.end; }

TEST(Interval, IsEmptyWhenItEndsBeforeItBegins) {
  EXPECT_TRUE((Interval{3, 3}.empty()));
  EXPECT_TRUE((Interval{5, 2}.empty()));
  EXPECT_EQ((Interval{5, 2}.size()), 0);
  EXPECT_FALSE((Interval{2, 5}.empty()));
  EXPECT_EQ((Interval{2, 5}.size()), 3);
}

TEST(Interval, ContainsWhatIsEmptyWhereverItLies) {
  EXPECT_TRUE((Interval{0, 2}.contains({9, 9})));
  EXPECT_TRUE((Interval{0, 2}.contains({0, 2})));
  EXPECT_FALSE((Interval{0, 2}.contains({1, 3})));
}

TEST(Interval, IntersectsAndJoinsAsItsCellsDo) {
  for (Index a = 0; a < 5; ++a) {
    for (Index b = 0; b < 5; ++b) {
      for (Index c = 0; c < 5; ++c) {
        for (Index d = 0; d < 5; ++d) {
          const Interval one{a, b};
          const Interval other{c, d};
          const Interval both = intersect(one, other);
          const Interval cover = hull(one, other);
          for (Index i = -1; i < 6; ++i) {
            EXPECT_EQ(has(both, i), has(one, i) && has(other, i)) << to_string(one) << to_string(other) << i;
            EXPECT_TRUE(has(cover, i) || !(has(one, i) || has(other, i)));
          }
          EXPECT_EQ(cover.empty(), one.empty() && other.empty());
        }
      }
    }
  }
  EXPECT_EQ(hull(Interval{1, 2}, Interval{7, 7}), (Interval{1, 2}));
  EXPECT_EQ(hull(Interval{1, 2}, Interval{4, 5}), (Interval{1, 5}));
}

TEST(Interval, PrintsHalfOpen) { EXPECT_EQ(to_string(Interval{3, 7}), "[3, 7)"); }

}  // namespace
}  // namespace strake
