// SPDX-License-Identifier: Apache-2.0
#include "cluster/rank_link.hpp"

#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

#include "cluster/socket.hpp"
#include "core/log.hpp"

namespace strake::cluster {

RankLink::RankLink(const std::string& address, std::uint64_t job, int rank) : job_(job), rank_(rank) {
  thread_ = std::jthread([this, address](const std::stop_token& stop) {
    try {
      work(stop, address);
    } catch (const std::exception& error) {
      log(LogLevel::error, std::string("the line to the supervisor broke: ") + error.what());
      const std::scoped_lock lock(mutex_);
      ends_ = true;
      arrived_.notify_all();
    }
  });
}

RankLink::~RankLink() {
  thread_.request_stop();
  wake_up_.ring();
  thread_.join();
}

void RankLink::hand_over(Message message) {
  {
    const std::scoped_lock lock(mutex_);
    outbox_.push_back(std::move(message));
  }
  wake_up_.ring();
}

void RankLink::ready(wire::JobReady about) {
  about.set_job(job_);
  hand_over(message_with([&](wire::Envelope& body) { *body.mutable_job_ready() = std::move(about); }));
}

void RankLink::refuse(const std::string& reason) {
  hand_over(message_with([&](wire::Envelope& body) {
    body.mutable_job_refused()->set_job(job_);
    body.mutable_job_refused()->set_reason(reason);
  }));
}

void RankLink::out_of_memory() {
  hand_over(message_with([&](wire::Envelope& body) {
    *body.mutable_rank_hello() = hello();
    body.mutable_rank_hello()->set_out_of_memory(true);
  }));
}

wire::RankHello RankLink::hello() const {
  wire::RankHello hello;
  hello.set_job(job_);
  hello.set_rank(static_cast<std::uint32_t>(rank_));
  hello.set_pid(static_cast<std::uint32_t>(getpid()));
  return hello;
}

std::optional<RankLink::Frame> RankLink::next() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [&] { return ends_ || !inbox_.empty(); });
  lock.unlock();
  return next_if_there();
}

std::optional<RankLink::Frame> RankLink::next_if_there() {
  const std::scoped_lock lock(mutex_);
  if (inbox_.empty()) return std::nullopt;
  Frame frame = std::move(inbox_.front());
  inbox_.pop_front();
  return frame;
}

void RankLink::done(std::uint64_t ticket, const TensorMap& outputs, std::uint64_t compute_us,
                    const std::string& error) {
  Message message;
  message.body.set_version(wire_version);
  wire::WorkDone& done = *message.body.mutable_work_done();
  done.set_job(job_);
  done.set_ticket(ticket);
  done.set_error(error);
  done.set_compute_us(compute_us);
  put_tensors(outputs, *done.mutable_tensors(), message.parts);
  hand_over(std::move(message));
}

void RankLink::look(wire::JobLook look) {
  look.set_job(job_);
  hand_over(message_with([&](wire::Envelope& body) { *body.mutable_job_look() = std::move(look); }));
}

void RankLink::work(const std::stop_token& stop, const std::string& address) {
  using Clock = std::chrono::steady_clock;
  zmq::context_t context(1);
  Socket socket(context, Peers::one);
  socket.connect(address);
  Clock::time_point next_beat{};
  Clock::time_point give_up = Clock::time_point::max();
  while (true) {
    std::vector<zmq::pollitem_t> items{socket.poll_item(), wake_up_.poll_item()};
    wait_for(items, std::chrono::milliseconds(50));
    wake_up_.forget();
    const Clock::time_point now = Clock::now();
    if (now >= next_beat) {
      next_beat = now + beat_interval;
      (void)socket.send(message_with([&](wire::Envelope& body) { *body.mutable_rank_hello() = hello(); }));
    }
    while (std::optional<Message> message = socket.receive()) {
      const std::scoped_lock lock(mutex_);
      if (message->body.has_stop_job()) ends_ = true;
      if (message->body.has_work())
        inbox_.push_back({message->body.work().ticket(), take_tensors(message->body.work().tensors(), message->parts)});
      arrived_.notify_all();
    }
    bool empty = true;
    {
      std::unique_lock lock(mutex_);
      while (!outbox_.empty()) {
        Message message = std::move(outbox_.front());
        outbox_.pop_front();
        lock.unlock();
        (void)socket.send(std::move(message));
        lock.lock();
      }
      empty = outbox_.empty();
    }
    if (!stop.stop_requested()) continue;
    if (give_up == Clock::time_point::max()) give_up = now + std::chrono::seconds(1);
    if (empty || now >= give_up) break;
  }
  // Closing a socket drops what it still holds; a moment lets it go.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

}  // namespace strake::cluster
