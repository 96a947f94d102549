// SPDX-License-Identifier: Apache-2.0
#include "cli/numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/errors.hpp"

namespace strake::cli {

namespace {

std::optional<double> finite_number(const std::string& text) {
  std::size_t used = 0;
  double number = 0;
  try {
    number = std::stod(text, &used);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  if (used != text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::vector<std::string> between_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t comma = text.find(','); comma != std::string::npos; comma = text.find(',', begin)) {
    parts.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

}  // namespace

std::vector<double> numbers_of(const std::string& text, const std::string& option) {
  std::vector<double> numbers;
  for (const std::string& part : between_commas(text)) {
    const std::optional<double> number = finite_number(part);
    if (!number) throw InvalidInput(option + " expects numbers with commas between them, got '" + text + "'");
    numbers.push_back(*number);
  }
  return numbers;
}

double number_of(const std::string& text, const std::string& option) {
  const std::optional<double> number = finite_number(text);
  if (!number) throw InvalidInput(option + " expects a number, got '" + text + "'");
  return *number;
}

double fraction_of(const std::string& text, const std::string& option) {
  const std::size_t slash = text.find('/');
  const std::optional<double> over = finite_number(text.substr(0, slash));
  const std::optional<double> under = slash == std::string::npos ? 1.0 : finite_number(text.substr(slash + 1));
  const double fraction = over && under && *under != 0 ? *over / *under : 0;
  if (fraction == 0 || !std::isfinite(fraction))
    throw InvalidInput(option + " expects a number other than 0, or a fraction such as 1/255, got '" + text + "'");
  return fraction;
}

NumberRule any_number() {
  return {"a number", [](double) { return true; }};
}

NumberRule number_above_0() {
  return {"a number above 0", [](double number) { return number > 0; }};
}

NumberRule number_of_0_or_more() {
  return {"a number of 0 or more", [](double number) { return number >= 0; }};
}

NumberRule number_between(double least, double most) {
  const auto text = [](double number) {
    std::string digits = std::to_string(number);
    digits.resize(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
    return digits;
  };
  return {"a number from " + text(least) + " to " + text(most),
          [least, most](double number) { return number >= least && number <= most; }};
}

CLI::Validator check_number(const NumberRule& rule) {
  return {[rule](std::string& text) -> std::string {
            const std::optional<double> number = finite_number(text);
            return number && rule.fits(*number) ? "" : "expected " + rule.expected + ", got '" + text + "'";
          },
          ""};
}

CLI::Validator check_file_name() {
  return {[](std::string& text) -> std::string { return text.empty() ? "expected the name of a file, got ''" : ""; },
          ""};
}

CLI::Validator check_unsigned() {
  return {[](std::string& text) -> std::string {
            std::uint64_t number = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            const bool fits = error == std::errc() && end == text.data() + text.size();
            return fits ? "" : "expected a whole number from 0 to 18446744073709551615, got '" + text + "'";
          },
          ""};
}

CLI::Option* add_numbers_option(CLI::App& app, const std::string& name, std::vector<double>& numbers,
                                const NumberRule& rule, const std::string& description) {
  const auto take = [&numbers, rule, name](const std::string& text) {
    std::vector<double> taken;
    for (const std::string& part : between_commas(text)) {
      const std::optional<double> number = finite_number(part);
      if (!number || !rule.fits(*number))
        throw CLI::ValidationError(
            name, "expected " + rule.expected + ", or several with commas between them, got '" + text + "'");
      taken.push_back(*number);
    }
    numbers = std::move(taken);
  };
  return app.add_option_function<std::string>(name, take, description);
}

}  // namespace strake::cli
