// SPDX-License-Identifier: Apache-2.0
#include "cluster/addresses.hpp"

#include <gtest/gtest.h>

#include "core/errors.hpp"

namespace {

using namespace strake;
using namespace strake::cluster;

TEST(Addresses, HaveAPortOfTheirOwnOrTheUsualOne) {
  EXPECT_EQ(address_of("tcp://10.0.7.1:7301").text(), "tcp://10.0.7.1:7301");
  EXPECT_EQ(address_of("10.0.7.1:7301").text(), "tcp://10.0.7.1:7301");
  EXPECT_EQ(address_of("edge-0").text(), "tcp://edge-0:7300");
  EXPECT_EQ(address_of("[fe80::1]:1").text(), "tcp://[fe80::1]:1");
}

TEST(Addresses, RefuseWhatIsNone) {
  for (const char* text : {"", "tcp://", "tcp://:7300", "host:", "host:0", "host:65536", "host:7300x", "host:-1", "a b",
                           "ipc:///tmp/s", "host/path", "[::1", "[::1]x", "tcp://*:7300"})
    EXPECT_THROW((void)address_of(text), InvalidInput) << text;
}

TEST(Addresses, KnowWhatIsOfThisHostOnly) {
  for (const char* text : {"127.0.0.1", "127.1.2.3", "localhost", "[::1]"}) EXPECT_TRUE(is_loopback(address_of(text)));
  for (const char* text : {"128.0.0.1", "0.0.0.0", "10.0.0.127", "edge-0", "127.0.0.1.example.org", "[::]"})
    EXPECT_FALSE(is_loopback(address_of(text))) << text;
}

TEST(Addresses, KnowTheInterface) {
  const std::optional<Interface> loopback = interface_of(address_of("127.0.0.2"));
  ASSERT_TRUE(loopback);
  EXPECT_EQ(loopback->address, "127.0.0.2");
  EXPECT_EQ(loopback->network, "127.0.0.0/8");
  EXPECT_FALSE(interface_of(address_of("192.0.2.77")));  // kept free for documentation
  const std::optional<Interface> there = interface_towards(address_of("localhost"));
  ASSERT_TRUE(there);
  EXPECT_EQ(there->name, loopback->name);
  EXPECT_FALSE(interface_towards(address_of("no-such-host.invalid")));
}

}  // namespace
