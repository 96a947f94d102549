// SPDX-License-Identifier: Apache-2.0
#include "comm/thread_communicator.hpp"

#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>

#include "comm/rounded_box.hpp"
#include "comm/silence.hpp"
#include "core/errors.hpp"

namespace strake::comm {

namespace {

using Clock = std::chrono::steady_clock;

// How far the messages are that a redistribution sends, or those that it receives. Guarded by the hub's mutex.
struct Progress {
  std::vector<int> copied;  // [message] how often
  int copying = 0;          // messages whose memory some thread works on now
};

// One end of a message that waits for the other end.
struct Half {
  View view;
  TransferType type = TransferType::f32;
  std::shared_ptr<Progress> progress;
  std::size_t place = 0;  // in the list of messages
};

// Messages between two ranks under one tag, in order.
struct Channel {
  std::deque<Half> sends;
  std::deque<Half> receives;
};

// What all ends share. One mutex is enough: it is for tests and for a single rank.
class Hub {
 public:
  explicit Hub(std::vector<int> hosts) : hosts_(std::move(hosts)) {}

  [[nodiscard]] int size() const { return static_cast<int>(hosts_.size()); }
  [[nodiscard]] int host(int rank) const { return hosts_[static_cast<std::size_t>(rank)]; }

  void put_bytes(int src, int dst, Bytes bytes) {
    const std::scoped_lock lock(mutex_);
    bytes_[{src, dst}].push_back(std::move(bytes));
    changed_.notify_all();
  }

  Bytes take_bytes(int src, int dst, Timeout timeout) {
    std::unique_lock lock(mutex_);
    auto& queue = bytes_[{src, dst}];
    if (!wait(lock, timeout, [&] { return !queue.empty(); })) throw silence("receiving", {src}, timeout);
    Bytes bytes = std::move(queue.front());
    queue.pop_front();
    return bytes;
  }

  // Whoever comes second copies, so that messages progress while either rank computes or waits for something else.
  void post_send(int src, int dst, int tag, Half half) { post({src, dst, tag}, &Channel::sends, std::move(half)); }
  void post_receive(int src, int dst, int tag, Half half) {
    post({src, dst, tag}, &Channel::receives, std::move(half));
  }

  // The messages that have been copied fewer than `times` times.
  std::vector<std::size_t> open(const Progress& progress, int times) {
    const std::scoped_lock lock(mutex_);
    return open_unlocked(progress, times);
  }

  // Waits as long as there are such; what is left at the end of the time.
  std::vector<std::size_t> wait_until_copied(const Progress& progress, int times, Timeout timeout) {
    std::unique_lock lock(mutex_);
    (void)wait(lock, timeout, [&] { return open_unlocked(progress, times).empty(); });
    return open_unlocked(progress, times);
  }

  // Takes back what nobody has answered, and waits until no thread works on the memory of the rest.
  void withdraw(const std::shared_ptr<Progress>& progress) {
    std::unique_lock lock(mutex_);
    const auto ours = [&](const Half& half) { return half.progress == progress; };
    for (auto& [key, channel] : channels_) {
      std::erase_if(channel.sends, ours);
      std::erase_if(channel.receives, ours);
    }
    changed_.wait(lock, [&] { return progress->copying == 0; });
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
    ensure(send.view.box == receive.view.box && send.view.type == receive.view.type && send.type == receive.type,
           "both ends of a message name the same box and type");
    for (const Half* end : {&send, &receive}) ++end->progress->copying;
    lock.unlock();
    transmit(send.view, receive.view, send.type);
    lock.lock();
    for (const Half* end : {&send, &receive}) {
      --end->progress->copying;
      ++end->progress->copied[end->place];
    }
    changed_.notify_all();
  }

  static void transmit(const View& src, const View& dst, TransferType type) {
    if (type == TransferType::f32) {
      copy_box(src, dst, dst.box);
      return;
    }
    Bytes wire(travelling_bytes(src.box, type));
    encode(src, type, wire.data());
    decode(wire.data(), type, dst);
  }

  static std::vector<std::size_t> open_unlocked(const Progress& progress, int times) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < progress.copied.size(); ++i)
      if (progress.copied[i] < times) places.push_back(i);
    return places;
  }

  // False when the time is over.
  template <class Holds>
  [[nodiscard]] bool wait(std::unique_lock<std::mutex>& lock, Timeout timeout, Holds holds) {
    const bool in_time = changed_.wait_until(lock, Clock::now() + timeout, [&] { return aborted_ || holds(); });
    if (aborted_) throw PeerLost("another rank of this process failed");
    return in_time;
  }

  std::vector<int> hosts_;  // [rank]
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
  for (const Message& message : messages) n_bytes += message.n_bytes();
  return n_bytes;
}

class ThreadRedistribution final : public Redistribution {
 public:
  ThreadRedistribution(std::shared_ptr<Hub> hub, int rank, int tag, std::vector<Message> sends,
                       std::vector<Message> receives)
      : hub_(std::move(hub)), rank_(rank), tag_(tag), sends_(std::move(sends)), receives_(std::move(receives)) {}

  ~ThreadRedistribution() override {
    hub_->withdraw(sends_.progress);
    hub_->withdraw(receives_.progress);
  }

  void start() override {
    started_ += 1;
    for (std::size_t i = 0; i < receives_.messages.size(); ++i)
      hub_->post_receive(receives_.messages[i].peer, rank_, tag_, receives_.half(i));
    for (std::size_t i = 0; i < sends_.messages.size(); ++i)
      hub_->post_send(rank_, sends_.messages[i].peer, tag_, sends_.half(i));
  }

  bool poke() override { return hub_->open(*receives_.progress, started_).empty(); }
  void finish_receives(std::chrono::nanoseconds timeout) override { finish(receives_, "receiving", timeout); }
  void finish_sends(std::chrono::nanoseconds timeout) override { finish(sends_, "sending", timeout); }

  [[nodiscard]] std::size_t sent_bytes() const override { return bytes_of(sends_.messages); }
  [[nodiscard]] std::size_t received_bytes() const override { return bytes_of(receives_.messages); }

 private:
  // Messages of one direction.
  struct Side {
    explicit Side(std::vector<Message> all) : messages(without_empty(std::move(all))) {
      progress->copied.resize(messages.size());
    }
    [[nodiscard]] Half half(std::size_t i) const { return {messages[i].view, messages[i].type, progress, i}; }

    std::vector<Message> messages;
    std::shared_ptr<Progress> progress = std::make_shared<Progress>();
  };

  void finish(const Side& side, const char* what, std::chrono::nanoseconds timeout) {
    std::set<int> silent;
    for (const std::size_t i : hub_->wait_until_copied(*side.progress, started_, timeout))
      silent.insert(side.messages[i].peer);
    if (!silent.empty()) throw silence(what, silent, timeout);
  }

  std::shared_ptr<Hub> hub_;
  int rank_;
  int tag_;
  Side sends_;
  Side receives_;
  int started_ = 0;
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<Hub> hub, int rank) : hub_(std::move(hub)), rank_(rank) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return hub_->size(); }
  [[nodiscard]] std::string host() const override {
    char name[256] = {};
    const std::string machine = gethostname(name, sizeof(name) - 1) == 0 ? name : "localhost";
    return hub_->host(rank_) == 0 ? machine : machine + "#" + std::to_string(hub_->host(rank_));
  }
  [[nodiscard]] bool shares_host(int peer) const override { return hub_->host(peer) == hub_->host(rank_); }
  void send(std::span<const std::byte> bytes, int dst, Timeout) override {
    hub_->put_bytes(rank_, dst, Bytes(bytes.begin(), bytes.end()));
  }
  Bytes receive(int src, Timeout timeout) override { return hub_->take_bytes(src, rank_, timeout); }
  std::unique_ptr<Redistribution> redistribution(int tag, std::vector<Message> sends,
                                                 std::vector<Message> receives) override {
    return std::make_unique<ThreadRedistribution>(hub_, rank_, tag, std::move(sends), std::move(receives));
  }
  int leave(int exit_code) override {
    if (exit_code != 0) hub_->abort();
    return exit_code;
  }
  void look_for_leavers() override {}
  void abort(int) override { hub_->abort(); }

 private:
  std::shared_ptr<Hub> hub_;
  int rank_;
};

}  // namespace

std::vector<std::unique_ptr<Communicator>> make_thread_communicators(int n, const std::vector<int>& hosts) {
  ensure(hosts.empty() || hosts.size() == static_cast<std::size_t>(n), "every rank has a host, or none");
  const auto hub = std::make_shared<Hub>(hosts.empty() ? std::vector<int>(static_cast<std::size_t>(n)) : hosts);
  std::vector<std::unique_ptr<Communicator>> ends;
  for (int rank = 0; rank < n; ++rank) ends.push_back(std::make_unique<ThreadCommunicator>(hub, rank));
  return ends;
}

}  // namespace strake::comm
