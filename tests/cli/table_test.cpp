// SPDX-License-Identifier: Apache-2.0
#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace strake::cli {
namespace {

TEST(Table, AlignsTheFirstColumnLeftAndTheOthersRight) {
  Table table({"op", "ms"});
  table.add({"conv1", "1.5"});
  table.add({"a", "12.25"});
  EXPECT_EQ(table.text(), "op        ms\nconv1    1.5\na      12.25\n");
}

TEST(Table, LeavesNoBlanksAtTheEndOfALine) {
  Table table({"op", "kernel"});
  table.add({"conv1", ""});
  EXPECT_EQ(table.text(), "op     kernel\nconv1\n");
}

}  // namespace
}  // namespace strake::cli
