// SPDX-License-Identifier: Apache-2.0
#include "cli/printable.hpp"

#include <gtest/gtest.h>

namespace strake::cli {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  EXPECT_EQ(printable("conv1: 3\xC3\x97"
                      "3\n\t\xE6\xB0\xB4 \xF0\x9F\x9B\xB6"),
            "conv1: 3\xC3\x97"
            "3\n\t\xE6\xB0\xB4 \xF0\x9F\x9B\xB6");
}

TEST(Printable, ShowsBytesThatAreNoText) {
  EXPECT_EQ(printable("a\xFFz"), "a\\xffz");
  EXPECT_EQ(printable("\xC3"), "\\xc3");                             // cut short
  EXPECT_EQ(printable("\xC0\xAF"), "\\xc0\\xaf");                    // a slash in two bytes
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond Unicode
}

TEST(Printable, ShowsWhatWouldSteerATerminal) {
  EXPECT_EQ(printable("\x1B[31mred\r\x7F"), "\\x1b[31mred\\x0d\\x7f");
  EXPECT_EQ(printable("\xC2\x9B"), "\\xc2\\x9b");
}

TEST(Printable, PutsAMessageOnOneLine) { EXPECT_EQ(one_line("a\nb\tc"), "a b c"); }

}  // namespace
}  // namespace strake::cli
