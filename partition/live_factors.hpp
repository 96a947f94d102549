// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How fast ranks are now, from what their frames took: one factor for each, by which its measured costs are off.

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

namespace strake::partition {

/// What all ranks did in the frames since the window before.
struct LiveWindow {
  long frames = 0;
  double latency_us = 0;           // of a frame, mean
  std::vector<double> compute_us;  // [rank], of a frame, mean; 0 for ranks without work
  std::vector<double> probe_us;    // [rank]: of those without work, what the same piece of work took; else 0
};

/// The factor of a rank is the time of its work by that of its profile: 2 for one that takes twice as long. Each window
/// gives one, and the median of the last few holds: a hiccup that hits one of them changes nothing, and a change is
/// believed when half of them have it.
class LiveFactors {
 public:
  /// @param probe_us  [rank]: what the piece of work takes by which ranks without work are told, at factor 1; 0 for
  ///                  ranks that have none: their factor stays when they lose their work
  explicit LiveFactors(std::vector<double> probe_us);

  /// Another plan runs from here on. Factors stay until its frames say something else.
  /// @param compute_us  [rank]: what the profile says of its frames; 0 for ranks without work
  void begin_plan(std::vector<double> compute_us);

  /// @throws Bug if the window is of another number of ranks
  void add(const LiveWindow& window);

  /// [rank]; 1 at first.
  [[nodiscard]] const std::vector<double>& factors() const { return factors_; }

  /// [rank]: what the last window alone says; there is one.
  [[nodiscard]] std::vector<double> of_last_window() const;

  /// Median over the same windows, of frames under this plan; 0 while there is none.
  [[nodiscard]] double latency_us() const;

  /// There are enough windows, and the last one says of every rank what their median says, to `tolerance` of it: speeds
  /// are not just changing.
  [[nodiscard]] bool settled(double tolerance) const;

  static constexpr std::size_t n_windows = 3;

 private:
  [[nodiscard]] double factor_of(const LiveWindow& window, std::size_t rank) const;
  void calibrate_probes();

  std::vector<double> factors_;
  std::vector<double> compute_us_;  // [rank], of the plan, by the profile
  std::vector<double> probe_us_;    // [rank], at factor 1
  bool calibrated_ = false;         // `probe_us_` took place while ranks had the factors of the first windows
  std::deque<LiveWindow> windows_;  // the last ones under this plan
};

/// How many times as slow the least and the most slowed of the ranks have become.
struct SpeedChange {
  double least = 1;
  double most = 1;

  /// How far two ranks have moved apart, and how far any has moved; 0.1 for a tenth.
  [[nodiscard]] double apart() const { return most / least - 1; }
  [[nodiscard]] double any() const { return std::max({most, 1 / most, least, 1 / least}) - 1; }
};

/// Between two lists of factors of the same ranks.
[[nodiscard]] SpeedChange change_of(const std::vector<double>& before, const std::vector<double>& now);

/// Two digits behind the point, the others cut off.
[[nodiscard]] std::string two_digits(double value);

/// Middle of the values, or of the two next to it; 0 of none.
[[nodiscard]] double middle_of(std::vector<double> values);

}  // namespace strake::partition
