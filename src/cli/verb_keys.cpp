// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli/cluster_options.hpp"
#include "cli/numbers.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

namespace strake::cli {

namespace {

struct KeyOptions {
  std::string directory;
  std::string role;
  std::string name;
  std::string public_key;
  std::string file;
};

int init_keys(const KeyOptions& options) {
  const cluster::KeyStore store(key_directory(options.directory));
  store.init();
  write_stdout(fmt::format("keys of a new cluster in {}\n", key_directory(options.directory).string()));
  return 0;
}

int add_key(const KeyOptions& options) {
  const cluster::KeyStore store(key_directory(options.directory));
  const cluster::Role role = cluster::role_of(options.role);
  if (!options.public_key.empty()) {
    const cluster::Identity identity = store.add(role, options.name, options.public_key);
    write_stdout(fmt::format("{} '{}' is let in; the cluster's own key is {}\n", options.role, options.name,
                             identity.server_key));
    return 0;
  }
  const std::string file = options.file.empty() ? options.name + ".key" : options.file;
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) throw InvalidInput("'" + file + "' is there already");
  const cluster::Identity identity = store.add(role, options.name);
  try {
    cluster::write_identity(file, identity);
  } catch (const InvalidInput&) {
    store.revoke(options.name);
    throw;
  }
  write_stdout(fmt::format("{} '{}' is let in by {}; carry it there as ~/.config/strake/identity.key\n", options.role,
                           options.name, file));
  return 0;
}

int revoke_key(const KeyOptions& options) {
  cluster::KeyStore(key_directory(options.directory)).revoke(options.name);
  write_stdout(fmt::format("'{}' is not let in any more\n", options.name));
  return 0;
}

int list_keys(const KeyOptions& options) {
  const cluster::KeyStore store(key_directory(options.directory));
  (void)store.server();
  Table table({"name", "role", "public key"});
  for (const cluster::Member& member : store.members())
    table.add({member.name, std::string(cluster::to_string(member.role)), member.public_key});
  write_stdout(table.text());
  return 0;
}

}  // namespace

void add_keys(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<KeyOptions>();
  CLI::App* sub = app.add_subcommand("keys", "Who may speak to a cluster, and as what");
  sub->require_subcommand(1);
  const auto action = [&](const std::string& name, const std::string& description, int (*body)(const KeyOptions&)) {
    CLI::App* one = sub->add_subcommand(name, description);
    one->add_option("--keys", options->directory, "Folder of the keys; by default STRAKE_KEYS, or ~/.config/strake")
        ->check(check_file_name());
    one->callback([&context, &verb, options, body] {
      verb = [&context, options, body] {
        expect_one_process(context, "keys");
        return body(*options);
      };
    });
    return one;
  };
  action("init", "Make the keys of a new cluster, on the supervisor's host", init_keys);
  CLI::App* add = action("add", "Let a node, client or viewer in", add_key);
  add->add_option("ROLE", options->role, "node, client or viewer")
      ->required()
      ->check(CLI::IsMember({"node", "client", "viewer"}));
  add->add_option("NAME", options->name, "Of the member")->required();
  add->add_option("PUBLIC-KEY", options->public_key, "Of a pair that the member made itself; by default one is made");
  add->add_option("-o,--output", options->file, "The member's key file; by default NAME.key")->check(check_file_name());
  action("revoke", "Take a key back, at once", revoke_key)
      ->add_option("NAME", options->name, "Of the member")
      ->required();
  action("list", "Who is let in", list_keys);
  sub->footer("Examples:\n  strake keys init\n  strake keys add node edge2 -o edge2.key\n  strake keys revoke edge2");
}

}  // namespace strake::cli
