// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Keys: who may speak to a cluster, and as what. CURVE key pairs, in files that only their owner can read.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strake::cluster {

/// A node computes, a client submits frames, a viewer only looks.
enum class Role : unsigned char { node, client, viewer };

[[nodiscard]] std::string_view to_string(Role role);
/// @throws InvalidInput
[[nodiscard]] Role role_of(std::string_view text);

/// In ZeroMQ's text form (Z85): 40 characters each.
struct KeyPair {
  std::string public_key;
  std::string secret_key;
};

[[nodiscard]] KeyPair make_key_pair();

/// What a member needs to speak to the cluster; a file that was carried to its host.
struct Identity {
  Role role = Role::client;
  std::string name;
  KeyPair pair;
  std::string server_key;  // public
};

/// One line of the allow-list.
struct Member {
  Role role = Role::client;
  std::string name;
  std::string public_key;
  friend bool operator==(const Member&, const Member&) = default;
};

/// `STRAKE_KEYS`, else `strake` in `XDG_CONFIG_HOME`, else `~/.config/strake`.
[[nodiscard]] std::filesystem::path default_key_directory();

/// The keys of a cluster, in a folder of the supervisor's host: `server.key`, and `members`, the allow-list.
class KeyStore {
 public:
  explicit KeyStore(std::filesystem::path directory);

  [[nodiscard]] bool has_server() const;
  /// Makes the folder (mode 0700) and the cluster's own pair. @throws InvalidInput where there is one already
  void init() const;
  /// @throws InvalidInput where there is none, or others can read it
  [[nodiscard]] KeyPair server() const;

  [[nodiscard]] std::vector<Member> members() const;
  /// Lets a member in, by a new pair, or by `public_key` where its host made one. @throws InvalidInput
  [[nodiscard]] Identity add(Role role, const std::string& name, const std::string& public_key = "") const;
  /// Keeps them out, at once: the supervisor reads the list again. @throws InvalidInput where nobody has that name
  void revoke(const std::string& name) const;

  /// Something that differs when the allow-list was changed.
  [[nodiscard]] std::string version() const;

 private:
  void write_members(const std::vector<Member>& members) const;

  std::filesystem::path directory_;
};

/// An identity as a file (mode 0600), for its host. @throws InvalidInput
void write_identity(const std::filesystem::path& file, const Identity& identity);
/// @throws InvalidInput naming the file: not there, readable by others, no such thing
[[nodiscard]] Identity read_identity(const std::filesystem::path& file);

}  // namespace strake::cluster
