// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which links carry less, or more, than when they were measured, and when it is worth measuring them again.

#include <optional>
#include <string>
#include <vector>

#include "core/profile.hpp"

namespace strake::partition {

struct LiveLinkRules {
  double unexplained = 1.3;        // a frame takes so much longer or shorter than the ranks' speeds make it
  double unexplained_at_once = 3;  // in one window, and later by this:
  double late_by_us = 30e3;
  double changed = 1.5;       // a link is another one when it costs so much more or less
  double cool_down_us = 1e6;  // after links were measured; doubles while they are as they were
  double longest_cool_down_us = 60e6;
  double look_again_us = 10e6;  // at links that have become slow, which plans avoid; doubles while they are
  double longest_look_again_us = 120e6;
  double most_share_of_looking = 0.05;  // of all time
  bool are_watched = true;              // else they stay as they are
};

/// Frames tell only that something between the ranks takes longer: then links are measured, by `comm/link_probe.hpp`,
/// and each that costs another price is believed from then on. One that no plan uses any more is looked at now and
/// then. Links within a host stay as they are. Knows no clock: the time is an argument.
class LiveLinks {
 public:
  using Table = std::vector<std::vector<Link>>;  // [src][dst]

  explicit LiveLinks(Table measured, const LiveLinkRules& rules = {});

  /// Another plan runs. Until its frames have told what is usual, only the prediction is known.
  void begin_plan(double predicted_us, const std::vector<double>& factors) {
    usual_ = {.latency_us = predicted_us, .factors = factors, .predicted = true};
  }

  /// @param latency_us  of a frame, in the last window
  /// @param factors     [rank], in the last window
  [[nodiscard]] bool are_suspicious_at_once(double now_us, double latency_us, const std::vector<double>& factors) const;
  /// Speeds have settled: the first such frames of a plan are what is usual.
  void settle(double latency_us, const std::vector<double>& factors);
  /// Of windows in which speeds have settled.
  [[nodiscard]] bool are_suspicious(double now_us, double latency_us, const std::vector<double>& factors) const;
  /// Whether one that has become slow is to be looked at.
  [[nodiscard]] bool look_again(double now_us) const;

  /// They were measured, which took so long. @return a sentence for each link that is another one now
  std::vector<std::string> take(const Table& links, double now_us, double took_us);

  [[nodiscard]] const Table& links() const { return links_; }

 private:
  struct Usual {
    double latency_us = 0;
    std::vector<double> factors;
    bool predicted = false;
  };

  [[nodiscard]] bool may_measure(double now_us) const { return are_between_hosts_ && now_us >= not_before_us_; }

  LiveLinkRules rules_;
  Table measured_;                  // when the profile was made
  Table links_;                     // as they are believed to be
  bool are_between_hosts_ = false;  // some of them
  std::optional<Usual> usual_;
  double not_before_us_ = 0;
  double cool_down_us_ = 0;
  double looked_us_ = 0;
  double look_again_us_;
};

}  // namespace strake::partition
