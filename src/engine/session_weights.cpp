// SPDX-License-Identifier: Apache-2.0
// How weights come to the ranks that compute with them.

#include <cstring>

#include "core/log.hpp"
#include "engine/disk_cache.hpp"
#include "engine/session.hpp"
#include "engine/session_messages.hpp"
#include "engine/weight_cache.hpp"

namespace strake::engine {

namespace {

// Large weights travel in slices, so that nobody holds one twice. Calls visit(first byte, bytes).
template <class Visit>
void for_each_slice(std::size_t n_bytes, Visit visit) {
  constexpr std::size_t slice = std::size_t{16} << 20;
  for (std::size_t begin = 0; begin < n_bytes; begin += slice) visit(begin, std::min(slice, n_bytes - begin));
}

// Ranks of rank 0's host are sent weights at the speed of its memory.
bool may_have_weights(const comm::Communicator& communicator, int peer) {
  return !communicator.shares_host(peer) && !comm::is_simulated();
}

}  // namespace

void Session::drop_weights() {
  for (Weight& weight : graph_.weights) weight.values.reset();
  has_weights_ = false;
}

void Session::distribute_weights() {
  if (!is_root()) return receive_weights();
  if (!has_weights_) {
    Graph again = loader_().graph;
    if (fingerprint(again) != fingerprint(graph_)) throw InvalidInput("the model file changed while it was in use");
    graph_ = std::move(again);
    has_weights_ = true;
  }
  send_weights();
  if (keeps_weights_) note_kept_weights();
  const std::set<WeightId> own = weights_needed(running_graph(), running_plan(), rank());
  for (WeightId id = 0; id < static_cast<WeightId>(graph_.weights.size()); ++id)
    if (!own.contains(id)) graph_.weight(id).values.reset();
  has_weights_ = false;
}

// All are told the hashes of theirs first, so that they look for them at the same time.
void Session::send_weights() {
  std::vector<std::set<WeightId>> needed(static_cast<std::size_t>(size()));
  std::map<WeightId, WeightHash> hashes;
  for (int other = 1; other < size(); ++other) {
    const std::set<WeightId>& theirs = needed[static_cast<std::size_t>(other)] =
        weights_needed(running_graph(), running_plan(), other);
    if (!may_have_weights(*communicator_, other)) continue;
    std::vector<WeightHash> of_theirs;
    for (const WeightId id : theirs) {
      const auto [known, is_new] = hashes.try_emplace(id);
      if (is_new) known->second = hash_of(graph_.weight(id).values);
      of_theirs.push_back(known->second);
    }
    communicator_->send(std::as_bytes(std::span(of_theirs)), other, set_up_timeout);
  }
  sent_weight_bytes_ = 0;
  for (int other = 1; other < size(); ++other) {
    const std::set<WeightId>& theirs = needed[static_cast<std::size_t>(other)];
    comm::Bytes has(theirs.size());  // [weight]: whether the other rank has it
    if (may_have_weights(*communicator_, other)) has = communicator_->receive(other, set_up_timeout);
    ensure(has.size() == theirs.size(), "a rank says of each of its weights whether it has it");
    auto is_there = has.begin();
    for (const WeightId id : theirs) {
      if (*is_there++ != std::byte{0}) continue;
      const Blob& values = graph_.weight(id).values;
      sent_weight_bytes_ += values.size_bytes();
      for_each_slice(values.size_bytes(), [&](std::size_t begin, std::size_t n_bytes) {
        communicator_->send({values.data() + begin, n_bytes}, other, set_up_timeout);
      });
    }
  }
  if (sent_weight_bytes_ > 0)
    log(LogLevel::debug, std::to_string(sent_weight_bytes_ >> 10) + " KB of weights were sent");
}

void Session::receive_weights() {
  const std::set<WeightId> needed = weights_needed(running_graph(), running_plan(), rank());
  const std::vector<WeightId> own(needed.begin(), needed.end());
  std::vector<WeightHash> hashes(own.size());
  comm::Bytes has(own.size());  // [weight]: whether it is in the cache
  std::optional<WeightCache> cache;
  for (const WeightId id : own) {
    Weight& weight = graph_.weight(id);
    weight.values = Blob::allocate(static_cast<std::size_t>(volume(weight.shape)) * size_of(weight.type));
  }
  if (may_have_weights(*communicator_, 0)) {
    const comm::Bytes bytes = communicator_->receive(0, set_up_timeout);
    ensure(bytes.size() == hashes.size() * sizeof(WeightHash), "each weight of a rank has a hash");
    if (!bytes.empty()) std::memcpy(hashes.data(), bytes.data(), bytes.size());
    if (const auto folder = cache_directory()) cache.emplace(*folder / "weights");
    for (std::size_t i = 0; i < own.size(); ++i)
      if (cache && cache->load(hashes[i], graph_.weight(own[i]).values)) has[i] = std::byte{1};
    communicator_->send(has, 0, set_up_timeout);
  }
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (has[i] != std::byte{0}) continue;
    Blob& values = graph_.weight(own[i]).values;
    for_each_slice(values.size_bytes(), [&](std::size_t begin, std::size_t n_bytes) {
      const comm::Bytes bytes = communicator_->receive(0, set_up_timeout);
      ensure(bytes.size() == n_bytes, "a slice of a weight has the size that both ranks know");
      std::memcpy(values.data() + begin, bytes.data(), n_bytes);
    });
    if (cache) cache->store(hashes[i], values);
  }
  if (cache) cache->trim();
  if (keeps_weights_) note_kept_weights();
}

}  // namespace strake::engine
