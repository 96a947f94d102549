// SPDX-License-Identifier: Apache-2.0
#include "partition/live_links.hpp"

#include <algorithm>
#include <utility>

#include "partition/live_factors.hpp"

namespace strake::partition {

namespace {

// What links are compared by: a halo of a large map.
constexpr double typical_bytes = 64 * 1024;

double cost_us(const Link& link) { return link.latency_us + typical_bytes * link.us_per_byte; }

}  // namespace

LiveLinks::LiveLinks(Table measured, const LiveLinkRules& rules)
    : rules_(rules), measured_(measured), links_(std::move(measured)), look_again_us_(rules.look_again_us) {
  for (std::size_t a = 0; a < links_.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) are_between_hosts_ |= rules.are_watched && !links_[a][b].same_host;
}

bool LiveLinks::are_suspicious_at_once(double now_us, double latency_us, const std::vector<double>& factors) const {
  if (!usual_ || !may_measure(now_us)) return false;
  const double explained_us = usual_->latency_us * std::max(1.0, change_of(usual_->factors, factors).most);
  return latency_us > explained_us * rules_.unexplained_at_once && latency_us > explained_us + rules_.late_by_us;
}

void LiveLinks::settle(double latency_us, const std::vector<double>& factors) {
  if (!usual_ || usual_->predicted) usual_ = {.latency_us = latency_us, .factors = factors};
}

bool LiveLinks::are_suspicious(double now_us, double latency_us, const std::vector<double>& factors) const {
  if (!usual_ || !may_measure(now_us)) return false;
  const SpeedChange explained = change_of(usual_->factors, factors);
  return latency_us > usual_->latency_us * std::max(1.0, explained.most) * rules_.unexplained ||
         latency_us < usual_->latency_us * std::min(1.0, explained.least) / rules_.unexplained;
}

bool LiveLinks::look_again(double now_us) const {
  if (!may_measure(now_us) || now_us < looked_us_ + look_again_us_) return false;
  for (std::size_t a = 0; a < links_.size(); ++a)
    for (std::size_t b = 0; b < a; ++b)
      if (cost_us(links_[a][b]) > rules_.changed * cost_us(measured_[a][b])) return true;
  return false;
}

std::vector<std::string> LiveLinks::take(const Table& links, double now_us, double took_us) {
  std::vector<std::string> changes;
  for (std::size_t a = 0; a < links_.size(); ++a)
    for (std::size_t b = a + 1; b < links_.size(); ++b) {
      if (measured_[a][b].same_host) continue;
      const double ratio = cost_us(links[a][b]) / cost_us(links_[a][b]);
      if (ratio < rules_.changed && ratio > 1 / rules_.changed) continue;
      links_[a][b] = links[a][b];
      links_[b][a] = links[b][a];
      changes.push_back("a message between ranks " + std::to_string(a) + " and " + std::to_string(b) + " takes " +
                        two_digits(cost_us(links[a][b]) / cost_us(measured_[a][b])) + " times what it took at first");
    }
  looked_us_ = now_us;
  usual_.reset();
  if (changes.empty()) {
    cool_down_us_ = std::min(2 * cool_down_us_, rules_.longest_cool_down_us);
    look_again_us_ = std::min(2 * look_again_us_, rules_.longest_look_again_us);
  } else {
    cool_down_us_ = rules_.cool_down_us;
    look_again_us_ = rules_.look_again_us;
  }
  cool_down_us_ = std::max({cool_down_us_, rules_.cool_down_us, took_us / rules_.most_share_of_looking});
  not_before_us_ = now_us + cool_down_us_;
  return changes;
}

}  // namespace strake::partition
