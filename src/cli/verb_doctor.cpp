// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "cli/doctor.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "comm/clock_probe.hpp"
#include "comm/link_probe.hpp"
#include "comm/mpi_communicator.hpp"
#include "engine/handshake.hpp"
#include "engine/session.hpp"

namespace strake::cli {

namespace {

constexpr auto patience = std::chrono::minutes(1);

// Other than a session's handshake this refuses nobody: what differs is what is asked for.
std::vector<HostFacts> gather_facts(const Context& context) {
  HostFacts mine = local_facts();
  const engine::RankInfo info = engine::own_info(context.communicator, context.build);
  mine.host = info.host;
  mine.build = info.build;
  mine.kernel_library = info.library;
  mine.instruction_set = info.instruction_set;
  mine.mpi = comm::mpi_library();
  mine.ranks = 0;
  std::vector<std::string> hosts;
  for (const comm::Bytes& bytes : context.communicator.gather_for_all(comm::text_to_bytes(mine.host), patience)) {
    const std::string host = comm::text_from_bytes(bytes);
    mine.ranks += host == mine.host ? 1 : 0;
    if (std::ranges::find(hosts, host) == hosts.end()) hosts.push_back(host);
  }
  mine.names = resolve(hosts);
  const std::string text = to_json(mine).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::vector<HostFacts> facts;
  for (const comm::Bytes& bytes : context.communicator.gather(comm::text_to_bytes(text), 0, patience))
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

int doctor(const Context& context, const CommonOptions& options) {
  begin_verb(context, options);
  std::vector<HostFacts> facts = gather_facts(context);
  std::vector<std::vector<Link>> links;
  if (context.communicator.size() > 1) {
    add_clocks(context, facts);
    links = comm::probe_links(context.communicator, patience);
  }
  int n_problems = 0;
  if (context.is_root()) {
    const std::vector<Finding> findings = diagnose(facts, links);
    n_problems = static_cast<int>(std::ranges::count(findings, Gravity::problem, &Finding::gravity));
    print(context, options, hosts_text(facts) + findings_text(findings));
    write_json(context, options, json_of(facts, links, findings));
  }
  // All ranks end alike: one that could not go on would be reported as lost.
  const comm::Bytes code =
      context.communicator.broadcast(comm::Bytes{static_cast<std::byte>(n_problems > 0 ? 1 : 0)}, 0, patience);
  return std::to_integer<int>(code.front());
}

}  // namespace

void add_doctor(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App* sub = app.add_subcommand("doctor", "Look for what is wrong with the hosts of a job and their network");
  add_output_options(*sub, *options);
  sub->footer(
      "Exit code 0 when it would work, with or without advice; 1 when there is a problem.\n"
      "Example:\n  mpirun --hostfile edge.hosts --map-by node strake doctor");
  sub->callback([&context, &verb, options] { verb = [&context, options] { return doctor(context, *options); }; });
}

}  // namespace strake::cli
