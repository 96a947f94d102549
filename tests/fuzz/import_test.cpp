// SPDX-License-Identifier: Apache-2.0
// What the fuzzer once found, and a small fuzzing of our own that needs no special compiler.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/errors.hpp"
#include "fuzz/feed.hpp"
#include "fuzz/mutate.hpp"
#include "fuzz/seeds.hpp"

namespace strake::fuzz {
namespace {

TEST(Import, RefusesOrTakesWhatTheFuzzerFound) {
  int n = 0;
  for (const auto& entry : std::filesystem::directory_iterator(STRAKE_FUZZ_REGRESSIONS)) {
    if (entry.path().extension() != ".onnx") continue;
    SCOPED_TRACE(entry.path().filename().string());
    std::ostringstream bytes;
    bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    EXPECT_NO_THROW(feed(bytes.str()));
    ++n;
  }
  EXPECT_GT(n, 0);
}

TEST(Import, RefusesOrTakesChangedModels) {
  constexpr int n_changes = 60;
  for (const Seed& seed : seeds()) {
    std::minstd_rand random(1);
    onnx::ModelProto model = seed.model;
    for (int i = 0; i < n_changes; ++i) {
      // A chain of changes soon breaks a model for good: then it begins anew.
      if (i % 4 == 0) model = seed.model;
      mutate(model, random);
      SCOPED_TRACE(seed.name + ", change " + std::to_string(i));
      ASSERT_NO_THROW(feed(model.SerializeAsString()));
    }
  }
}

TEST(Import, RefusesOrTakesFilesCutAnywhere) {
  for (const Seed& seed : seeds()) {
    const std::string bytes = seed.model.SerializeAsString();
    SCOPED_TRACE(seed.name);
    for (std::size_t n = 0; n < bytes.size(); n += 1 + bytes.size() / 50)
      ASSERT_NO_THROW(feed(std::span<const char>(bytes).first(n)));
  }
}

}  // namespace
}  // namespace strake::fuzz
