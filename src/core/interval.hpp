// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A half-open range of indices along one axis.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace strake {

/// Every index, size and stride in Strake, in elements unless the name says otherwise.
using Index = std::int64_t;

/// Graphs count in `Index` and less, containers in `std::size_t`.
[[nodiscard]] inline std::size_t at(Index index) { return static_cast<std::size_t>(index); }

/// [begin, end). Every interval with end <= begin is empty.
struct Interval {
  Index begin = 0;
  Index end = 0;

  [[nodiscard]] Index size() const { return std::max<Index>(end - begin, 0); }
  [[nodiscard]] bool empty() const { return end <= begin; }
  [[nodiscard]] bool contains(Interval inner) const {
    return inner.empty() || (begin <= inner.begin && inner.end <= end);
  }
  friend bool operator==(const Interval&, const Interval&) = default;
};

[[nodiscard]] inline Interval intersect(Interval a, Interval b) {
  const Interval both{std::max(a.begin, b.begin), std::min(a.end, b.end)};
  return both.empty() ? Interval{} : both;
}

/// The smallest interval that covers both; an empty one counts for nothing.
[[nodiscard]] inline Interval hull(Interval a, Interval b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

/// "[3, 7)".
[[nodiscard]] inline std::string to_string(Interval interval) {
  // Appended, since g++ 12 warns falsely of overlapping copies at "literal" + string (GCC bug 105651).
  return std::string("[").append(std::to_string(interval.begin)).append(", ").append(std::to_string(interval.end)) +
         ")";
}

}  // namespace strake
