// SPDX-License-Identifier: Apache-2.0
#include "strake/client.hpp"

#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "api/deadline.hpp"
#include "api/tensors.hpp"
#include "cluster/client.hpp"
#include "core/errors.hpp"

namespace strake {

namespace {

using Clock = std::chrono::steady_clock;

cluster::ClientOptions options_of(const std::string& address, const std::string& key_file) {
  cluster::ClientOptions options{.address = cluster::address_of(address), .identity = std::nullopt};
  if (!key_file.empty()) options.identity = cluster::read_identity(key_file);
  return options;
}

HostTensor copied(const std::string& name, const TensorView& view) {
  const HostTensor seen = api::borrowed(name, view);
  HostTensor copy = HostTensor::allocate(seen.type, seen.shape);
  if (copy.data.size_bytes() > 0) std::memcpy(copy.data.data(), seen.data.data(), copy.data.size_bytes());
  return copy;
}

std::vector<PortInfo> infos_of(const std::vector<cluster::PortInfo>& ports) {
  std::vector<PortInfo> infos;
  for (const cluster::PortInfo& port : ports)
    infos.push_back({port.name, static_cast<DataType>(port.type), port.shape});
  return infos;
}

}  // namespace

struct Client::Impl {
  struct Waiting {
    std::promise<Result> result;
    std::optional<Clock::time_point> deadline;
  };

  explicit Impl(cluster::ClientOptions options)
      : client(std::move(options)), dispatcher([this](const std::stop_token& stop) { dispatch(stop); }) {}

  cluster::Client client;
  std::mutex mutex;
  std::map<std::uint64_t, Waiting> waiting;              // guarded by mutex
  std::map<std::uint64_t, cluster::ClientResult> early;  // guarded by mutex; came before `submit` had noted the frame
  std::set<std::uint64_t> given_up;                      // guarded by mutex; frames whose results nobody wants
  std::exception_ptr error;                              // guarded by mutex
  std::jthread dispatcher;

  void dispatch(const std::stop_token& stop);
  void deliver(cluster::ClientResult result);
  void drop_late();
  void fail(const std::exception_ptr& why);
  static void answer(Waiting& frame, cluster::ClientResult result);
};

void Client::Impl::answer(Waiting& frame, cluster::ClientResult result) {
  if (!result.error.empty()) {
    frame.result.set_exception(std::make_exception_ptr(InvalidInput(result.error)));
    return;
  }
  Result given;
  for (auto& [name, tensor] : result.outputs) given.outputs[name] = api::to_tensor(std::move(tensor));
  given.latency_ms = std::chrono::duration<double, std::milli>(result.latency).count();
  frame.result.set_value(std::move(given));
}

void Client::Impl::deliver(cluster::ClientResult result) {
  const std::scoped_lock lock(mutex);
  if (given_up.erase(result.number) > 0) return;
  const auto found = waiting.find(result.number);
  if (found == waiting.end()) {
    const std::uint64_t number = result.number;
    early.emplace(number, std::move(result));
    return;
  }
  answer(found->second, std::move(result));
  waiting.erase(found);
}

void Client::Impl::drop_late() {
  const std::scoped_lock lock(mutex);
  const Clock::time_point now = Clock::now();
  for (auto frame = waiting.begin(); frame != waiting.end();) {
    if (!frame->second.deadline || now < *frame->second.deadline) {
      ++frame;
      continue;
    }
    frame->second.result.set_exception(std::make_exception_ptr(DeadlineMissed("no result came before the deadline")));
    if (!client.forget(frame->first)) given_up.insert(frame->first);
    frame = waiting.erase(frame);
  }
}

void Client::Impl::fail(const std::exception_ptr& why) {
  const std::scoped_lock lock(mutex);
  if (!error) error = why;
  for (auto& [number, frame] : waiting) frame.result.set_exception(why);
  waiting.clear();
}

void Client::Impl::dispatch(const std::stop_token& stop) {
  constexpr std::chrono::milliseconds look(5);  // for deadlines
  try {
    while (!stop.stop_requested()) {
      if (std::optional<cluster::ClientResult> result = client.next(look)) deliver(std::move(*result));
      drop_late();
    }
    fail(std::make_exception_ptr(PeerLost("the client ended before the result came")));
  } catch (...) {
    fail(std::current_exception());
  }
}

Client::Client(const std::string& address, const std::string& key_file)
    : impl_(std::make_unique<Impl>(options_of(address, key_file))) {}

Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Client::Impl& Client::impl() const {
  if (!impl_) throw InvalidInput("this client was moved from");
  return *impl_;
}

std::vector<PortInfo> Client::inputs(std::chrono::milliseconds longest) const {
  return infos_of(impl().client.model(longest).inputs);
}

std::vector<PortInfo> Client::outputs(std::chrono::milliseconds longest) const {
  return infos_of(impl().client.model(longest).outputs);
}

std::future<Result> Client::submit(const Inputs& inputs, std::optional<std::chrono::nanoseconds> deadline) {
  TensorMap frame;
  for (const auto& [name, view] : inputs) frame[name] = copied(name, view);
  Impl::Waiting waiting;
  if (deadline) waiting.deadline = api::time_in(*deadline);
  std::future<Result> future = waiting.result.get_future();
  // May wait for results, which the dispatcher takes: without the lock.
  const std::optional<std::uint64_t> number =
      impl().client.submit(frame, waiting.deadline.value_or(Clock::time_point::max()));
  if (!number) {
    waiting.result.set_exception(
        std::make_exception_ptr(DeadlineMissed("no place for the frame came free before its deadline")));
    return future;
  }
  const std::scoped_lock lock(impl_->mutex);
  if (impl_->error) std::rethrow_exception(impl_->error);
  if (const auto came = impl_->early.find(*number); came != impl_->early.end()) {
    Impl::answer(waiting, std::move(came->second));
    impl_->early.erase(came);
  } else {
    impl_->waiting.emplace(*number, std::move(waiting));
  }
  return future;
}

Result Client::run(const Inputs& inputs) { return submit(inputs).get(); }

}  // namespace strake
