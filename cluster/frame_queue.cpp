// SPDX-License-Identifier: Apache-2.0
#include "cluster/frame_queue.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace strake::cluster {

namespace {

std::size_t bytes_in(const std::vector<zmq::message_t>& parts) {
  std::size_t sum = 0;
  for (const zmq::message_t& part : parts) sum += part.size();
  return sum;
}

}  // namespace

void FrameQueue::erase(ClientEntry& client, std::map<std::uint64_t, Entry>::iterator frame) {
  const Entry& entry = frame->second;
  if (entry.state == State::waits) waiting_.erase(entry.ticket);
  if (entry.state == State::runs) running_.erase(entry.ticket);
  bytes_ -= entry.bytes;
  --frames_;
  client.frames.erase(frame);
}

FrameQueue::Entry* FrameQueue::entry_of(const Key& key) {
  const auto client = clients_.find(key.first);
  if (client == clients_.end()) return nullptr;
  const auto frame = client->second.frames.find(key.second);
  return frame == client->second.frames.end() ? nullptr : &frame->second;
}

bool FrameQueue::heard(const std::string& client, const std::string& peer, const std::string& user,
                       std::uint64_t oldest, Time now, std::span<const std::uint64_t> received) {
  const auto [place, is_new] = clients_.try_emplace(client);
  ClientEntry& entry = place->second;
  if (is_new) entry.user = user;
  if (entry.user != user) return false;
  entry.peer = peer;
  entry.heard = now;
  // Messages of an older connection may come late.
  entry.oldest = std::max(entry.oldest, oldest);
  while (!entry.frames.empty() && entry.frames.begin()->first < entry.oldest) erase(entry, entry.frames.begin());
  // One frame that has to wait must not keep the answers behind it here.
  for (const std::uint64_t number : received) {
    const auto frame = entry.frames.find(number);
    if (frame == entry.frames.end() || frame->second.state != State::answered) continue;
    erase(entry, frame);
    entry.received.insert(number);
  }
  entry.received.erase(entry.received.begin(), entry.received.lower_bound(entry.oldest));
  return true;
}

FrameQueue::Verdict FrameQueue::submit(const std::string& client, std::uint64_t number, Tensors tensors,
                                       std::vector<zmq::message_t> parts, Time now) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return Verdict::old;
  ClientEntry& owner = found->second;
  owner.heard = now;
  if (number < owner.oldest || owner.received.contains(number)) return Verdict::old;
  if (const auto frame = owner.frames.find(number); frame != owner.frames.end())
    return frame->second.state == State::answered ? Verdict::answered : Verdict::repeated;
  const std::size_t n_bytes = bytes_in(parts);
  // A single frame is taken however large it is: nothing else would let it in.
  if (frames_ >= limits_.frames || owner.frames.size() >= limits_.per_client ||
      (frames_ > 0 && bytes_ + n_bytes > limits_.bytes))
    return Verdict::busy;
  Entry& entry = owner.frames[number];
  entry.ticket = next_ticket_++;
  entry.submitted = now;
  entry.tensors = std::move(tensors);
  entry.parts = std::move(parts);
  entry.bytes = n_bytes;
  waiting_.emplace(entry.ticket, Key{client, number});
  ++frames_;
  bytes_ += n_bytes;
  return Verdict::taken;
}

FrameQueue::Answer FrameQueue::answer_for(const Key& key, ClientEntry& client, Entry& entry) {
  return {.client = key.first,
          .peer = client.peer,
          .result = entry.result,
          .parts = copies_of(entry.parts),
          .submitted = entry.submitted};
}

std::optional<FrameQueue::Answer> FrameQueue::answer_again(const std::string& client, std::uint64_t number) {
  Entry* entry = entry_of({client, number});
  if (entry == nullptr || entry->state != State::answered) return std::nullopt;
  return answer_for({client, number}, clients_.at(client), *entry);
}

FrameQueue::Known FrameQueue::known(const std::string& client) const {
  Known known;
  const auto found = clients_.find(client);
  if (found == clients_.end()) return known;
  for (const auto& [number, entry] : found->second.frames)
    (entry.state == State::answered ? known.answered : known.unanswered).push_back(number);
  return known;
}

// A client that sends much at once keeps others waiting for one frame, not for all of its.
FrameQueue::Waiting::const_iterator FrameQueue::first_in_turn() const {
  const auto replayed = std::ranges::find_if(
      waiting_, [&](const auto& waiting) { return std::as_const(*this).entry_of(waiting.second).attempts > 0; });
  if (replayed != waiting_.end()) return replayed;
  // Clients behind the last one come first, in the order of their names.
  const auto turn_of = [&](const Key& key) {
    return std::pair(key.first <= last_client_, std::string_view(key.first));
  };
  auto best = waiting_.begin();
  for (auto it = waiting_.begin(); it != waiting_.end(); ++it)
    if (turn_of(it->second) < turn_of(best->second)) best = it;
  return best;
}

std::optional<FrameQueue::Ticket> FrameQueue::next(Time now) {
  if (waiting_.empty()) return std::nullopt;
  const auto chosen = first_in_turn();
  const auto [ticket, key] = *chosen;
  Entry& entry = *entry_of(key);
  // A frame with which jobs died runs alone, so that no other is blamed for it.
  const bool suspect_runs = std::any_of(running_.begin(), running_.end(),
                                        [&](const auto& other) { return entry_of(other.second.key)->attempts > 1; });
  if (!running_.empty() && (entry.attempts > 1 || suspect_runs)) return std::nullopt;
  entry.state = State::runs;
  running_.emplace(ticket, Running{key, now});
  waiting_.erase(chosen);
  last_client_ = key.first;
  return Ticket{ticket, entry.tensors, copies_of(entry.parts)};
}

std::optional<FrameQueue::Answer> FrameQueue::finish(std::uint64_t ticket, wire::Result result,
                                                     std::vector<zmq::message_t> parts, Time) {
  const auto found = running_.find(ticket);
  if (found == running_.end()) return std::nullopt;
  const Key key = found->second.key;
  running_.erase(found);
  Entry& entry = *entry_of(key);
  result.set_number(key.second);
  entry.state = State::answered;
  entry.result = std::move(result);
  bytes_ -= entry.bytes;
  entry.bytes = bytes_in(parts);
  bytes_ += entry.bytes;
  entry.parts = std::move(parts);
  entry.tensors.Clear();
  return answer_for(key, clients_.at(key.first), entry);
}

std::vector<FrameQueue::Answer> FrameQueue::replay(Time now) {
  std::vector<Answer> given_up;
  const std::map<std::uint64_t, Running> were_running = running_;
  for (const auto& [ticket, running] : were_running) {
    Entry& entry = *entry_of(running.key);
    if (++entry.attempts >= limits_.attempts) {
      wire::Result result;
      result.set_error("the job ended " + std::to_string(entry.attempts) + " times while this frame ran");
      if (std::optional<Answer> answer = finish(ticket, std::move(result), {}, now))
        given_up.push_back(std::move(*answer));
      continue;
    }
    // Its ticket is lower than those of frames that came later: it goes first.
    running_.erase(ticket);
    entry.state = State::waits;
    waiting_.emplace(ticket, running.key);
    ++replayed_;
  }
  return given_up;
}

void FrameQueue::leave(const std::string& client) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return;
  while (!found->second.frames.empty()) erase(found->second, found->second.frames.begin());
  clients_.erase(found);
}

std::size_t FrameQueue::forget_silent(Time now) {
  std::vector<std::string> silent;
  for (const auto& [name, client] : clients_)
    if (now - client.heard > limits_.silence) silent.push_back(name);
  for (const std::string& name : silent) leave(name);
  return silent.size();
}

std::optional<FrameQueue::Time> FrameQueue::running_since() const {
  std::optional<Time> since;
  for (const auto& [ticket, running] : running_)
    if (!since || running.since < *since) since = running.since;
  return since;
}

}  // namespace strake::cluster
