// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/table.hpp"
#include "cli/verbs.hpp"
#include "partition/plan_json.hpp"

namespace strake::cli {

namespace {

std::string points_text(const OpCost& cost) {
  std::string text;
  for (std::size_t i = 0; i < cost.extents.size(); ++i)
    text += fmt::format("{}{}: {:.1f}", i == 0 ? "" : "  ", cost.extents[i], cost.microseconds[i]);
  return text;
}

std::string costs_text(const Graph& graph, const Profile& profile, std::size_t rank) {
  const RankProfile& costs = profile.ranks[rank];
  Table table({fmt::format("rank {} ({}, {} threads)", rank, costs.host, costs.threads), "type", "rows: microseconds"});
  for (OpId id = 0; id < graph.size(); ++id) {
    const auto op = static_cast<std::size_t>(id);
    std::string text = points_text(costs.ops[op]);
    if (const std::string channels = points_text(costs.channels[op]); !channels.empty())
      text += "  channels " + channels;
    table.add({graph.op(id).name, std::string(kind_name(graph.op(id))), text});
  }
  return table.text() + fmt::format("whole model: {:.3f} ms; 100 us of it vary by {:.1f} us\n\n", costs.whole_us / 1000,
                                    std::sqrt(100 * costs.jitter_us));
}

std::string links_text(const Profile& profile) {
  Table table({"link", "latency us", "MB/s", "overhead us", "us/MB"});
  for (std::size_t src = 0; src < profile.links.size(); ++src)
    for (std::size_t dst = 0; dst < profile.links.size(); ++dst) {
      if (src == dst) continue;
      const Link& link = profile.links[src][dst];
      table.add({fmt::format("{} -> {}", src, dst), fmt::format("{:.2f}", link.latency_us),
                 link.us_per_byte > 0 ? fmt::format("{:.1f}", 1 / link.us_per_byte) : "-",
                 fmt::format("{:.2f}", link.overhead_us), fmt::format("{:.1f}", 1e6 * link.overhead_us_per_byte)});
    }
  return table.text();
}

struct ProfileOptions {
  CommonOptions common;
  InputOptions inputs;
};

int profile(const Context& context, const ProfileOptions& options) {
  begin_verb(context, options.common);
  OpenSession open = open_session(context, options.common, options.inputs);
  const Profile measured = open.session.profile();
  if (!context.is_root()) return 0;
  std::string text;
  for (std::size_t rank = 0; rank < measured.ranks.size(); ++rank)
    text += costs_text(open.session.graph(), measured, rank);
  if (measured.ranks.size() > 1) text += links_text(measured);
  print(context, options.common, text);
  write_json(
      context, options.common,
      {{"model", open.session.graph().name}, {"profile", nlohmann::json::parse(partition::profile_to_json(measured))}});
  return 0;
}

}  // namespace

void add_profile(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<ProfileOptions>();
  CLI::App* sub =
      app.add_subcommand("profile", "Measure what operators cost on each rank, and the links between ranks");
  add_model_options(*sub, options->common);
  add_input_options(*sub, options->inputs);
  add_job_options(*sub, options->common);
  add_output_options(*sub, options->common);
  sub->footer(
      "What --input gives settles open dimensions and whether an input is a picture; values do not matter.\n"
      "Example:\n  mpirun --hostfile edge.hosts strake profile net.onnx --json profile.json");
  sub->callback([&context, &verb, options, sub] {
    check_job_options(*sub, options->common, context.communicator.size());
    verb = [&context, options] { return profile(context, *options); };
  });
}

}  // namespace strake::cli
