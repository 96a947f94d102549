// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Numbers on the command line, refused where they make no sense: each message says what was expected and what came.

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

namespace strake::cli {

/// "1,3,480,640": finite numbers with commas between them. @throws InvalidInput naming `option`
[[nodiscard]] std::vector<double> numbers_of(const std::string& text, const std::string& option);

/// One finite number. @throws InvalidInput naming `option`
[[nodiscard]] double number_of(const std::string& text, const std::string& option);

/// "0.5" or "1/255". @throws InvalidInput naming `option`: no such number, or 0
[[nodiscard]] double fraction_of(const std::string& text, const std::string& option);

/// What a number must be beside finite.
struct NumberRule {
  std::string expected;  // as "a number above 0"
  std::function<bool(double)> fits;
};

[[nodiscard]] NumberRule any_number();
[[nodiscard]] NumberRule number_above_0();
[[nodiscard]] NumberRule number_of_0_or_more();
/// Both ends included.
[[nodiscard]] NumberRule number_between(double least, double most);

/// For an option with one number.
[[nodiscard]] CLI::Validator check_number(const NumberRule& rule);

/// For an option with a number that has no sign, is whole and fits into 64 bits.
[[nodiscard]] CLI::Validator check_unsigned();

/// A file's name, which has at least a character.
[[nodiscard]] CLI::Validator check_file_name();

/// An option with numbers that have commas between them.
CLI::Option* add_numbers_option(CLI::App& app, const std::string& name, std::vector<double>& numbers,
                                const NumberRule& rule, const std::string& description);

}  // namespace strake::cli
