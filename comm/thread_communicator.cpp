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

// A message that its sender has published and its receiver has not copied yet.
struct Parcel {
  View view;
  std::shared_ptr<int> copied;  // counts up when the receiver has copied it; guarded by the hub's mutex
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

  void put_parcel(int src, int dst, int tag, Parcel parcel) {
    const std::scoped_lock lock(mutex_);
    parcels_[{src, dst, tag}].push_back(std::move(parcel));
    changed_.notify_all();
  }

  // Copies the oldest parcel into `dst_view`, if there is one.
  bool try_take_parcel(int src, int dst, int tag, const View& dst_view) {
    std::unique_lock lock(mutex_);
    auto& queue = parcels_[{src, dst, tag}];
    if (queue.empty()) return false;
    const Parcel parcel = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    ensure(parcel.view.box == dst_view.box, "both ends of a message name the same box");
    copy_box(parcel.view, dst_view, dst_view.box);
    lock.lock();
    ++*parcel.copied;
    changed_.notify_all();
    return true;
  }

  void wait_parcel(int src, int dst, int tag, Timeout timeout) {
    std::unique_lock lock(mutex_);
    auto& queue = parcels_[{src, dst, tag}];
    wait(lock, timeout, src, [&] { return !queue.empty(); });
  }

  void wait_copied(const int& copied, int wanted, int peer, Timeout timeout) {
    std::unique_lock lock(mutex_);
    wait(lock, timeout, peer, [&] { return copied >= wanted; });
  }

  void abort() {
    const std::scoped_lock lock(mutex_);
    aborted_ = true;
    changed_.notify_all();
  }

 private:
  template <class Holds>
  void wait(std::unique_lock<std::mutex>& lock, Timeout timeout, int peer, Holds holds) {
    const bool in_time = changed_.wait_until(lock, Clock::now() + timeout, [&] { return aborted_ || holds(); });
    if (aborted_) throw PeerLost("another rank of this process failed");
    if (!in_time) throw PeerLost("rank " + std::to_string(peer) + " is silent");
  }

  int size_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool aborted_ = false;                                              // guarded by mutex_
  std::map<std::pair<int, int>, std::deque<Bytes>> bytes_;            // guarded by mutex_
  std::map<std::tuple<int, int, int>, std::deque<Parcel>> parcels_;   // guarded by mutex_
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
        receives_(without_empty(std::move(receives))),
        copied_(std::make_shared<int>(0)) {}

  void start() override {
    received_ = 0;
    for (const Message& message : sends_) hub_->put_parcel(rank_, message.peer, tag_, {message.view, copied_});
    published_ += static_cast<int>(sends_.size());
  }

  bool poke() override {
    while (received_ < receives_.size()) {
      const Message& next = receives_[received_];
      if (!hub_->try_take_parcel(next.peer, rank_, tag_, next.view)) return false;
      ++received_;
    }
    return true;
  }

  void finish_receives(std::chrono::nanoseconds timeout) override {
    while (!poke()) hub_->wait_parcel(receives_[received_].peer, rank_, tag_, timeout);
  }

  void finish_sends(std::chrono::nanoseconds timeout) override {
    if (!sends_.empty()) hub_->wait_copied(*copied_, published_, sends_.front().peer, timeout);
  }

  [[nodiscard]] std::size_t sent_bytes() const override { return bytes_of(sends_); }
  [[nodiscard]] std::size_t received_bytes() const override { return bytes_of(receives_); }

 private:
  std::shared_ptr<Hub> hub_;
  int rank_;
  int tag_;
  std::vector<Message> sends_;
  std::vector<Message> receives_;
  std::size_t received_ = 0;
  int published_ = 0;
  std::shared_ptr<int> copied_;
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
