// SPDX-License-Identifier: Apache-2.0
#include "kernels/copy_clock.hpp"

#include <chrono>
#include <utility>

namespace strake::kernels {

namespace {

thread_local CopyTimes copy_times = CopyTimes::ignored;
thread_local double copied_us = 0;

double now_us() {
  if (copy_times == CopyTimes::ignored) return 0;
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void measure_copies(CopyTimes times) {
  copy_times = times;
  copied_us = 0;
}

double take_copy_us() { return std::exchange(copied_us, 0); }

CopyScope::CopyScope() : begin_us_(now_us()) {}
CopyScope::~CopyScope() { copied_us += now_us() - begin_us_; }

}  // namespace strake::kernels
