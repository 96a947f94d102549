// SPDX-License-Identifier: Apache-2.0
#include "cli/numbers.hpp"

#include <gtest/gtest.h>

#include "core/errors.hpp"

namespace strake::cli {
namespace {

TEST(Numbers, AreReadBetweenCommas) {
  EXPECT_EQ(numbers_of("1,3.5,-2e3", "--x"), (std::vector<double>{1, 3.5, -2000}));
  EXPECT_EQ(number_of("7", "--x"), 7);
}

TEST(Numbers, RefuseWhatIsNoFiniteNumber) {
  for (const char* text : {"", ",", "1,", ",1", "1,,2", "1 ,2", "a", "nan", "inf", "1e999", "1;2"})
    EXPECT_THROW((void)numbers_of(text, "--x"), InvalidInput) << text;
  for (const char* text : {"", "nan", "-inf", "1,2"}) EXPECT_THROW((void)number_of(text, "--x"), InvalidInput) << text;
}

TEST(Numbers, MayBeFractions) {
  EXPECT_EQ(fraction_of("1/255", "--x"), 1.0 / 255);
  EXPECT_EQ(fraction_of("0.5", "--x"), 0.5);
  for (const char* text : {"0", "nan", "inf", "1/0", "0/5", "1/", "/2", "1/2/3", "1/nan", "1e308/1e-308"})
    EXPECT_THROW((void)fraction_of(text, "--x"), InvalidInput) << text;
}

TEST(Numbers, AreCheckedAgainstRules) {
  const auto complaint = [](const NumberRule& rule, const std::string& text) { return check_number(rule)(text); };
  EXPECT_EQ(complaint(any_number(), "-1"), "");
  EXPECT_EQ(complaint(any_number(), "nan"), "expected a number, got 'nan'");
  EXPECT_EQ(complaint(number_above_0(), "0.1"), "");
  EXPECT_EQ(complaint(number_above_0(), "0"), "expected a number above 0, got '0'");
  EXPECT_EQ(complaint(number_of_0_or_more(), "0"), "");
  EXPECT_EQ(complaint(number_of_0_or_more(), "-1"), "expected a number of 0 or more, got '-1'");
  EXPECT_EQ(complaint(number_between(0.001, 1e6), "1e6"), "");
  EXPECT_EQ(complaint(number_between(0.001, 1e6), "inf"), "expected a number from 0.001 to 1000000, got 'inf'");
}

TEST(Numbers, WithoutSignFitInto64Bits) {
  const CLI::Validator check = check_unsigned();
  EXPECT_EQ(check(std::string("18446744073709551615")), "");
  for (const char* text : {"-1", "18446744073709551616", "", "1.5", "0x1", " 1"})
    EXPECT_NE(check(std::string(text)), "") << text;
}

}  // namespace
}  // namespace strake::cli
