// SPDX-License-Identifier: Apache-2.0
#include "cluster/keys.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>
#include <zmq.hpp>

#include "core/errors.hpp"

namespace strake::cluster {

namespace fs = std::filesystem;

namespace {

constexpr std::pair<Role, std::string_view> role_names[] = {
    {Role::node, "node"}, {Role::client, "client"}, {Role::viewer, "viewer"}};

constexpr std::size_t key_characters = 40;
constexpr std::size_t most_file_bytes = 1 << 20;

std::string last_error() { return std::strerror(errno); }

void expect_key(const std::string& key, const std::string& where) {
  std::uint8_t bytes[32];
  if (key.size() != key_characters || zmq_z85_decode(bytes, key.c_str()) == nullptr)
    throw InvalidInput(where + ": expected a key of 40 characters (Z85), got '" + key.substr(0, 80) + "'");
}

void expect_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  };
  if (name.empty() || name.size() > 64 || name.front() == '-' || !std::all_of(name.begin(), name.end(), allowed))
    throw InvalidInput("a name has 1 to 64 letters, digits, '.', '-' or '_' and begins with no '-', got '" +
                       name.substr(0, 80) + "'");
}

// Readable by its owner only, never half written, and on disk when this returns.
void write_private(const fs::path& file, const std::string& text) {
  const fs::path beside = file.string() + ".new" + std::to_string(getpid());
  const int descriptor = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) throw InvalidInput("cannot write '" + file.string() + "': " + last_error());
  std::size_t written = 0;
  bool failed = fchmod(descriptor, 0600) != 0;
  while (!failed && written < text.size()) {
    const ssize_t n = write(descriptor, text.data() + written, text.size() - written);
    failed = n < 0 && errno != EINTR;
    if (n > 0) written += static_cast<std::size_t>(n);
  }
  failed = failed || fsync(descriptor) != 0;
  failed = failed || rename(beside.c_str(), file.c_str()) != 0;
  const std::string reason = failed ? last_error() : "";
  close(descriptor);
  if (!failed) return;
  unlink(beside.c_str());
  throw InvalidInput("cannot write '" + file.string() + "': " + reason);
}

std::string read_private(const fs::path& file) {
  struct stat info {};
  if (stat(file.c_str(), &info) != 0) throw InvalidInput("cannot read '" + file.string() + "': " + last_error());
  if (!S_ISREG(info.st_mode) || static_cast<std::size_t>(info.st_size) > most_file_bytes)
    throw InvalidInput("'" + file.string() + "' is no file with keys");
  if ((info.st_mode & 077) != 0)
    throw InvalidInput("'" + file.string() + "' can be read by others; chmod 600 it, and make new keys if it was");
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  if (!stream) throw InvalidInput("cannot read '" + file.string() + "'");
  return text.str();
}

// "word value" a line; '#' begins a comment.
std::map<std::string, std::string> fields_of(const fs::path& file) {
  std::map<std::string, std::string> fields;
  std::istringstream lines(read_private(file));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.find(' ');
    if (!line.starts_with('#') && space != std::string::npos) fields[line.substr(0, space)] = line.substr(space + 1);
  }
  return fields;
}

std::string field(const std::map<std::string, std::string>& fields, const std::string& name, const fs::path& file) {
  const auto found = fields.find(name);
  if (found == fields.end())
    throw InvalidInput("'" + file.string() + "' is no file with keys: it has no line '" + name + " ...'");
  return found->second;
}

std::string key_field(const std::map<std::string, std::string>& fields, const std::string& name, const fs::path& file) {
  std::string key = field(fields, name, file);
  expect_key(key, "'" + file.string() + "', " + name);
  return key;
}

}  // namespace

std::string_view to_string(Role role) {
  for (const auto& [value, name] : role_names)
    if (value == role) return name;
  return "";
}

Role role_of(std::string_view text) {
  for (const auto& [value, name] : role_names)
    if (name == text) return value;
  throw InvalidInput("expected a role (node, client or viewer), got '" + std::string(text.substr(0, 80)) + "'");
}

KeyPair make_key_pair() {
  char public_key[key_characters + 1];
  char secret_key[key_characters + 1];
  ensure(zmq_curve_keypair(public_key, secret_key) == 0, "ZeroMQ was built with CURVE");
  return {public_key, secret_key};
}

fs::path default_key_directory() {
  if (const char* named = std::getenv("STRAKE_KEYS"); named != nullptr && *named != '\0') return named;
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config != '\0')
    return fs::path(config) / "strake";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr || *home == '\0' ? "/" : home) / ".config" / "strake";
}

KeyStore::KeyStore(fs::path directory) : directory_(std::move(directory)) {}

bool KeyStore::has_server() const {
  std::error_code ignored;
  return fs::exists(directory_ / "server.key", ignored);
}

void KeyStore::init() const {
  if (has_server())
    throw InvalidInput("'" + directory_.string() + "' has keys already; members would not know new ones");
  std::error_code error;
  fs::create_directories(directory_, error);
  if (!error) fs::permissions(directory_, fs::perms::owner_all, error);
  if (error) throw InvalidInput("cannot make '" + directory_.string() + "': " + error.message());
  const KeyPair pair = make_key_pair();
  write_private(directory_ / "server.key", "# The key of this cluster. Never leaves this host.\npublic " +
                                               pair.public_key + "\nsecret " + pair.secret_key + "\n");
  write_members({});
}

KeyPair KeyStore::server() const {
  const fs::path file = directory_ / "server.key";
  if (!has_server()) throw InvalidInput("'" + directory_.string() + "' has no keys; strake keys init makes them");
  const auto fields = fields_of(file);
  return {key_field(fields, "public", file), key_field(fields, "secret", file)};
}

std::vector<Member> KeyStore::members() const {
  const fs::path file = directory_ / "members";
  std::vector<Member> members;
  std::istringstream lines(read_private(file));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string role, name, key;
    words >> role >> name >> key;
    expect_key(key, "'" + file.string() + "', line '" + line.substr(0, 80) + "'");
    members.push_back({role_of(role), name, key});
  }
  return members;
}

void KeyStore::write_members(const std::vector<Member>& members) const {
  std::string text = "# Who may speak to this cluster: role, name, public key. strake keys add and revoke write it.\n";
  for (const Member& member : members)
    text += std::string(to_string(member.role)) + " " + member.name + " " + member.public_key + "\n";
  write_private(directory_ / "members", text);
}

Identity KeyStore::add(Role role, const std::string& name, const std::string& public_key) const {
  expect_name(name);
  Identity identity{.role = role, .name = name, .pair = {}, .server_key = server().public_key};
  std::vector<Member> all = members();
  for (const Member& member : all)
    if (member.name == name)
      throw InvalidInput("there is a " + std::string(to_string(member.role)) + " '" + name +
                         "' already; strake keys revoke takes its key back");
  if (public_key.empty()) {
    identity.pair = make_key_pair();
  } else {
    expect_key(public_key, "the public key of '" + name + "'");
    identity.pair.public_key = public_key;
  }
  all.push_back({role, name, identity.pair.public_key});
  write_members(all);
  return identity;
}

void KeyStore::revoke(const std::string& name) const {
  std::vector<Member> all = members();
  if (std::erase_if(all, [&](const Member& member) { return member.name == name; }) == 0)
    throw InvalidInput("'" + directory_.string() + "' lets in nobody of the name '" + name + "'");
  write_members(all);
}

std::string KeyStore::version() const {
  struct stat info {};
  // A new list is a new file.
  if (stat((directory_ / "members").c_str(), &info) != 0) return "";
  return std::to_string(info.st_ino) + "." + std::to_string(info.st_mtim.tv_sec) + "." +
         std::to_string(info.st_mtim.tv_nsec) + "." + std::to_string(info.st_size);
}

void write_identity(const fs::path& file, const Identity& identity) {
  write_private(file, "# A key to a Strake cluster: whoever has this file is this " +
                          std::string(to_string(identity.role)) + ".\nrole " + std::string(to_string(identity.role)) +
                          "\nname " + identity.name + "\npublic " + identity.pair.public_key + "\nsecret " +
                          identity.pair.secret_key + "\nserver " + identity.server_key + "\n");
}

Identity read_identity(const fs::path& file) {
  const auto fields = fields_of(file);
  return {.role = role_of(field(fields, "role", file)),
          .name = field(fields, "name", file),
          .pair = {key_field(fields, "public", file), key_field(fields, "secret", file)},
          .server_key = key_field(fields, "server", file)};
}

}  // namespace strake::cluster
