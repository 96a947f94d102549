// SPDX-License-Identifier: Apache-2.0
#include "cluster/daemon.hpp"

#include <algorithm>
#include <string_view>

#include "core/errors.hpp"

namespace strake::cluster {

namespace {

// One of Open MPI's daemons: how it is given parameters, and those that change where it connects and what it is called.
// None makes it load or start something.
struct Daemon {
  std::string_view program;
  std::vector<std::string_view> parameter_words;
  std::vector<std::string_view> flags;
  std::string_view launcher;  // the only value of `plm`
  std::vector<std::string_view> parameters;
};

// Of Open MPI 4 and 5.
const std::vector<Daemon>& daemons() {
  static const std::vector<Daemon> all{
      {.program = "orted",
       .parameter_words = {"-mca", "--mca"},
       .flags = {},
       .launcher = "rsh",
       .parameters = {"orte_leave_session_attached",
                      "orte_node_regex",
                      "orte_hnp_uri",
                      "orte_parent_uri",
                      "ess",
                      "ess_base_jobid",
                      "ess_base_vpid",
                      "ess_base_num_procs",
                      "pmix",
                      "pml",
                      "btl",
                      "plm_rsh_no_tree_spawn",
                      "oob_tcp_if_include",
                      "oob_tcp_disable_ipv6_family",
                      "btl_tcp_disable_family",
                      "btl_tcp_if_include",
                      "if_base_do_not_resolve",
                      "mpi_yield_when_idle",
                      "rmaps_ppr_pattern",
                      "rmaps_base_oversubscribe",
                      "rmaps_base_mapping_policy",
                      "hwloc_base_binding_policy",
                      "btl_vader_single_copy_mechanism",
                      "oob_tcp_dynamic_ipv4_ports",
                      "btl_tcp_port_min_v4",
                      "btl_tcp_port_range_v4"}},
      {.program = "prted",
       .parameter_words = {"--prtemca"},
       .flags = {"--leave-session-attached", "--allow-run-as-root"},
       .launcher = "ssh",
       .parameters = {"ess", "ess_base_nspace", "ess_base_vpid", "ess_base_num_procs", "prte_hnp_uri",
                      "prte_parent_uri", "prte_do_not_resolve", "prte_disable_ipv6_family", "plm_ssh_no_tree_spawn",
                      "pmix_session_server", "PREFIXES"}},
  };
  return all;
}

// Dropped: who starts further daemons is not the node's business, and its interface may have another name here.
constexpr std::string_view ignored_parameters[] = {"plm_rsh_agent", "plm_ssh_agent", "prte_if_include"};
constexpr std::string_view ignored_flags[] = {"--daemonize", "-daemonize"};

constexpr std::size_t most_words = 256;
constexpr std::size_t most_characters = 8192;

std::string unquoted(std::string word) {
  if (word.starts_with(' ')) word.erase(0, 1);
  if (word.size() >= 2 && word.front() == '"' && word.back() == '"') return word.substr(1, word.size() - 2);
  return word;
}

bool is_harmless(std::string_view value) {
  constexpr std::string_view others = "_.,:;/@[]()^-+~";
  return std::all_of(value.begin(), value.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

template <class List>
bool contains(const List& list, const std::string& word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

// Open MPI 5 begins with variables for a shell and the place on its own host: "A=b;export A;/usr/bin/prted". Which
// program that is here, PATH says.
std::string program_in(const std::string& word) {
  const bool has_variables = word.find(';') != std::string::npos;
  return has_variables ? word.substr(word.find_last_of(";/") + 1) : word;
}

}  // namespace

std::vector<std::string> daemon_command(const std::vector<std::string>& words) {
  const auto refuse = [](const std::string& what) {
    return InvalidInput("a node starts Open MPI's daemon only, as mpirun asks for it: " + what);
  };
  if (words.empty() || words.size() > most_words) throw refuse(std::to_string(words.size()) + " words came");
  const std::string program = program_in(unquoted(words.front()));
  const auto daemon = std::ranges::find(daemons(), program, &Daemon::program);
  if (daemon == daemons().end()) throw refuse("expected 'orted' or 'prted', got '" + words.front().substr(0, 80) + "'");
  std::vector<std::string> command{program};
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string word = unquoted(words[i]);
    if (contains(ignored_flags, word)) continue;
    if (contains(daemon->flags, word)) {
      command.push_back(word);
      continue;
    }
    if (!contains(daemon->parameter_words, word)) throw refuse("'" + word.substr(0, 80) + "' is no word that it needs");
    if (i + 2 >= words.size()) throw refuse("a parameter has no value");
    const std::string name = unquoted(words[i + 1]);
    const std::string value = unquoted(words[i + 2]);
    i += 2;
    if (contains(ignored_parameters, name)) continue;
    if (name == "plm" ? value != daemon->launcher : !contains(daemon->parameters, name))
      throw refuse("parameter '" + name.substr(0, 80) + "' is not for it, or not with '" + value.substr(0, 80) + "'");
    if (value.size() > most_characters || !is_harmless(value))
      throw refuse("parameter '" + name + "' has the value '" + value.substr(0, 80) + "'");
    command.insert(command.end(), {word, name, value});
  }
  return command;
}

}  // namespace strake::cluster
