// SPDX-License-Identifier: Apache-2.0
// fuzz-corpus FOLDER: writes the seeds, one file each.

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "fuzz/seeds.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz-corpus FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  for (const strake::fuzz::Seed& seed : strake::fuzz::seeds()) {
    std::ofstream stream(folder / (seed.name + ".onnx"), std::ios::binary);
    if (!seed.model.SerializeToOstream(&stream)) {
      std::fprintf(stderr, "fuzz-corpus: cannot write into '%s'\n", argv[1]);
      return 1;
    }
  }
  return 0;
}
