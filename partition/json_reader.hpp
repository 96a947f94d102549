// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Reads JSON that anybody may have written: every wrong type, size and number becomes an InvalidInput with its place.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/interval_map.hpp"

namespace strake::partition {

/// A value and the place where it stands. Borrows the value.
class JsonReader {
 public:
  JsonReader(const nlohmann::json& value, std::string place) : value_(&value), place_(std::move(place)) {}

  /// The same value under another name.
  [[nodiscard]] JsonReader named(const std::string& name) const { return {*value_, place_ + ", " + name}; }

  // All of these throw InvalidInput unless the value is of that kind.
  [[nodiscard]] JsonReader member(const std::string& key) const;
  /// These and no others; of `optional` any.
  void expect_members(const std::vector<std::string>& keys, const std::vector<std::string>& optional = {}) const;
  [[nodiscard]] bool has_member(const std::string& key) const;
  [[nodiscard]] std::vector<JsonReader> elements() const;
  [[nodiscard]] std::vector<JsonReader> elements(std::size_t expected) const;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] Index index() const;    // 0 or more
  [[nodiscard]] double number() const;  // 0 or more, finite
  void must_be(Index expected) const;
  /// The place of the text among `choices`.
  [[nodiscard]] std::size_t one_of(const std::vector<std::string>& choices) const;

  [[noreturn]] void fail(const std::string& message) const;

 private:
  const nlohmann::json* value_;
  std::string place_;
};

/// @throws InvalidInput with line and column where the text is not JSON
[[nodiscard]] nlohmann::json parse_json(const std::string& text, const std::string& where);

/// An object, one line for each member and for each element of the member `list`.
[[nodiscard]] std::string write_json(const nlohmann::ordered_json& object, const std::string& list);

[[nodiscard]] std::string axis_name(SplitAxis axis);
[[nodiscard]] SplitAxis axis_of(const JsonReader& json);

}  // namespace strake::partition
