// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/cluster_options.hpp"
#include "cli/doctor.hpp"
#include "cli/printable.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "cluster/status.hpp"
#include "comm/clock_probe.hpp"
#include "comm/link_probe.hpp"
#include "engine/session.hpp"

namespace strake::cli {

namespace {

constexpr auto patience = std::chrono::minutes(1);
constexpr std::chrono::milliseconds ask_longest{5000};

struct DoctorOptions {
  CommonOptions common;
  std::string address;  // of a supervisor; empty for the hosts of this job
  std::string key;
};

// Other than a session's handshake this refuses nobody: what differs is what is asked for.
std::vector<HostFacts> gather_facts(const Context& context) {
  HostFacts mine = facts_of_this_host(context);
  mine.ranks = 0;
  std::vector<std::string> hosts;
  for (const comm::Bytes& bytes : context.communicator.gather_for_all(comm::text_to_bytes(mine.host), patience)) {
    const std::string host = comm::text_from_bytes(bytes);
    mine.ranks += host == mine.host ? 1 : 0;
    if (std::ranges::find(hosts, host) == hosts.end()) hosts.push_back(host);
  }
  mine.names = resolve(hosts);
  std::vector<HostFacts> facts;
  for (const comm::Bytes& bytes : context.communicator.gather(comm::text_to_bytes(text_of(mine)), 0, patience))
    facts.push_back(facts_from_json(nlohmann::json::parse(comm::text_from_bytes(bytes))));
  return facts;
}

// The clocks that people read, not those that measure.
void add_clocks(const Context& context, std::vector<HostFacts>& facts) {
  const auto wall_clock = [] {
    return std::int64_t{
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count()};
  };
  const std::vector<comm::ClockOffset> offsets = comm::probe_clocks(context.communicator, wall_clock, patience);
  constexpr double ns_per_ms = 1e6;
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    facts[rank].clock_ahead_ms = static_cast<double>(offsets[rank].ahead) / ns_per_ms;
    facts[rank].clock_error_ms = static_cast<double>(offsets[rank].error) / ns_per_ms;
  }
}

std::string hosts_text(const std::vector<HostFacts>& facts) {
  Table table({"rank", "host", "processor", "instructions", "cores", "load", "free MB", "MHz", "degrees", "clock ms"});
  const auto known = [](double value, const char* format) {
    return value > 0 ? fmt::format(fmt::runtime(format), value) : std::string("-");
  };
  for (std::size_t rank = 0; rank < facts.size(); ++rank) {
    const HostFacts& one = facts[rank];
    table.add({std::to_string(rank), one.host, one.cpu, one.instruction_set,
               fmt::format("{}/{}", one.allowed_cores, one.online_cores), fmt::format("{:.2f}", one.load),
               fmt::format("{:.0f}", one.memory_free_mb), known(one.clock_mhz, "{:.0f}"),
               known(one.temperature_c, "{:.0f}"), fmt::format("{:+.2f}", one.clock_ahead_ms)});
  }
  return table.text();
}

std::string findings_text(const std::vector<Finding>& findings) {
  if (findings.empty()) return "\nnothing to complain about\n";
  std::string text = "\n";
  for (const Finding& finding : findings)
    text += fmt::format("{}: {} {}\n    {}\n", finding.gravity == Gravity::problem ? "PROBLEM" : "advice",
                        finding.where, finding.what, finding.remedy);
  return text;
}

nlohmann::json json_of(const std::vector<HostFacts>& facts, const std::vector<std::vector<Link>>& links,
                       const std::vector<Finding>& findings) {
  nlohmann::json json{
      {"ranks", nlohmann::json::array()}, {"links", nlohmann::json::array()}, {"findings", nlohmann::json::array()}};
  for (const HostFacts& one : facts) json["ranks"].push_back(to_json(one));
  for (std::size_t src = 0; src < links.size(); ++src)
    for (std::size_t dst = 0; dst < links.size(); ++dst)
      if (src != dst)
        json["links"].push_back({{"src", src},
                                 {"dst", dst},
                                 {"latency_us", links[src][dst].latency_us},
                                 {"mbit_s", links[src][dst].us_per_byte > 0 ? 8 / links[src][dst].us_per_byte : 0}});
  for (const Finding& finding : findings)
    json["findings"].push_back({{"gravity", finding.gravity == Gravity::problem ? "problem" : "advice"},
                                {"where", finding.where},
                                {"what", finding.what},
                                {"remedy", finding.remedy}});
  return json;
}

// How many problems there are.
std::size_t tell(const Context& context, const CommonOptions& options, const std::vector<HostFacts>& facts,
                 const std::vector<std::vector<Link>>& links, const std::vector<Finding>& findings) {
  print(context, options, printable(hosts_text(facts) + findings_text(findings)));
  write_json(context, options, json_of(facts, links, findings));
  return static_cast<std::size_t>(std::ranges::count(findings, Gravity::problem, &Finding::gravity));
}

// How the hosts of a cluster that is served are, by node; the supervisor's comes first, by no name. What a node says
// may be anything: where it makes no sense the node has not answered.
std::map<std::string, HostFacts> facts_by_node(const nlohmann::json& hosts) {
  std::map<std::string, HostFacts> facts;
  for (const nlohmann::json& host : hosts) {
    if (!host.contains("facts")) continue;
    try {
      HostFacts one = facts_from_json(nlohmann::json::parse(host.at("facts").get<std::string>()));
      one.clock_ahead_ms = host.value("clock_ahead_ms", 0.0);
      one.clock_error_ms = host.value("clock_error_ms", 0.0);
      facts.emplace(host.at("node"), std::move(one));
    } catch (const nlohmann::json::exception&) {
      continue;
    }
  }
  return facts;
}

ClusterStanding standing_of(const nlohmann::json& state, const std::map<std::string, HostFacts>& facts) {
  ClusterStanding cluster{
      .host = "", .job = state.at("job").at("state"), .refused = state.at("refused").at("without_key"), .nodes = {}};
  if (const auto own = facts.find(""); own != facts.end()) cluster.host = own->second.host;
  for (const nlohmann::json& node : state.at("nodes"))
    cluster.nodes.push_back({.name = node.at("name"),
                             .host = node.at("host"),
                             .there = node.at("there"),
                             .in_job = node.at("in_job"),
                             .answered = facts.contains(node.at("name").get<std::string>()),
                             .slow_link = node.at("slow_link"),
                             .heard_ms = node.at("heard_ms"),
                             .echo_ms = node.at("echo_ms"),
                             .losses = node.at("losses")});
  return cluster;
}

int doctor_of_cluster(const Context& context, const DoctorOptions& options) {
  expect_one_process(context, "doctor ADDRESS");
  const cluster::Address address = cluster::address_of(options.address);
  const std::string text = cluster::ask_facts(address, identity_for(address, options.key), ask_longest);
  std::map<std::string, HostFacts> by_node;
  ClusterStanding standing;
  try {
    const nlohmann::json all = nlohmann::json::parse(text);
    by_node = facts_by_node(all.at("hosts"));
    standing = standing_of(all.at("state"), by_node);
  } catch (const nlohmann::json::exception&) {
    throw PeerLost("what answers at '" + address.text() + "' is no supervisor of this version");
  }
  std::vector<HostFacts> facts;
  for (auto& [node, one] : by_node) facts.push_back(std::move(one));
  std::vector<Finding> findings = diagnose(standing);
  std::ranges::move(diagnose(facts, {}), std::back_inserter(findings));
  std::ranges::stable_sort(findings, {}, &Finding::gravity);
  return tell(context, options.common, facts, {}, findings) > 0 ? 1 : 0;
}

int doctor_of_job(const Context& context, const CommonOptions& options) {
  begin_verb(context, options);
  std::vector<HostFacts> facts = gather_facts(context);
  std::vector<std::vector<Link>> links;
  if (context.communicator.size() > 1) {
    add_clocks(context, facts);
    links = comm::probe_links(context.communicator, patience);
  }
  std::size_t n_problems = 0;
  if (context.is_root()) n_problems = tell(context, options, facts, links, diagnose(facts, links));
  // All ranks end alike: one that could not go on would be reported as lost.
  const comm::Bytes code =
      context.communicator.broadcast(comm::Bytes{static_cast<std::byte>(n_problems > 0 ? 1 : 0)}, 0, patience);
  return std::to_integer<int>(code.front());
}

}  // namespace

void add_doctor(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* sub = app.add_subcommand("doctor", "Look for what is wrong with the hosts of a cluster and their network");
  sub->add_option(
      "address", options->address,
      "Of a cluster that strake serve holds: tcp://HOST:PORT; without one the hosts of this job are looked at");
  add_key_option(*sub, options->key);
  add_output_options(*sub, options->common);
  sub->footer(
      "Exit code 0 when it would work, with or without advice; 1 when there is a problem.\n"
      "Examples:\n"
      "  strake doctor 127.0.0.1\n"
      "  mpirun --hostfile edge.hosts --map-by node strake doctor");
  sub->callback([&context, &verb, options] {
    verb = [&context, options] {
      return options->address.empty() ? doctor_of_job(context, options->common) : doctor_of_cluster(context, *options);
    };
  });
}

}  // namespace strake::cli
