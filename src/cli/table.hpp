// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Plain text tables.

#include <string>
#include <vector>

namespace strake::cli {

/// Columns as wide as their widest cell, two spaces apart; the first left-aligned, the others right-aligned.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace strake::cli
