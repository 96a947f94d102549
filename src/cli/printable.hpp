// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Text of others (names in model files, file names) for terminals and logs.

#include <string>
#include <string_view>

namespace strake::cli {

/// What is no UTF-8 and what would steer a terminal, as \xNN; line breaks and tabs stay.
[[nodiscard]] std::string printable(std::string_view text);

/// The same with line breaks and tabs as blanks.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace strake::cli
