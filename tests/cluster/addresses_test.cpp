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
  for (const char* text : {"127.0.0.1", "127.0.0.2", "lo"}) {
    const std::optional<Interface> loopback = interface_of({.host = text});
    ASSERT_TRUE(loopback) << text;
    EXPECT_EQ(loopback->name, "lo");
    EXPECT_EQ(loopback->address, "127.0.0.1");
    EXPECT_EQ(loopback->network, "127.0.0.0/8");
  }
  for (const char* text : {"192.0.2.77", "0.0.0.0", "no-such-interface", ""})  // the first is for documentation
    EXPECT_FALSE(interface_of({.host = text})) << text;
  ASSERT_TRUE(interface_in("127.0.0.0/8"));
  EXPECT_EQ(interface_in("127.0.0.0/8")->address, "127.0.0.1");
  EXPECT_FALSE(interface_in(""));
  EXPECT_FALSE(interface_in("192.0.2.0/29"));
}

}  // namespace
