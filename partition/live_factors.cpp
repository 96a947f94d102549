// SPDX-License-Identifier: Apache-2.0
#include "partition/live_factors.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/errors.hpp"

namespace strake::partition {

namespace {

// Ranks that compute less than this of what the busiest one does are not asked whether their speed has settled: times
// of microseconds never do.
constexpr double least_share = 0.05;

}  // namespace

SpeedChange change_of(const std::vector<double>& before, const std::vector<double>& now) {
  SpeedChange change{.least = INFINITY, .most = 0};
  for (std::size_t rank = 0; rank < now.size(); ++rank) {
    change.least = std::min(change.least, now[rank] / before[rank]);
    change.most = std::max(change.most, now[rank] / before[rank]);
  }
  return change;
}

std::string two_digits(double value) {
  const std::string text = std::to_string(value);
  return text.substr(0, text.find('.') + 3);
}

double middle_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

LiveFactors::LiveFactors(std::vector<double> probe_us)
    : factors_(probe_us.size(), 1.0), compute_us_(probe_us.size(), 0.0), probe_us_(std::move(probe_us)) {}

void LiveFactors::begin_plan(std::vector<double> compute_us) {
  ensure(compute_us.size() == factors_.size(), "a plan has a time for each rank");
  compute_us_ = std::move(compute_us);
  windows_.clear();
}

double LiveFactors::factor_of(const LiveWindow& window, std::size_t rank) const {
  if (compute_us_[rank] > 0 && window.compute_us[rank] > 0) return window.compute_us[rank] / compute_us_[rank];
  if (probe_us_[rank] > 0 && window.probe_us[rank] > 0) return window.probe_us[rank] / probe_us_[rank];
  return factors_[rank];
}

// Ranks were as fast while they were probed as in the first frames, which the profile need not have seen. Later ones
// may have been slowed down already.
void LiveFactors::calibrate_probes() {
  for (std::size_t rank = 0; rank < factors_.size(); ++rank) probe_us_[rank] /= factor_of(windows_.front(), rank);
  calibrated_ = true;
}

void LiveFactors::add(const LiveWindow& window) {
  ensure(window.compute_us.size() == factors_.size() && window.probe_us.size() == factors_.size(),
         "a window has times of each rank");
  windows_.push_back(window);
  if (windows_.size() > n_windows) windows_.pop_front();
  if (windows_.size() < n_windows) return;
  for (std::size_t rank = 0; rank < factors_.size(); ++rank) {
    std::vector<double> seen;
    for (const LiveWindow& one : windows_) seen.push_back(factor_of(one, rank));
    factors_[rank] = middle_of(std::move(seen));
  }
  if (!calibrated_) calibrate_probes();
}

std::vector<double> LiveFactors::of_last_window() const {
  std::vector<double> factors;
  for (std::size_t rank = 0; rank < factors_.size(); ++rank) factors.push_back(factor_of(windows_.back(), rank));
  return factors;
}

double LiveFactors::latency_us() const {
  std::vector<double> latencies;
  for (const LiveWindow& window : windows_) latencies.push_back(window.latency_us);
  return middle_of(std::move(latencies));
}

bool LiveFactors::settled(double tolerance) const {
  if (windows_.size() < n_windows) return false;
  const double most_us = *std::ranges::max_element(compute_us_);
  for (std::size_t rank = 0; rank < factors_.size(); ++rank) {
    const bool counts = compute_us_[rank] >= least_share * most_us;
    if (counts && std::abs(factor_of(windows_.back(), rank) - factors_[rank]) > tolerance * factors_[rank])
      return false;
  }
  return true;
}

}  // namespace strake::partition
