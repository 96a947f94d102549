// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Settings by the names that users give them.

#include <string>

#include "engine/session.hpp"

namespace strake::engine {

struct NamedSettings {
  bool exact = false;
  std::string kernels = "auto";       // auto, direct, winograd
  std::string weights = "f32";        // f32, bf16
  std::string transfer_type = "f32";  // f32, bf16, fp16, int8
  std::string axis = "auto";          // auto, h, w
};

/// @throws InvalidInput if nobody knows a name, or where `exact` rules out another setting
[[nodiscard]] Settings settings_of(const NamedSettings& named);

/// @throws InvalidInput unless `value` is one of `names`: "'x' expects one of a, b; got 'c'"
void expect_name(const std::string& what, const std::string& value, const std::vector<std::string>& names);

}  // namespace strake::engine
