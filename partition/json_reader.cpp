// SPDX-License-Identifier: Apache-2.0
#include "partition/json_reader.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/errors.hpp"

namespace strake::partition {

namespace {

// Bytes of names that are no UTF-8 are replaced: names come from model files.
std::string line_of(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

void JsonReader::fail(const std::string& message) const { throw InvalidInput(place_ + ": " + message); }

JsonReader JsonReader::member(const std::string& key) const {
  if (!value_->is_object()) fail(std::string("expected an object, got ") + value_->type_name());
  const auto found = value_->find(key);
  if (found == value_->end()) fail("'" + key + "' is missing");
  return {*found, place_ + ", '" + key + "'"};
}

std::vector<JsonReader> JsonReader::elements() const {
  if (!value_->is_array()) fail(std::string("expected a list, got ") + value_->type_name());
  std::vector<JsonReader> list;
  for (std::size_t i = 0; i < value_->size(); ++i)
    list.emplace_back((*value_)[i], place_ + "[" + std::to_string(i) + "]");
  return list;
}

std::vector<JsonReader> JsonReader::elements(std::size_t expected) const {
  std::vector<JsonReader> list = elements();
  if (list.size() != expected)
    fail("expected a list of " + std::to_string(expected) + ", got " + std::to_string(list.size()));
  return list;
}

std::string JsonReader::text() const {
  if (!value_->is_string()) fail(std::string("expected a text, got ") + value_->type_name());
  return value_->get<std::string>();
}

Index JsonReader::index() const {
  // Numbers that fit are unsigned in the parser's eyes unless they are negative or have a point.
  if (!value_->is_number_unsigned()) fail("expected a whole number of 0 or more, got " + line_of(*value_));
  const auto number = value_->get<std::uint64_t>();
  if (number > static_cast<std::uint64_t>(std::numeric_limits<Index>::max()))
    fail("expected a smaller number, got " + std::to_string(number));
  return static_cast<Index>(number);
}

double JsonReader::number() const {
  if (!value_->is_number()) fail(std::string("expected a number, got ") + value_->type_name());
  const double number = value_->get<double>();
  if (!std::isfinite(number) || number < 0) fail("expected a number of 0 or more, got " + line_of(*value_));
  return number;
}

void JsonReader::must_be(Index expected) const {
  if (const Index found = index(); found != expected)
    fail("expected " + std::to_string(expected) + ", got " + std::to_string(found));
}

std::size_t JsonReader::one_of(const std::vector<std::string>& choices) const {
  const std::string found = text();
  const auto place = std::find(choices.begin(), choices.end(), found);
  if (place != choices.end()) return static_cast<std::size_t>(place - choices.begin());
  std::string list;
  for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
  fail("expected one of " + list + ", got '" + found + "'");
}

nlohmann::json parse_json(const std::string& text, const std::string& where) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw InvalidInput(where + ": not JSON: " + error.what());
  }
}

std::string write_json(const nlohmann::ordered_json& object, const std::string& list) {
  std::string text = "{";
  for (const auto& [key, value] : object.items()) {
    text += (text.size() == 1 ? "\n  " : ",\n  ") + line_of(key) + ": ";
    if (key != list) {
      text += line_of(value);
      continue;
    }
    text += "[";
    for (std::size_t i = 0; i < value.size(); ++i) text += (i == 0 ? "\n    " : ",\n    ") + line_of(value[i]);
    text += "\n  ]";
  }
  return text + "\n}\n";
}

std::string axis_name(SplitAxis axis) { return axis == SplitAxis::rows ? "rows" : "columns"; }

SplitAxis axis_of(const JsonReader& json) {
  return json.one_of({"rows", "columns"}) == 0 ? SplitAxis::rows : SplitAxis::columns;
}

}  // namespace strake::partition
