// SPDX-License-Identifier: Apache-2.0
#include "comm/thread_communicator.hpp"

#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <tuple>

#include "core/errors.hpp"

namespace strake::comm {

namespace {

using Clock = std::chrono::steady_clock;

// One end of a message that waits for the other end.
struct Half {
  View view;
  std::shared_ptr<int> done;  // counts up when the message has been copied; guarded by the hub's mutex
};

// Messages between two ranks under one tag, in order.
struct Channel {
  std::deque<Half> sends;
  std::deque<Half> receives;
};

// What all ends share. One mutex is enough: it is for tests and for a single rank.
class Hub {
 public:
  explicit Hub(int n) : size_(n) {}

  [[nodiscard]] int size() const { return size_; }

  void put_bytes(int src, int dst, Bytes bytes) {
    const std::scoped_lock lock(mutex_);
    bytes_[{src, dst}].push_back(std::move(bytes));
    changed_.notify_all();
  }

  Bytes take_bytes(int src, int dst, Timeout timeout) {
    std::unique_lock lock(mutex_);
    auto& queue = bytes_[{src, dst}];
    wait(lock, timeout, src, [&] { return !queue.empty(); });
    Bytes bytes = std::move(queue.front());
    queue.pop_front();
    return bytes;
  }

  // Whoever comes second copies, so that messages progress while either rank computes or waits for something else.
  void post_send(int src, int dst, int tag, Half half) { post({src, dst, tag}, &Channel::sends, std::move(half)); }
  void post_receive(int src, int dst, int tag, Half half) {
    post({src, dst, tag}, &Channel::receives, std::move(half));
  }

  [[nodiscard]] bool reached(const int& done, int wanted) {
    const std::scoped_lock lock(mutex_);
    return done >= wanted;
  }

  void wait_until_reached(const int& done, int wanted, int peer, Timeout timeout) {
    std::unique_lock lock(mutex_);
    wait(lock, timeout, peer, [&] { return done >= wanted; });
  }

  void abort() {
    const std::scoped_lock lock(mutex_);
    aborted_ = true;
    changed_.notify_all();
  }

 private:
  using Key = std::tuple<int, int, int>;  // source, destination, tag

  void post(const Key& key, std::deque<Half> Channel::*side, Half half) {
    std::unique_lock lock(mutex_);
    Channel& channel = channels_[key];
    (channel.*side).push_back(std::move(half));
    if (channel.sends.empty() || channel.receives.empty()) return;
    const Half send = std::move(channel.sends.front());
    const Half receive = std::move(channel.receives.front());
    channel.sends.pop_front();
    channel.receives.pop_front();
    lock.unlock();
    ensure(send.view.box == receive.view.box, "both ends of a message name the same box");
    copy_box(send.view, receive.view, receive.view.box);
    lock.lock();
    ++*send.done;
    ++*receive.done;
    changed_.notify_all();
  }

  template <class Holds>
  void wait(std::unique_lock<std::mutex>& lock, Timeout timeout, int peer, Holds holds) {
    const bool in_time = changed_.wait_until(lock, Clock::now() + timeout, [&] { return aborted_ || holds(); });
    if (aborted_) throw PeerLost("another rank of this process failed");
    if (!in_time) throw PeerLost("rank " + std::to_string(peer) + " is silent");
  }

  int size_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool aborted_ = false;                                    // guarded by mutex_
  std::map<std::pair<int, int>, std::deque<Bytes>> bytes_;  // guarded by mutex_
  std::map<Key, Channel> channels_;                         // guarded by mutex_
};

std::vector<Message> without_empty(std::vector<Message> messages) {
  std::erase_if(messages, [](const Message& message) { return message.view.box.empty(); });
  return messages;
}

std::size_t bytes_of(const std::vector<Message>& messages) {
  std::size_t n_bytes = 0;
  for (const Message& message : messages) n_bytes += dense_bytes(message.view.box, message.view.type);
  return n_bytes;
}

class ThreadRedistribution final : public Redistribution {
 public:
  ThreadRedistribution(std::shared_ptr<Hub> hub, int rank, int tag, std::vector<Message> sends,
                       std::vector<Message> receives)
      : hub_(std::move(hub)),
        rank_(rank),
        tag_(tag),
        sends_(without_empty(std::move(sends))),
        receives_(without_empty(std::move(receives))) {}

  void start() override {
    started_ += 1;
    for (const Message& message : receives_) hub_->post_receive(message.peer, rank_, tag_, {message.view, received_});
    for (const Message& message : sends_) hub_->post_send(rank_, message.peer, tag_, {message.view, sent_});
  }

  bool poke() override { return hub_->reached(*received_, wanted(receives_)); }

  void finish_receives(std::chrono::nanoseconds timeout) override {
    if (!receives_.empty()) hub_->wait_until_reached(*received_, wanted(receives_), receives_.front().peer, timeout);
  }

  void finish_sends(std::chrono::nanoseconds timeout) override {
    if (!sends_.empty()) hub_->wait_until_reached(*sent_, wanted(sends_), sends_.front().peer, timeout);
  }

  [[nodiscard]] std::size_t sent_bytes() const override { return bytes_of(sends_); }
  [[nodiscard]] std::size_t received_bytes() const override { return bytes_of(receives_); }

 private:
  [[nodiscard]] int wanted(const std::vector<Message>& messages) const {
    return started_ * static_cast<int>(messages.size());
  }

  std::shared_ptr<Hub> hub_;
  int rank_;
  int tag_;
  std::vector<Message> sends_;
  std::vector<Message> receives_;
  int started_ = 0;
  std::shared_ptr<int> sent_ = std::make_shared<int>(0);      // guarded by the hub's mutex
  std::shared_ptr<int> received_ = std::make_shared<int>(0);  // guarded by the hub's mutex
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<Hub> hub, int rank) : hub_(std::move(hub)), rank_(rank) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return hub_->size(); }
  [[nodiscard]] std::string host() const override {
    char name[256] = {};
    return gethostname(name, sizeof(name) - 1) == 0 ? name : "localhost";
  }
  void send(std::span<const std::byte> bytes, int dst, Timeout) override {
    hub_->put_bytes(rank_, dst, Bytes(bytes.begin(), bytes.end()));
  }
  Bytes receive(int src, Timeout timeout) override { return hub_->take_bytes(src, rank_, timeout); }
  std::unique_ptr<Redistribution> redistribution(int tag, std::vector<Message> sends,
                                                 std::vector<Message> receives) override {
    return std::make_unique<ThreadRedistribution>(hub_, rank_, tag, std::move(sends), std::move(receives));
  }
  void abort(int) override { hub_->abort(); }

 private:
  std::shared_ptr<Hub> hub_;
  int rank_;
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> make_thread_communicators(int n) {
  const auto hub = std::make_shared<Hub>(n);
  std::vector<std::unique_ptr<Communicator>> ends;
  for (int rank = 0; rank < n; ++rank) ends.push_back(std::make_unique<ThreadCommunicator>(hub, rank));
  return ends;
}

}  // namespace strake::comm
