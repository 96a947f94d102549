// SPDX-License-Identifier: Apache-2.0
#include "cluster/link_watch.hpp"

#include <algorithm>
#include <utility>

namespace strake::cluster {

namespace {

using std::chrono::milliseconds;

// Bytes per millisecond: 1.3 Mbit/s.
constexpr std::size_t least_rate = 164;

// Of a new node, so that one of them was not held up.
constexpr int first_answers = 3;

std::string text_of(LinkWatch::Duration duration) {
  return std::to_string(std::chrono::duration_cast<milliseconds>(duration).count()) + " ms";
}

}  // namespace

int LinkWatch::n_pieces() const {
  return std::max(1, static_cast<int>(static_cast<std::size_t>(limits_.late_by.count()) * least_rate / piece_bytes));
}

LinkWatch::Duration LinkWatch::limit(const Link& link) const {
  return limits_.late_by + std::chrono::duration_cast<Duration>(link.good.value_or(Duration::zero()) * limits_.times);
}

void LinkWatch::arrived(const std::string& name) {
  Link& link = links_[name];
  link.waits = false;
  link.next_piece = false;
  link.wanted = link.answers < first_answers || link.slow;
}

void LinkWatch::suspect(const std::vector<std::string>& names, Time now) {
  for (const std::string& name : names) {
    Link& link = links_[name];
    if (!link.good || link.waits || link.wanted || link.slow) continue;
    const Duration since = now - link.asked;
    const bool in_vain = link.in_vain && since < limits_.forget_suspicion;
    const Duration rest = in_vain ? limits_.suspect_again_in_vain : limits_.suspect_again;
    if (since >= std::max<Duration>(rest, limits_.least_rest * *link.good)) link.wanted = link.suspected = true;
  }
}

std::vector<LinkWatch::Question> LinkWatch::questions(Time now) {
  std::vector<Question> list;
  for (auto& [name, link] : links_) {
    if (std::exchange(link.next_piece, false)) list.push_back({name, ++link.number});
    // What does not come for so long never will.
    if (link.waits && now - link.asked >= limits_.forget_suspicion) link.waits = false;
    if (link.waits) continue;
    const bool again = link.slow && now - link.asked >= limits_.ask_again;
    if (!link.wanted && !again) continue;
    link.wanted = false;
    link.waits = true;
    link.pieces_left = n_pieces();
    link.asked = now;
    list.push_back({name, ++link.number});
  }
  return list;
}

void LinkWatch::answered(const std::string& name, std::uint64_t number, Time now) {
  const auto found = links_.find(name);
  if (found == links_.end() || !found->second.waits || found->second.number != number) return;
  Link& link = found->second;
  if (--link.pieces_left > 0) {
    link.next_piece = true;
    return;
  }
  link.waits = false;
  link.last = now - link.asked;
  if (++link.answers < first_answers) link.wanted = true;
  const bool first = !link.good;
  const bool accepted = link.slow && now - link.slow_since >= limits_.accept_after;
  if (first || accepted || link.last <= limit(link)) {
    if (std::exchange(link.suspected, false)) link.in_vain = true;
    link.slow = false;
    link.told = false;
    link.good = first || accepted ? link.last : std::min(*link.good, link.last);
  } else if (!link.slow) {
    link.slow = true;
    link.slow_since = now;
  }
}

void LinkWatch::excuse(Duration stall) {
  for (auto& [name, link] : links_)
    if (link.waits) link.asked += stall;
}

std::vector<LinkWatch::Slow> LinkWatch::became_slow(Time now, const std::function<bool(const std::string&)>& is_heard) {
  std::vector<Slow> list;
  for (auto& [name, link] : links_) {
    // Without a good one there is nothing to hold it against. Else it is slow before its answer is there; where
    // heartbeats do not come either they may be queued as well, and are given as much time again.
    const Duration waited = link.waits ? now - link.asked : Duration::zero();
    if (link.good && !link.slow && waited > limit(link) && (is_heard(name) || waited > 2 * limit(link))) {
      link.slow = true;
      link.slow_since = now;
    }
    if (!link.slow || link.told) continue;
    link.told = true;
    const std::string took = link.waits ? "more than " + text_of(now - link.asked) : text_of(link.last);
    list.push_back({name, std::to_string(static_cast<std::size_t>(n_pieces()) * piece_bytes / 1000) +
                              " kB and back took " + took + ", " + text_of(*link.good) + " at best before"});
  }
  return list;
}

bool LinkWatch::is_slow(const std::string& name) const {
  const auto found = links_.find(name);
  return found != links_.end() && found->second.slow;
}

std::chrono::microseconds LinkWatch::last_echo(const std::string& name) const {
  const auto found = links_.find(name);
  if (found == links_.end()) return {};
  return std::chrono::duration_cast<std::chrono::microseconds>(found->second.last);
}

}  // namespace strake::cluster
