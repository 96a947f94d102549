// SPDX-License-Identifier: Apache-2.0
#include "io/file.hpp"

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

}  // namespace
}  // namespace strake::io
