// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How long kernels copy cells from one layout into another, beside what they compute. Off unless somebody asks: then
/// each copy costs two looks at the clock.

namespace strake::kernels {

enum class CopyTimes : unsigned char { ignored, measured };

/// From now on, in this thread.
void measure_copies(CopyTimes times);

/// Microseconds spent in copies by this thread since the last call; 0 while they are ignored.
[[nodiscard]] double take_copy_us();

/// Counts its own lifetime as a copy.
class CopyScope {
 public:
  CopyScope();
  CopyScope(const CopyScope&) = delete;
  CopyScope& operator=(const CopyScope&) = delete;
  ~CopyScope();

 private:
  double begin_us_;
};

}  // namespace strake::kernels
