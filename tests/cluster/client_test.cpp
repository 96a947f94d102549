// SPDX-License-Identifier: Apache-2.0
// A client against a supervisor that forgets, repeats and goes away, played by hand.
#include "cluster/client.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <optional>
#include <set>

#include "cluster/frame_queue.hpp"
#include "cluster/socket.hpp"
#include "core/errors.hpp"

namespace {

using namespace strake;
using namespace strake::cluster;
using namespace std::chrono_literals;

// Tests run beside each other, each in a process of its own.
const int port = 20000 + static_cast<int>(getpid()) % 20000;
const Address here{.host = "127.0.0.1", .port = port};

// Answers a Hello with what it has of that client.
class Played {
 public:
  Played() : socket_(context_, Peers::many) { socket_.bind(here.text()); }

  // The next message that `takes`; Hellos are answered meanwhile.
  std::optional<Message> next(const std::function<bool(const wire::Envelope&)>& takes) {
    for (int i = 0; i < 1000; ++i) {
      std::vector<zmq::pollitem_t> items{socket_.poll_item()};
      wait_for(items, 10ms);
      std::optional<Message> message = socket_.receive();
      if (!message) continue;
      if (message->body.has_hello()) welcome(*message);
      if (takes(message->body)) return message;
    }
    return std::nullopt;
  }
  std::optional<Message> next_submit() {
    return next([](const wire::Envelope& body) { return body.has_submit(); });
  }

  void answer(const Message& submit, float value) {
    Message message;
    message.body.set_version(wire_version);
    message.peer = submit.peer;
    wire::Result& result = *message.body.mutable_result();
    result.set_number(submit.body.submit().number());
    put_tensors({{"y", HostTensor::of<float>({1}, {value})}}, *result.mutable_tensors(), message.parts);
    EXPECT_TRUE(socket_.send(std::move(message)));
  }

  std::set<std::uint64_t> known;  // frames that it says to have

 private:
  void welcome(const Message& hello) {
    Message message = message_with([&](wire::Envelope& body) {
      wire::Welcome& welcome = *body.mutable_welcome();
      welcome.set_model("m");
      welcome.set_ready(true);
      welcome.set_window(4);
      welcome.set_asked(hello.body.hello().asked());
      for (const std::uint64_t number : known) welcome.add_unanswered(number);
    });
    message.peer = hello.peer;
    (void)socket_.send(std::move(message));
  }

  zmq::context_t context_;
  Socket socket_;
};

TensorMap frame(float value) { return {{"x", HostTensor::of<float>({1}, {value})}}; }

TEST(Client, SubmitsAgainWhatWasLost) {
  Played server;
  Client client({here, std::nullopt});
  const std::uint64_t number = client.submit(frame(1));
  ASSERT_TRUE(server.next_submit());
  // It says that it knows of none.
  const auto again = server.next_submit();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->body.submit().number(), number);
  server.answer(*again, 2);
  const auto result = client.next(5s);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->number, number);
  EXPECT_EQ(result->outputs.at("y").view<float>()[0], 2);
  EXPECT_EQ(client.outstanding(), 0U);
}

TEST(Client, DoesNotRepeatWhatTheSupervisorHas) {
  Played server;
  Client client({here, std::nullopt});
  server.known = {1};
  (void)client.submit(frame(1));
  ASSERT_TRUE(server.next_submit());
  int hellos = 0;
  const auto more = server.next([&](const wire::Envelope& body) { return body.has_submit() || ++hellos == 4; });
  ASSERT_TRUE(more);
  EXPECT_FALSE(more->body.has_submit());
}

TEST(Client, GivesEachResultOnce) {
  Played server;
  Client client({here, std::nullopt});
  server.known = {1, 2};
  (void)client.submit(frame(1));
  const auto first = server.next_submit();
  ASSERT_TRUE(first);
  server.answer(*first, 1);
  server.answer(*first, 1);
  (void)client.submit(frame(2));
  const auto second = server.next_submit();
  ASSERT_TRUE(second);
  server.answer(*second, 2);
  EXPECT_EQ(client.next(5s)->number, 1U);
  EXPECT_EQ(client.next(5s)->number, 2U);
  EXPECT_FALSE(client.next(200ms));
}

TEST(Client, OutlivesItsSupervisor) {
  std::optional<Played> server(std::in_place);
  Client client({here, std::nullopt});
  (void)client.submit(frame(1));
  ASSERT_TRUE(server->next_submit());
  server.reset();
  (void)client.submit(frame(2));
  EXPECT_FALSE(client.next(300ms));
  server.emplace();
  std::set<std::uint64_t> numbers;
  while (numbers.size() < 2) {
    const auto submit = server->next_submit();
    ASSERT_TRUE(submit);
    if (numbers.insert(submit->body.submit().number()).second) server->answer(*submit, 5);
    server->known = numbers;
  }
  EXPECT_TRUE(client.next(5s));
  EXPECT_TRUE(client.next(5s));
}

TEST(Client, SaysThatNobodyAnswers) {
  Client client({{.host = "127.0.0.1", .port = port}, std::nullopt});
  EXPECT_THROW((void)client.model(300ms), PeerLost);
}

TEST(Client, NeedsAKeyForOtherHosts) { EXPECT_THROW(Client({{.host = "192.0.2.1"}, std::nullopt}), InvalidInput); }

}  // namespace
