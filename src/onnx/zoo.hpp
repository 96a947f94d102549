// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Standard architectures with seeded random weights, written as ONNX files (opset 13).

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace strake::zoo {

struct ZooSize {
  std::int64_t h = 0;
  std::int64_t w = 0;
};

/// Names that `write` knows, in the order in which help shows them.
[[nodiscard]] std::vector<std::string> names();

/// Writes one network; `size` replaces its usual input size.
/// @throws InvalidInput for an unknown name (lists those known), a size too small for the network, an unwritable file
void write(const std::string& name, std::optional<ZooSize> size, std::uint64_t seed, const std::filesystem::path& file);

}  // namespace strake::zoo
