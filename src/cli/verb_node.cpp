// SPDX-License-Identifier: Apache-2.0
// What runs on nodes, and what mpirun calls to have it started.
#include <cstdlib>

#include "cli/cluster_options.hpp"
#include "cli/host_facts.hpp"
#include "cli/verbs.hpp"
#include "cluster/agent.hpp"
#include "cluster/launcher.hpp"
#include "cluster/rank_link.hpp"

namespace strake::cli {

namespace {

struct NodeOptions {
  std::string address;
  std::string key;
  bool verbose = false;
  bool quiet = false;
};

int be_a_node(const Context& context, const NodeOptions& options) {
  expect_one_process(context, "node");
  set_verbosity(options.verbose, options.quiet);
  cluster::Signals signals;
  cluster::AgentOptions agent;
  agent.supervisor = cluster::address_of(options.address);
  std::optional<cluster::Identity> identity = identity_for(agent.supervisor, options.key);
  if (!identity) throw InvalidInput("a node needs a key, on the supervisor's own host too: --key FILE");
  if (identity->role != cluster::Role::node)
    throw InvalidInput("the key of '" + identity->name + "' is a " + std::string(cluster::to_string(identity->role)) +
                       "'s, not a node's");
  agent.identity = std::move(*identity);
  agent.build = context.build;
  agent.facts = [&context] { return text_of(facts_of_this_host(context)); };
  return cluster::Agent(std::move(agent), signals).run();
}

struct LaunchOptions {
  std::vector<std::string> words;
};

int launch_daemon(const LaunchOptions& options) {
  const char* parent = std::getenv(cluster::parent_variable);
  if (parent == nullptr || options.words.size() < 2)
    throw InvalidInput("strake launch is called by mpirun, below strake serve");
  return cluster::launch(parent, options.words.front(), {options.words.begin() + 1, options.words.end()});
}

}  // namespace

void add_node(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<NodeOptions>();
  CLI::App* sub = app.add_subcommand("node", "Make this host a node of a cluster");
  add_address(*sub, options->address);
  add_key_option(*sub, options->key);
  sub->add_flag("-v,--verbose", options->verbose, "Say more");
  sub->add_flag("-q,--quiet", options->quiet, "Print errors only");
  sub->footer("Example:\n  strake node tcp://edge1:7300 --key edge2.key");
  sub->callback([&context, &verb, options] { verb = [&context, options] { return be_a_node(context, *options); }; });
}

void add_launch(CLI::App& app, const Context&, std::function<int()>& verb) {
  auto options = std::make_shared<LaunchOptions>();
  CLI::App* sub = app.add_subcommand("launch", "What mpirun calls in the place of ssh")->group("");
  sub->prefix_command();
  sub->callback([&verb, options, sub] {
    options->words = sub->remaining();
    verb = [options] { return launch_daemon(*options); };
  });
}

}  // namespace strake::cli
