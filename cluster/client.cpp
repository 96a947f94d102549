// SPDX-License-Identifier: Apache-2.0
#include "cluster/client.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>

#include "cluster/socket.hpp"
#include "core/errors.hpp"

namespace strake::cluster {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds hello_interval{300};
constexpr milliseconds busy_pause{20};
constexpr milliseconds silence{3000};  // then the connection is made anew

std::string random_name() {
  std::random_device random;
  std::string name;
  while (name.size() < 16) name.push_back(static_cast<char>(random()));
  return name;
}

std::vector<PortInfo> ports_of(const google::protobuf::RepeatedPtrField<wire::Port>& list) {
  std::vector<PortInfo> ports;
  for (const wire::Port& port : list)
    ports.push_back({port.name(), static_cast<ElementType>(std::min(port.type(), 12U)),
                     Shape(port.shape().begin(), port.shape().end())});
  return ports;
}

void expect_fits(const TensorMap& inputs) {
  if (inputs.size() > static_cast<std::size_t>(most_tensors))
    throw InvalidInput("a frame has " + std::to_string(inputs.size()) + " tensors, at most " +
                       std::to_string(most_tensors) + " travel");
  for (const auto& [name, tensor] : inputs)
    if (tensor.data.size_bytes() > most_tensor_bytes || name.size() > most_name_bytes ||
        tensor.shape.size() > static_cast<std::size_t>(most_axes))
      throw InvalidInput("tensor '" + name.substr(0, 80) + "' of " + std::to_string(tensor.data.size_bytes()) +
                         " bytes and " + std::to_string(tensor.shape.size()) + " axes is too large to travel");
}

}  // namespace

Client::Client(ClientOptions options) : options_(std::move(options)), name_(random_name()) {
  if (!options_.identity && !is_loopback(options_.address))
    throw InvalidInput("'" + options_.address.text() + "' is not this host: a key is needed");
  thread_ = std::jthread([this](const std::stop_token& stop) {
    try {
      work(stop);
    } catch (const std::exception& error) {
      const std::scoped_lock lock(mutex_);
      refused_ = error.what();
      changed_.notify_all();
    }
  });
}

Client::~Client() {
  thread_.request_stop();
  wake_up_.ring();
  thread_.join();
}

void Client::check_refused() const {
  if (!refused_.empty()) throw InvalidInput("the cluster at " + options_.address.text() + " refuses: " + refused_);
}

ModelInfo Client::model(milliseconds longest) {
  std::unique_lock lock(mutex_);
  const bool came = changed_.wait_for(lock, longest, [&] { return ready_ || !refused_.empty(); });
  check_refused();
  if (came) return *model_;
  if (!heard_) throw PeerLost(nobody_answers(options_.address, options_.identity.has_value()));
  throw PeerLost("the cluster at " + options_.address.text() + " has no job that takes frames");
}

std::uint64_t Client::submit(const TensorMap& inputs) { return submit(inputs, Time::max()).value(); }

std::optional<std::uint64_t> Client::submit(const TensorMap& inputs, Time until) {
  expect_fits(inputs);
  std::unique_lock lock(mutex_);
  const auto has_place = [&] { return pending_.size() < window_ || !refused_.empty(); };
  // The end of time is no deadline that a clock can wait for.
  if (until == Time::max())
    changed_.wait(lock, has_place);
  else if (!changed_.wait_until(lock, until, has_place))
    return std::nullopt;
  check_refused();
  const std::uint64_t number = next_number_++;
  const Time now = std::chrono::steady_clock::now();
  pending_.emplace(number, Pending{.inputs = inputs, .submitted = now, .not_before = now});
  lock.unlock();
  wake_up_.ring();
  return number;
}

bool Client::forget(std::uint64_t number) {
  const std::scoped_lock lock(mutex_);
  if (pending_.erase(number) == 0) return false;
  // As if its result had come, so that the cluster forgets it as well.
  received_.insert(number);
  received_.erase(received_.begin(), received_.lower_bound(oldest()));
  changed_.notify_all();
  return true;
}

std::optional<ClientResult> Client::next(milliseconds longest) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, longest, [&] { return !results_.empty() || !refused_.empty(); });
  if (results_.empty()) {
    check_refused();
    return std::nullopt;
  }
  ClientResult result = std::move(results_.front());
  results_.pop_front();
  return result;
}

bool Client::is_full() const {
  const std::scoped_lock lock(mutex_);
  return pending_.size() >= window_;
}

std::size_t Client::outstanding() const {
  const std::scoped_lock lock(mutex_);
  return pending_.size() + results_.size();
}

std::uint64_t Client::oldest() const { return pending_.empty() ? next_number_ : pending_.begin()->first; }

// What is due: never sent, sent away as busy, or lost on the way.
std::vector<Message> Client::to_send(Time now) {
  std::vector<Message> due;
  const std::scoped_lock lock(mutex_);
  // Without a supervisor frames would pile up in the socket.
  if (!heard_) return due;
  for (auto& [number, pending] : pending_) {
    if (pending.sent || now < pending.not_before) continue;
    pending.sent = true;
    pending.asked = asked_;
    Message& message = due.emplace_back();
    message.body.set_version(wire_version);
    wire::Submit& submit = *message.body.mutable_submit();
    submit.set_client(name_);
    submit.set_number(number);
    submit.set_oldest(oldest());
    submit.mutable_received()->Add(received_.begin(), received_.end());
    put_tensors(pending.inputs, *submit.mutable_tensors(), message.parts);
  }
  return due;
}

void Client::on_welcome(const wire::Welcome& welcome) {
  const std::scoped_lock lock(mutex_);
  heard_ = true;
  ready_ = welcome.ready();
  window_ = std::max<std::size_t>(1, welcome.window());
  if (ready_)
    model_ = ModelInfo{.name = welcome.model(),
                       .hash = welcome.model_hash(),
                       .inputs = ports_of(welcome.inputs()),
                       .outputs = ports_of(welcome.outputs()),
                       .epoch = welcome.epoch()};
  for (auto& [number, pending] : pending_) {
    // Sent after this question was asked: on its way.
    if (!pending.sent || pending.asked >= welcome.asked()) continue;
    const auto has = [number = number](const auto& list) {
      return std::find(list.begin(), list.end(), number) != list.end();
    };
    // Unknown: it, or its connection, was lost. Answered, and the answer should be here: that was lost.
    if (!has(welcome.unanswered())) pending.sent = false;
  }
  changed_.notify_all();
}

void Client::on_result(Message message) {
  wire::Result& result = *message.body.mutable_result();
  const std::scoped_lock lock(mutex_);
  const auto found = pending_.find(result.number());
  // Its answer came before.
  if (found == pending_.end()) return;
  ClientResult given{.number = result.number(),
                     .outputs = take_tensors(result.tensors(), message.parts),
                     .error = result.error(),
                     .compute = std::chrono::microseconds(result.compute_us()),
                     .latency = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                                      found->second.submitted),
                     .epoch = result.epoch()};
  pending_.erase(found);
  received_.insert(given.number);
  received_.erase(received_.begin(), received_.lower_bound(oldest()));
  results_.push_back(std::move(given));
  changed_.notify_all();
}

void Client::on_message(Message message) {
  if (message.body.has_welcome()) {
    on_welcome(message.body.welcome());
  } else if (message.body.has_result()) {
    on_result(std::move(message));
  } else if (message.body.has_busy()) {
    const std::scoped_lock lock(mutex_);
    const auto found = pending_.find(message.body.busy().number());
    if (found == pending_.end()) return;
    found->second.sent = false;
    found->second.not_before = std::chrono::steady_clock::now() + busy_pause;
  } else if (message.body.has_refused()) {
    const std::scoped_lock lock(mutex_);
    refused_ = message.body.refused().reason();
    changed_.notify_all();
  }
}

void Client::work(const std::stop_token& stop) {
  zmq::context_t context(1);
  std::optional<Socket> socket;
  Time next_hello{};
  Time answered{};
  while (!stop.stop_requested()) {
    Time now = std::chrono::steady_clock::now();
    if (!socket || now - answered > silence) {
      socket.reset();
      socket.emplace(context, Peers::one);
      if (options_.identity) socket->use_keys(*options_.identity);
      socket->connect(options_.address.text());
      answered = now;
      next_hello = now;
    }
    if (now >= next_hello) {
      next_hello = now + hello_interval;
      ++asked_;
      (void)socket->send(message_with([&](wire::Envelope& body) {
        const std::scoped_lock lock(mutex_);
        wire::Hello& hello = *body.mutable_hello();
        hello.set_client(name_);
        hello.set_oldest(oldest());
        hello.set_asked(asked_);
        hello.mutable_received()->Add(received_.begin(), received_.end());
      }));
    }
    for (Message& message : to_send(now)) (void)socket->send(std::move(message));
    std::vector<zmq::pollitem_t> items{socket->poll_item(), wake_up_.poll_item()};
    wait_for(items, milliseconds(20));
    wake_up_.forget();
    while (std::optional<Message> message = socket->receive()) {
      answered = std::chrono::steady_clock::now();
      on_message(std::move(*message));
    }
    if (socket->key_was_refused()) {
      const std::scoped_lock lock(mutex_);
      refused_ = "it does not know this key";
      changed_.notify_all();
    }
  }
  if (!socket) return;
  (void)socket->send(message_with([&](wire::Envelope& body) { body.mutable_goodbye()->set_client(name_); }));
  // Closing the socket drops what it still holds; a moment lets it go.
  std::this_thread::sleep_for(milliseconds(20));
}

}  // namespace strake::cluster
