// SPDX-License-Identifier: Apache-2.0
#include "conformance/known_gaps.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/errors.hpp"

namespace strake::conformance {
namespace {

class GapsFile : public testing::Test {
 protected:
  void SetUp() override {
    file_ = std::filesystem::path(testing::TempDir()) /
            (std::string("gaps-") + testing::UnitTest::GetInstance()->current_test_info()->name() + ".txt");
  }
  void TearDown() override { std::filesystem::remove(file_); }

  KnownGaps read(const std::string& text) {
    std::ofstream(file_) << text;
    return read_gaps(file_);
  }

  std::filesystem::path file_;
};

TEST_F(GapsFile, HasACaseAndAReasonPerLine) {
  const KnownGaps gaps = read("# why\n\nnode/test_a  no operator A, B\nnode/test_b b\n");
  EXPECT_EQ(gaps, (KnownGaps{{"node/test_a", "no operator A, B"}, {"node/test_b", "b"}}));
}

TEST_F(GapsFile, IsReadAsItWasWritten) {
  const KnownGaps gaps{{"node/test_a", "no operator A"}, {"simple/test_b", "is a sequence"}};
  write_gaps(file_, gaps);
  EXPECT_EQ(read_gaps(file_), gaps);
}

TEST_F(GapsFile, IsRefusedWithoutReasonsOrWithDoubles) {
  EXPECT_THROW((void)read("node/test_a\n"), InvalidInput);
  EXPECT_THROW((void)read("node/test_a  \n"), InvalidInput);
  EXPECT_THROW((void)read("node/test_a x\nnode/test_a y\n"), InvalidInput);
  EXPECT_THROW((void)read_gaps(file_ / "nowhere"), InvalidInput);
}

TEST(KnownGaps, CountOnlyWhatIsListedAsSkipped) {
  const KnownGaps gaps{{"listed", "no operator A"}};
  const Outcome unsupported{
      .verdict = Verdict::unsupported, .reason = "no operator A", .spread = false, .operators = {}};
  std::string line;
  EXPECT_EQ(judge("listed", unsupported, gaps, line), Count::skipped);
  EXPECT_EQ(line, "unsupported listed: no operator A");
  EXPECT_EQ(judge("other", unsupported, gaps, line), Count::failed);
  EXPECT_TRUE(line.starts_with("FAILED other: no operator A")) << line;
}

TEST(KnownGaps, CanOnlyShrink) {
  const KnownGaps gaps{{"listed", "no operator A"}};
  const Outcome passed{.verdict = Verdict::passed, .reason = "", .spread = false, .operators = {}};
  std::string line;
  EXPECT_EQ(judge("other", passed, gaps, line), Count::passed);
  EXPECT_EQ(line, "");
  EXPECT_EQ(judge("listed", passed, gaps, line), Count::failed);
  EXPECT_TRUE(line.starts_with("FAILED listed: passes")) << line;
}

TEST(KnownGaps, ExcuseNoWrongAnswer) {
  const Outcome wrong{.verdict = Verdict::failed, .reason = "wrong", .spread = false, .operators = {}};
  std::string line;
  EXPECT_EQ(judge("listed", wrong, {{"listed", "no operator A"}}, line), Count::failed);
  EXPECT_EQ(line, "FAILED listed: wrong");
}

// Only this answer to a case that is wrong itself, and no other.
TEST(KnownGaps, SkipMistakenCasesThatDifferAsListed) {
  const KnownGaps gaps{{"listed", "reference is wrong, there: element 5 is -128 instead of 20"}};
  Outcome outcome{
      .verdict = Verdict::failed, .reason = "element 5 is -128 instead of 20", .spread = false, .operators = {}};
  std::string line;
  EXPECT_EQ(judge("listed", outcome, gaps, line), Count::skipped);
  EXPECT_TRUE(line.starts_with("mistaken listed: ")) << line;
  EXPECT_EQ(judge("other", outcome, gaps, line), Count::failed);
  outcome.reason = "element 5 is 127 instead of 20";
  EXPECT_EQ(judge("listed", outcome, gaps, line), Count::failed);
  outcome.verdict = Verdict::passed;
  EXPECT_EQ(judge("listed", outcome, gaps, line), Count::failed);
}

}  // namespace
}  // namespace strake::conformance
