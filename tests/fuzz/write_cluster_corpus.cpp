// SPDX-License-Identifier: Apache-2.0
// fuzz-cluster-corpus wire|http FOLDER: what the fuzzers of the cluster begin with.

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>

#include "fuzz/http_feed.hpp"
#include "fuzz/wire_feed.hpp"

int main(int argc, char** argv) {
  const std::string_view kind = argc == 3 ? argv[1] : "";
  if (kind != "wire" && kind != "http") {
    std::cerr << "usage: fuzz-cluster-corpus wire|http FOLDER\n";
    return 2;
  }
  const std::filesystem::path folder = argv[2];
  std::filesystem::create_directories(folder);
  int n = 0;
  for (const std::string& text : kind == "wire" ? strake::fuzz::conversations() : strake::fuzz::requests())
    std::ofstream(folder / std::to_string(n++), std::ios::binary) << text;
  return 0;
}
