// SPDX-License-Identifier: Apache-2.0
// What keys cost: round trips of a beat, and of a picture, between two threads over TCP, with CURVE and without.

#include <benchmark/benchmark.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include "cluster/gate.hpp"
#include "cluster/process.hpp"
#include "cluster/socket.hpp"

namespace strake::cluster {
namespace {

// Sends back what comes, until it is stopped.
class Echo {
 public:
  Echo(const std::string& address, const KeyStore* keys)
      : thread_([this, address, keys](const std::stop_token& stop) { run(stop, address, keys); }) {
    while (!listens_) std::this_thread::yield();
  }

 private:
  void run(const std::stop_token& stop, const std::string& address, const KeyStore* keys) {
    zmq::context_t context(1);
    std::optional<Gate> gate;
    if (keys != nullptr) gate.emplace(context, *keys);
    Socket socket(context, Peers::many);
    if (keys != nullptr) socket.require_keys(keys->server());
    socket.bind(address);
    listens_ = true;
    while (!stop.stop_requested()) {
      std::vector<zmq::pollitem_t> items{socket.poll_item()};
      if (gate) items.push_back(gate->poll_item());
      wait_for(items, std::chrono::milliseconds(20));
      if (gate) gate->answer();
      while (std::optional<Message> message = socket.receive()) (void)socket.send(std::move(*message));
    }
  }

  std::atomic<bool> listens_{false};
  std::jthread thread_;
};

Message beat() {
  return message_with([](wire::Envelope& body) {
    body.mutable_beat()->mutable_health()->set_load(0.5);
    body.mutable_beat()->set_incarnation(7);
  });
}

// With a tensor of so many bytes, as pictures travel.
Message submission(std::size_t n_bytes) {
  Message message = message_with([&](wire::Envelope& body) {
    wire::Submit& submit = *body.mutable_submit();
    submit.set_client(std::string(16, 'c'));
    wire::Tensor& tensor = *submit.add_tensors();
    tensor.set_name("input");
    tensor.set_type(static_cast<std::uint32_t>(ElementType::u8));
    tensor.add_shape(static_cast<std::int64_t>(n_bytes));
  });
  message.parts.emplace_back(n_bytes);
  return message;
}

void round_trip(benchmark::State& state) {
  const bool with_keys = state.range(0) != 0;
  const auto n_bytes = static_cast<std::size_t>(state.range(1));
  const PrivateFolder folder("bench");
  const KeyStore keys(folder.path() / "keys");
  keys.init();
  const Identity identity = keys.add(Role::client, "camera");
  const std::string address = with_keys ? "tcp://127.0.0.1:17391" : "tcp://127.0.0.1:17392";
  const Echo echo(address, with_keys ? &keys : nullptr);
  zmq::context_t context(1);
  Socket socket(context, Peers::one);
  if (with_keys) socket.use_keys(identity);
  socket.connect(address);
  const auto ask = [&] {
    (void)socket.send(n_bytes == 0 ? beat() : submission(n_bytes));
    std::optional<Message> answer;
    while (!(answer = socket.receive())) {
      std::vector<zmq::pollitem_t> items{socket.poll_item()};
      wait_for(items, std::chrono::milliseconds(1000));
    }
  };
  ask();  // connects
  for (auto _ : state) ask();
}

BENCHMARK(round_trip)
    ->ArgsProduct({{0, 1}, {0, 3 * 224 * 224}})
    ->ArgNames({"keys", "bytes"})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace strake::cluster

BENCHMARK_MAIN();
