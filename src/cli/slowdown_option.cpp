// SPDX-License-Identifier: Apache-2.0
#include "cli/slowdown_option.hpp"

#include <charconv>
#include <limits>
#include <sstream>

#include "cli/numbers.hpp"
#include "core/errors.hpp"

namespace strake::cli {

namespace {

constexpr const char* slowdown_option = "--emulate-slowdown";

double slowdown_of(const std::string& text, const std::string& part) {
  double factor = 0;
  try {
    factor = number_of(text, slowdown_option);
  } catch (const InvalidInput&) {
    factor = 0;
  }
  if (factor < 1 || factor > 1e6)
    throw InvalidInput("expected a number from 1 to 1000000, or one with @BEGIN:END, got '" + part + "'");
  return factor;
}

int frame_of(const std::string& text, const std::string& part) {
  int frame = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), frame);
  if (error != std::errc() || end != text.data() + text.size() || frame < 0)
    throw InvalidInput("expected numbers of frames behind @, as in 2@100:300, got '" + part + "'");
  return frame;
}

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text + ",");
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

}  // namespace

void read_slowdowns(const std::string& text, std::vector<double>& slowdowns,
                    std::vector<engine::SlowdownChange>& changes) {
  slowdowns.clear();
  changes.clear();
  for (const std::string& part : parts_of(text)) {
    const std::size_t at = part.find('@');
    const double factor = slowdown_of(part.substr(0, at), part);
    slowdowns.push_back(at == std::string::npos ? factor : 1.0);
    if (at == std::string::npos) continue;
    engine::SlowdownChange change{.rank = static_cast<int>(slowdowns.size()) - 1, .factor = factor};
    const std::size_t colon = part.find(':', at);
    change.begin = frame_of(part.substr(at + 1, colon == std::string::npos ? colon : colon - at - 1), part);
    change.end = colon == std::string::npos ? std::numeric_limits<int>::max() : frame_of(part.substr(colon + 1), part);
    if (change.end <= change.begin)
      throw InvalidInput("expected that the frame behind ':' comes later than that before it, got '" + part + "'");
    changes.push_back(change);
  }
}

void add_slowdown_option(CLI::App& app, std::vector<double>& slowdowns, std::vector<engine::SlowdownChange>& changes) {
  const auto take = [&slowdowns, &changes](const std::string& text) {
    try {
      read_slowdowns(text, slowdowns, changes);
    } catch (const InvalidInput& error) {
      throw CLI::ValidationError(slowdown_option, error.what());
    }
  };
  app.add_option_function<std::string>(
      slowdown_option, take,
      "Rank r spins after each kernel until it has taken that many times as long: 1,3,...; 2@100:300 does so in frames "
      "100 to 300 only");
}

}  // namespace strake::cli
