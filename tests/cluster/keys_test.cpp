// SPDX-License-Identifier: Apache-2.0
#include "cluster/keys.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "cluster/process.hpp"
#include "core/errors.hpp"

namespace {

using namespace strake;
using namespace strake::cluster;
namespace fs = std::filesystem;

class Keys : public testing::Test {
 protected:
  PrivateFolder folder_{"test"};
  KeyStore store_{folder_.path() / "keys"};

  static int mode_of(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0);
    return static_cast<int>(info.st_mode & 07777);
  }
};

TEST_F(Keys, BelongToTheirOwnerOnly) {
  store_.init();
  const fs::path file = folder_.path() / "edge2.key";
  write_identity(file, store_.add(Role::node, "edge2"));
  EXPECT_EQ(mode_of(folder_.path() / "keys"), 0700);
  EXPECT_EQ(mode_of(folder_.path() / "keys" / "server.key"), 0600);
  EXPECT_EQ(mode_of(folder_.path() / "keys" / "members"), 0600);
  EXPECT_EQ(mode_of(file), 0600);
  fs::permissions(file, fs::perms::group_read, fs::perm_options::add);
  EXPECT_THROW((void)read_identity(file), InvalidInput);
}

TEST_F(Keys, AreReadAsTheyWereWritten) {
  store_.init();
  const Identity identity = store_.add(Role::client, "camera-1");
  const fs::path file = folder_.path() / "x.key";
  write_identity(file, identity);
  const Identity back = read_identity(file);
  EXPECT_EQ(back.role, Role::client);
  EXPECT_EQ(back.name, "camera-1");
  EXPECT_EQ(back.pair.public_key, identity.pair.public_key);
  EXPECT_EQ(back.pair.secret_key, identity.pair.secret_key);
  EXPECT_EQ(back.server_key, store_.server().public_key);
  EXPECT_EQ(store_.members(), (std::vector<Member>{{Role::client, "camera-1", identity.pair.public_key}}));
}

TEST_F(Keys, AreMadeOnce) {
  EXPECT_THROW((void)store_.server(), InvalidInput);
  store_.init();
  const std::string before = store_.server().public_key;
  EXPECT_THROW(store_.init(), InvalidInput);
  EXPECT_EQ(store_.server().public_key, before);
}

TEST_F(Keys, AreTakenBackByName) {
  store_.init();
  (void)store_.add(Role::node, "edge2");
  (void)store_.add(Role::viewer, "screen");
  const std::string before = store_.version();
  store_.revoke("edge2");
  EXPECT_NE(store_.version(), before);
  ASSERT_EQ(store_.members().size(), 1U);
  EXPECT_EQ(store_.members().front().name, "screen");
  EXPECT_THROW(store_.revoke("edge2"), InvalidInput);
}

TEST_F(Keys, OfAPairMadeElsewhereHaveNoSecretHere) {
  store_.init();
  const KeyPair pair = make_key_pair();
  EXPECT_EQ(store_.add(Role::node, "edge2", pair.public_key).pair.secret_key, "");
  EXPECT_EQ(store_.members().front().public_key, pair.public_key);
}

TEST_F(Keys, RefuseWhatIsNoNameKeyOrFile) {
  store_.init();
  for (const char* name : {"", "a b", "a/b", "-x", "a\nb"})
    EXPECT_THROW((void)store_.add(Role::node, name), InvalidInput) << name;
  EXPECT_THROW((void)store_.add(Role::node, std::string(65, 'x')), InvalidInput);
  for (const std::string& key : {std::string("short"), std::string(40, '~'), std::string(41, '0')})
    EXPECT_THROW((void)store_.add(Role::node, "edge2", key), InvalidInput) << key;
  (void)store_.add(Role::node, "edge2");
  EXPECT_THROW((void)store_.add(Role::client, "edge2"), InvalidInput) << "two of one name";
  EXPECT_THROW((void)role_of("root"), InvalidInput);
  EXPECT_THROW((void)read_identity(folder_.path() / "none"), InvalidInput);
  EXPECT_THROW((void)read_identity(folder_.path()), InvalidInput);
  const fs::path file = folder_.path() / "broken.key";
  for (const char* text : {"", "role node\n", "role root\nname x\npublic a\nsecret b\nserver c\n", "\x00\xff\n"}) {
    fs::remove(file);
    std::ofstream(file) << text;
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_THROW((void)read_identity(file), InvalidInput);
  }
}

}  // namespace
