// SPDX-License-Identifier: Apache-2.0
#include "cluster/daemon.hpp"

#include <algorithm>
#include <string_view>

#include "core/errors.hpp"

namespace strake::cluster {

namespace {

// Parameters that change where the daemon connects and what it is called, and none that make it load or start
// something.
constexpr std::string_view allowed_parameters[] = {"orte_leave_session_attached",
                                                   "orte_node_regex",
                                                   "orte_hnp_uri",
                                                   "orte_parent_uri",
                                                   "ess",
                                                   "ess_base_jobid",
                                                   "ess_base_vpid",
                                                   "ess_base_num_procs",
                                                   "plm",
                                                   "pmix",
                                                   "pml",
                                                   "btl",
                                                   "plm_rsh_no_tree_spawn",
                                                   "oob_tcp_if_include",
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
                                                   "btl_tcp_port_range_v4"};

// Dropped: who starts further daemons is not the node's business.
constexpr std::string_view ignored_parameters[] = {"plm_rsh_agent"};

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

}  // namespace

std::vector<std::string> daemon_command(const std::vector<std::string>& words) {
  const auto refuse = [](const std::string& what) {
    return InvalidInput("a node starts Open MPI's daemon only, as mpirun asks for it: " + what);
  };
  if (words.empty() || words.size() > most_words) throw refuse(std::to_string(words.size()) + " words came");
  if (unquoted(words.front()) != "orted") throw refuse("expected 'orted', got '" + words.front().substr(0, 80) + "'");
  std::vector<std::string> command{"orted"};
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string word = unquoted(words[i]);
    if (word == "--daemonize" || word == "-daemonize") continue;
    if (word != "-mca" && word != "--mca") throw refuse("'" + word.substr(0, 80) + "' is no word that it needs");
    if (i + 2 >= words.size()) throw refuse("a parameter has no value");
    const std::string name = unquoted(words[i + 1]);
    const std::string value = unquoted(words[i + 2]);
    i += 2;
    if (contains(ignored_parameters, name)) continue;
    if (!contains(allowed_parameters, name)) throw refuse("parameter '" + name.substr(0, 80) + "' is not for it");
    if (value.size() > most_characters || !is_harmless(value))
      throw refuse("parameter '" + name + "' has the value '" + value.substr(0, 80) + "'");
    if (name == "plm" && value != "rsh") throw refuse("parameter 'plm' has the value '" + value.substr(0, 80) + "'");
    command.insert(command.end(), {"-mca", name, value});
  }
  return command;
}

}  // namespace strake::cluster
