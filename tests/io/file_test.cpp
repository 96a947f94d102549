// SPDX-License-Identifier: Apache-2.0
#include "io/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <ostream>

#include "io/scratch_folder.hpp"

namespace strake::io {
namespace {

class File : public test::ScratchFolder {};

TEST_F(File, ComesBackAsItWasWritten) {
  const std::string bytes("a\0b\r\n\xFF", 6);
  write_file(file("f"), bytes);
  EXPECT_EQ(read_file(file("f")), bytes);
  write_file(file("f"), "");
  EXPECT_EQ(read_file(file("f")), "");
  EXPECT_EQ(n_files(), 1);
}

TEST_F(File, SaysWhyItCannotBeRead) {
  const std::string missing = test::complaint([&] { (void)read_file(file("missing")); });
  EXPECT_TRUE(test::mentions(missing, "missing") && test::mentions(missing, "No such file")) << missing;
  EXPECT_TRUE(test::mentions(test::complaint([&] { (void)read_file(file("")); }), "is a directory"));
}

TEST_F(File, LeavesNothingBehindWhereItCannotBeWritten) {
  EXPECT_TRUE(test::mentions(test::complaint([&] { write_file(file("no/f"), "x"); }), "No such file"));
  std::filesystem::create_directories(file("folder/inside"));
  EXPECT_TRUE(test::mentions(test::complaint([&] { write_file(file("folder"), "x"); }), "cannot write"));
  EXPECT_EQ(n_files(), 1);
}

TEST_F(File, FollowsSymbolicLinksAndKeepsThem) {
  std::filesystem::create_directories(file("there"));
  (void)written("there/old", "old");
  std::filesystem::create_symlink("there/old", file("link"));
  std::filesystem::create_symlink("link", file("link_to_link"));
  write_file(file("link_to_link"), "new");
  EXPECT_EQ(read_file(file("there/old")), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(file("link")) && std::filesystem::is_symlink(file("link_to_link")));

  std::filesystem::create_symlink("there/not_yet", file("dangling"));
  write_file(file("dangling"), "made");
  EXPECT_EQ(read_file(file("there/not_yet")), "made");
  EXPECT_TRUE(std::filesystem::is_symlink(file("dangling")));

  std::filesystem::create_symlink("round", file("round"));
  EXPECT_TRUE(test::mentions(test::complaint([&] { write_file(file("round"), "x"); }), "symbolic links"));
}

TEST_F(File, KeepsTheModeOfWhatItReplaces) {
  namespace fs = std::filesystem;
  const fs::perms mode = fs::perms::owner_read | fs::perms::owner_write;
  fs::permissions(written("private", "old"), mode);
  write_file(file("private"), "new");
  EXPECT_EQ(fs::status(file("private")).permissions(), mode);
}

TEST_F(File, WritesIntoPipes) {
  ASSERT_EQ(mkfifo(file("pipe").c_str(), 0600), 0);
  const int reader = open(file("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  check_writable(file("pipe"));
  write_file(file("pipe"), "through");
  std::array<char, 16> bytes{};
  EXPECT_EQ(read(reader, bytes.data(), bytes.size()), 7);
  EXPECT_EQ(std::string(bytes.data()), "through");
  close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(file("pipe")));
}

TEST_F(File, WritesIntoDescriptorsBehindWhatIsThere) {
  const int descriptor = open(written("open", "before ").c_str(), O_WRONLY | O_APPEND);
  write_file("/dev/fd/" + std::to_string(descriptor), "behind");
  std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(descriptor), file("link"));
  write_file(file("link"), "!");
  close(descriptor);
  EXPECT_EQ(read_file(file("open")), "before behind!");
}

TEST_F(File, SaysThatADeviceIsFull) {
  // A node of its own: a defect must not replace the machine's /dev/full.
  if (mknod(file("full").c_str(), S_IFCHR | 0600, makedev(1, 7)) != 0 || access(file("full").c_str(), W_OK) != 0)
    GTEST_SKIP() << "no device nodes here";
  const int probe = open(file("full").c_str(), O_WRONLY);
  if (probe < 0) GTEST_SKIP() << "no device nodes here";
  close(probe);
  const std::string complaint = test::complaint([&] { write_file(file("full"), "x"); });
  EXPECT_TRUE(test::mentions(complaint, "No space left on device")) << complaint;
  EXPECT_TRUE(std::filesystem::is_character_file(file("full")));
}

TEST_F(File, AsksForItsPlaceBeforeTheWorkIsDone) {
  bool worked = false;
  const auto work = [&](std::ostream& stream) { worked = static_cast<bool>(stream << "x"); };
  EXPECT_TRUE(test::mentions(test::complaint([&] { write_file(file("no/f"), work); }), "No such file"));
  EXPECT_FALSE(worked);
  write_file(file("f"), work);
  EXPECT_TRUE(worked);
}

TEST_F(File, LeavesTheOldFileWhereItsWriterThrows) {
  (void)written("f", "old");
  EXPECT_THROW(write_file(file("f"), [](std::ostream&) { throw InvalidInput("too large"); }), InvalidInput);
  EXPECT_EQ(read_file(file("f")), "old");
  EXPECT_EQ(n_files(), 1);
}

TEST_F(File, ChecksAPlaceAndChangesNothing) {
  check_writable(file("new"));
  check_writable(written("old", "kept"));
  EXPECT_EQ(read_file(file("old")), "kept");
  EXPECT_EQ(n_files(), 1);
  EXPECT_TRUE(test::mentions(test::complaint([&] { check_writable(file("no/f")); }), "No such file"));
  EXPECT_TRUE(test::mentions(test::complaint([&] { check_writable(file("")); }), "directory"));
}

}  // namespace
}  // namespace strake::io
