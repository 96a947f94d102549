// SPDX-License-Identifier: Apache-2.0
#include "conformance/worker.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <thread>

namespace strake::conformance {
namespace {

std::vector<Outcome> run(const std::vector<std::string>& names, std::chrono::milliseconds longest) {
  std::vector<Case> cases;
  for (const std::string& name : names) cases.push_back({name, {}});
  std::vector<std::string> seen;
  const Work work{.run =
                      [](const Case& one) {
                        // Not abort: a sanitizer would turn it into an ordinary end.
                        if (one.name == "crash") std::raise(SIGKILL);
                        if (one.name == "exit") std::_Exit(3);
                        if (one.name == "hang") std::this_thread::sleep_for(std::chrono::hours(1));
                        return Outcome{Verdict::passed, "said by " + one.name, one.name == "spread", {"Abs", "Add"}};
                      },
                  .seen = [&](const Case& one, const Outcome&) { seen.push_back(one.name); },
                  .longest = longest};
  std::vector<Outcome> outcomes = run_cases(cases, work);
  EXPECT_EQ(seen, names);
  return outcomes;
}

TEST(Worker, BringsOutcomesHome) {
  const std::vector<Outcome> outcomes = run({"first", "spread"}, std::chrono::minutes(1));
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_EQ(outcomes[0].verdict, Verdict::passed);
  EXPECT_EQ(outcomes[0].reason, "said by first");
  EXPECT_FALSE(outcomes[0].spread);
  EXPECT_TRUE(outcomes[1].spread);
  EXPECT_EQ(outcomes[1].operators, (std::vector<std::string>{"Abs", "Add"}));
}

TEST(Worker, GoesOnBehindACrash) {
  const std::vector<Outcome> outcomes = run({"crash", "a", "exit", "crash", "b"}, std::chrono::minutes(1));
  ASSERT_EQ(outcomes.size(), 5U);
  EXPECT_EQ(outcomes[0].verdict, Verdict::failed);
  EXPECT_EQ(outcomes[0].reason, "crashed: Killed");
  EXPECT_EQ(outcomes[1].verdict, Verdict::passed);
  EXPECT_EQ(outcomes[2].reason, "ended the process with code 3");
  EXPECT_EQ(outcomes[3].verdict, Verdict::failed);
  EXPECT_EQ(outcomes[4].verdict, Verdict::passed);
}

TEST(Worker, GoesOnBehindACaseThatHangs) {
  const std::vector<Outcome> outcomes = run({"hang", "a"}, std::chrono::milliseconds(300));
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_EQ(outcomes[0].reason, "took longer than 300 ms");
  EXPECT_EQ(outcomes[1].verdict, Verdict::passed);
}

}  // namespace
}  // namespace strake::conformance
