// SPDX-License-Identifier: Apache-2.0
#include "engine/measure.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace strake::engine {

double median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const std::size_t middle = samples.size() / 2;
  return samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

Percentiles percentiles(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  const auto n = static_cast<double>(samples.size());
  const auto at = [&](double share) {
    const auto place = static_cast<std::size_t>(std::max(std::ceil(share * n), 1.0));
    return samples[place - 1];
  };
  return {.p50 = median(samples),
          .p90 = at(0.9),
          .p99 = at(0.99),
          .min = samples.front(),
          .max = samples.back(),
          .mean = std::accumulate(samples.begin(), samples.end(), 0.0) / n};
}

}  // namespace strake::engine
