// SPDX-License-Identifier: Apache-2.0
#include "cluster/gate.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "cluster/process.hpp"
#include "cluster/socket.hpp"
#include "core/errors.hpp"

namespace {

using namespace strake;
using namespace strake::cluster;
using namespace std::chrono_literals;

// A server with keys in one thread with its clients, turned by hand.
class GateTest : public testing::Test {
 protected:
  GateTest() : store_(folder_.path() / "keys"), address_("ipc://" + (folder_.path() / "s").string()) {
    store_.init();
    gate_.emplace(context_, store_);
    server_.emplace(context_, Peers::many);
    server_->require_keys(store_.server());
    server_->bind(address_);
  }

  bool soon(const std::function<bool()>& holds) {
    for (int i = 0; i < 300; ++i) {
      gate_->answer();
      if (holds()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  static Message hello(const std::string& client) {
    return message_with([&](wire::Envelope& body) { body.mutable_hello()->set_client(client); });
  }

  Socket client(const Identity& identity) {
    Socket socket(context_, Peers::one);
    socket.use_keys(identity);
    socket.connect(address_);
    return socket;
  }

  PrivateFolder folder_{"test"};
  KeyStore store_;
  std::string address_;
  zmq::context_t context_;
  std::optional<Gate> gate_;
  std::optional<Socket> server_;
};

TEST_F(GateTest, LetsMembersInAndKnowsThem) {
  const Identity identity = store_.add(Role::node, "edge2");
  Socket socket = client(identity);
  EXPECT_TRUE(socket.send(hello("x")));
  std::optional<Message> message;
  ASSERT_TRUE(soon([&] { return (message = server_->receive()).has_value(); }));
  const std::optional<Member> member = gate_->member(message->user);
  ASSERT_TRUE(member);
  EXPECT_EQ(member->name, "edge2");
  EXPECT_EQ(member->role, Role::node);
  EXPECT_FALSE(gate_->member(""));
  EXPECT_FALSE(gate_->member("client edge2 " + identity.pair.public_key)) << "another role";
}

TEST_F(GateTest, KeepsStrangersOut) {
  (void)store_.add(Role::node, "edge2");
  Identity stranger{
      .role = Role::node, .name = "edge2", .pair = make_key_pair(), .server_key = store_.server().public_key};
  Socket socket = client(stranger);
  EXPECT_TRUE(socket.send(hello("x")));
  EXPECT_TRUE(soon([&] { return socket.key_was_refused(); }));
  EXPECT_FALSE(server_->receive());
  EXPECT_GE(gate_->refused(), 1U);
}

TEST_F(GateTest, KeepsThoseOutWhoHaveNoKeyOrExpectAnotherServer) {
  Identity lost = store_.add(Role::client, "c");
  lost.server_key = make_key_pair().public_key;
  Socket wrong = client(lost);
  (void)wrong.send(hello("x"));
  Socket bare(context_, Peers::one);
  bare.connect(address_);
  (void)bare.send(hello("y"));
  EXPECT_FALSE([&] {
    for (int i = 0; i < 50; ++i) {
      gate_->answer();
      if (server_->receive()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }());
}

TEST_F(GateTest, ForgetsARevokedKeyWithoutANewStart) {
  const Identity identity = store_.add(Role::client, "c");
  Socket socket = client(identity);
  EXPECT_TRUE(socket.send(hello("x")));
  std::optional<Message> message;
  ASSERT_TRUE(soon([&] { return (message = server_->receive()).has_value(); }));
  ASSERT_TRUE(gate_->member(message->user));
  store_.revoke("c");
  EXPECT_TRUE(soon([&] { return !gate_->member(message->user); })) << "of the connection that stands";
  Socket again = client(identity);
  (void)again.send(hello("x"));
  EXPECT_TRUE(soon([&] { return again.key_was_refused(); })) << "of a new one";
}

TEST_F(GateTest, LetsNobodyInWhereTheListIsGone) {
  const Identity identity = store_.add(Role::client, "c");
  ASSERT_TRUE(soon([&] { return gate_->member("client c " + identity.pair.public_key).has_value(); }));
  std::filesystem::remove(folder_.path() / "keys" / "members");
  EXPECT_TRUE(soon([&] { return !gate_->member("client c " + identity.pair.public_key); }));
}

}  // namespace
