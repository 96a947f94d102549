// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Times, and statistics of repeated measurements.

#include <chrono>
#include <vector>

namespace strake::engine {

[[nodiscard]] inline double microseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

/// Runs that take so many microseconds are not repeated: one shows what there is to see.
inline constexpr double long_run_us = 1e6;

/// What `run` and `bench` report of the latencies of frames, in the unit of the samples.
struct Percentiles {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double min = 0;
  double max = 0;
  double mean = 0;
};

/// Nearest-rank percentiles; all 0 without samples.
[[nodiscard]] Percentiles percentiles(std::vector<double> samples);

/// The middle sample, or the mean of the two in the middle; 0 without samples.
[[nodiscard]] double median(std::vector<double> samples);

}  // namespace strake::engine
