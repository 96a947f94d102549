// SPDX-License-Identifier: Apache-2.0
#include "cluster/process.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

namespace {

using namespace strake::cluster;
using namespace std::chrono_literals;

bool soon(const std::function<bool()>& holds) {
  for (int i = 0; i < 1000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

std::optional<int> number_in(const std::filesystem::path& file) {
  std::ifstream stream(file);
  int number = 0;
  if (stream >> number) return number;
  return std::nullopt;
}

TEST(Process, TellsHowItEnded) {
  const Child child = start({.words = {"sh", "-c", "exit 7"}});
  std::optional<int> code;
  EXPECT_TRUE(soon([&] { return (code = exit_code_if_ended(child.pid)).has_value(); }));
  EXPECT_EQ(code, 7);
  const Child none = start({.words = {"/nowhere/program"}});
  EXPECT_TRUE(soon([&] { return (code = exit_code_if_ended(none.pid)).has_value(); }));
  EXPECT_EQ(code, 127);
}

TEST(Process, GivesItsOutputAndItsVariablesToTheChild) {
  const Child child = start(
      {.words = {"sh", "-c", "echo $STRAKE_TEST"}, .environment = {{"STRAKE_TEST", "word"}}, .pipe_output = true});
  std::string text;
  EXPECT_TRUE(soon([&] {
    char letters[64];
    const ssize_t n = read(child.output, letters, sizeof(letters));
    if (n > 0) text.append(letters, static_cast<std::size_t>(n));
    return text == "word\n";
  })) << text;
  close(child.output);
  EXPECT_TRUE(soon([&] { return exit_code_if_ended(child.pid).has_value(); }));
}

TEST(Process, YieldsMemoryWhereItIsTold) {
  const PrivateFolder folder("test");
  const std::string place = folder.path().string();
  const auto score_of = [&](bool yields_memory) {
    const std::string file = place + (yields_memory ? "/yields" : "/keeps");
    // A child of the child, as a rank is of Open MPI's daemon.
    const Child child =
        start({.words = {"sh", "-c", "sh -c 'cat /proc/self/oom_score_adj' >" + file}, .yields_memory = yields_memory});
    EXPECT_TRUE(soon([&] { return exit_code_if_ended(child.pid).has_value(); }));
    return number_in(file);
  };
  EXPECT_EQ(score_of(false), number_in("/proc/self/oom_score_adj"));
  EXPECT_EQ(score_of(true), std::max(800, number_in("/proc/self/oom_score_adj").value_or(0)));
}

TEST(Process, EndsWhatItsChildrenHaveLeftBehindAndWhatIsStopped) {
  adopt_orphans();
  const PrivateFolder folder("test");
  const std::string place = folder.path().string();
  // A grandchild in a session of its own whose parent has ended, and one that is stopped.
  (void)start({.words = {"sh", "-c",
                         "setsid sh -c 'echo $$ >" + place + "/a; sleep 1000' & sh -c 'echo $$ >" + place +
                             "/b; kill -STOP $$' & sleep 0.2"}});
  EXPECT_TRUE(soon([&] { return number_in(place + "/a") && number_in(place + "/b"); }));
  const int a = *number_in(place + "/a");
  const int b = *number_in(place + "/b");
  std::this_thread::sleep_for(400ms);
  EXPECT_TRUE(is_there(a));
  EXPECT_TRUE(is_there(b));
  end_all_descendants();
  EXPECT_FALSE(is_there(a));
  EXPECT_FALSE(is_there(b));
}

TEST(Process, EndsWithItsParent) {
  const PrivateFolder folder("test");
  const std::filesystem::path file = folder.path() / "pid";
  const pid_t parent = fork();
  if (parent == 0) {
    (void)start({.words = {"sh", "-c", "echo $$ >" + file.string() + "; exec sleep 1000"}});
    while (true) pause();
  }
  EXPECT_TRUE(soon([&] { return number_in(file).has_value(); }));
  kill(parent, SIGKILL);
  const int child = *number_in(file);
  // Its entry stays until whoever inherits it has asked.
  EXPECT_TRUE(soon([&] {
    end_all_descendants();
    return !is_there(child);
  }));
}

TEST(Process, FoldersOfProcessesThatAreGoneAreRemoved) {
  std::filesystem::path path;
  {
    const PrivateFolder folder("test-gone");
    path = folder.path();
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700U);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  // No process has this number.
  const std::filesystem::path stale =
      path.parent_path() / ("strake-test-gone-" + std::to_string(geteuid()) + "-2000000000");
  std::filesystem::create_directory(stale);
  const PrivateFolder folder("test-gone");
  EXPECT_FALSE(std::filesystem::exists(stale));
}

}  // namespace
