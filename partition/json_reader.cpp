// SPDX-License-Identifier: Apache-2.0
#include "partition/json_reader.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "core/errors.hpp"

namespace strake::partition {

namespace {

// Bytes of names that are no UTF-8 are replaced: names come from model files.
std::string line_of(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// "at line 3, column 7"; `byte` counts from 1.
std::string place_in(const std::string& text, std::size_t byte) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return "but empty";
  const std::string_view before = std::string_view(text).substr(0, byte == 0 ? 0 : byte - 1);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const std::string place = "at line " + std::to_string(line) + ", column " + std::to_string(before.size() - begin + 1);
  return byte > text.size() ? place + ": it ends too early" : place;
}

}  // namespace

void JsonReader::fail(const std::string& message) const { throw InvalidInput(place_ + ": " + message); }

JsonReader JsonReader::member(const std::string& key) const {
  if (!value_->is_object()) fail(std::string("expected an object, got ") + value_->type_name());
  const auto found = value_->find(key);
  if (found == value_->end()) fail("'" + key + "' is missing");
  return {*found, place_ + ", '" + key + "'"};
}

void JsonReader::expect_members(const std::vector<std::string>& keys, const std::vector<std::string>& optional) const {
  for (const std::string& key : keys) (void)member(key);
  for (const auto& [key, value] : value_->items())
    if (std::ranges::find(keys, key) == keys.end() && std::ranges::find(optional, key) == optional.end())
      fail("'" + key + "' is not known here");
}

bool JsonReader::has_member(const std::string& key) const { return value_->is_object() && value_->contains(key); }

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
  fail((choices.size() == 1 ? "expected " : "expected one of ") + list + ", got '" + found + "'");
}

nlohmann::json parse_json(const std::string& text, const std::string& where) {
  std::vector<std::set<std::string>> keys;  // of the objects around the place that is read
  const auto refuse_twins = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::object_start) keys.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) keys.pop_back();
    if (event == nlohmann::json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      throw InvalidInput(where + ": '" + parsed.get<std::string>() + "' is there twice in one object");
    return true;
  };
  try {
    return nlohmann::json::parse(text, refuse_twins);
  } catch (const nlohmann::json::parse_error& error) {
    throw InvalidInput(where + ": not JSON " + place_in(text, error.byte));
  } catch (const nlohmann::json::exception&) {
    // The text is JSON, but no double holds one of its numbers.
    throw InvalidInput(where + ": not JSON that can be read: a number is too large");
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
