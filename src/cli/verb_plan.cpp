// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/numbers.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "io/file.hpp"
#include "partition/cycle_model.hpp"
#include "partition/frame_bound.hpp"
#include "partition/memory.hpp"
#include "partition/plan_json.hpp"
#include "partition/planner.hpp"

namespace strake::cli {

namespace {

struct PlanOptions {
  CommonOptions common;
  InputOptions inputs;
  std::string file;
  std::string link = "1gbit,100us";
  int ranks = 0;
};

// "1gbit", "100mbit", "5.5kbit": microseconds per byte.
double us_per_byte_of(const std::string& text) {
  for (const auto& [unit, bits] : {std::pair<std::string, double>{"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}}) {
    if (!text.ends_with(unit)) continue;
    const double rate = number_of(text.substr(0, text.size() - unit.size()), "--link") * bits;
    if (rate > 0) return 8e6 / rate;
  }
  throw InvalidInput("--link expects a rate such as 1gbit, 100mbit or 500kbit, got '" + text + "'");
}

// "100us", "2ms": microseconds.
double microseconds_of(const std::string& text) {
  for (const auto& [unit, factor] : {std::pair<std::string, double>{"us", 1.0}, {"ms", 1000.0}}) {
    if (!text.ends_with(unit)) continue;
    const double time = number_of(text.substr(0, text.size() - unit.size()), "--link") * factor;
    if (time >= 0) return time;
  }
  throw InvalidInput("--link expects a latency such as 100us or 2ms, got '" + text + "'");
}

Link link_of(const std::string& text) {
  // What a sender's own work usually is of it; measured links tell theirs.
  constexpr double share_of_latency = 0.25;
  const std::size_t comma = text.find(',');
  const double latency_us = comma == std::string::npos ? 0 : microseconds_of(text.substr(comma + 1));
  return {.latency_us = latency_us,
          .us_per_byte = us_per_byte_of(text.substr(0, comma)),
          .overhead_us = share_of_latency * latency_us,
          .overhead_us_per_byte = 0};
}

// So many copies of this machine, joined by such links; speeds as emulated.
Profile copies(const Profile& one, const PlanOptions& options) {
  const auto n = static_cast<std::size_t>(options.ranks);
  const Link link = link_of(options.link);
  Profile profile = one;
  profile.ranks.clear();
  for (std::size_t rank = 0; rank < n; ++rank) {
    RankProfile copy = one.ranks.front();
    const double factor = rank < options.common.slowdowns.size() ? options.common.slowdowns[rank] : 1;
    scale_times(copy, factor);
    copy.host += "-" + std::to_string(rank);
    profile.ranks.push_back(std::move(copy));
  }
  profile.links.assign(n, std::vector<Link>(n, link));
  for (std::size_t rank = 0; rank < n; ++rank) profile.links[rank][rank] = {};
  return profile;
}

Profile profile_for(engine::Session& session, const PlanOptions& options) {
  Profile measured = session.profile();
  return session.size() == 1 && options.ranks > 1 && session.is_root() ? copies(measured, options) : measured;
}

struct Judged {
  partition::Verdict verdict;      // of a cycle all times are those of its frames together
  std::optional<double> bound_us;  // of one frame; none where several are in flight
  std::vector<double> memory_mb;   // [rank]

  [[nodiscard]] std::optional<double> gap(const Plan& plan) const {
    if (!bound_us || *bound_us <= 0) return std::nullopt;
    return plan.predicted_us / *bound_us - 1;
  }
};

std::vector<double> megabytes(std::vector<double> bytes) {
  for (double& one : bytes) one /= 1024 * 1024;
  return bytes;
}

Judged judge_frames(const partition::CostModel& costs, const Plan& plan) {
  if (plan.frames == 1)
    return {partition::judge(costs, plan), partition::frame_bound_us(costs),
            megabytes(partition::process_bytes(costs.graph(), costs.profile(), plan))};
  const partition::CycleModel cycle(costs, plan);
  return {partition::judge(cycle.costs, cycle.unrolled.plan), std::nullopt,
          megabytes(partition::process_bytes(cycle.unrolled.graph, cycle.costs.profile(), cycle.unrolled.plan))};
}

double fps_of(const Plan& plan) { return plan.predicted_us > 0 ? plan.frames * 1e6 / plan.predicted_us : 0; }

int plan(const Context& context, const PlanOptions& options) {
  begin_verb(context, options.common, {options.file});
  if (options.ranks > 0 && context.communicator.size() > 1 && options.ranks != context.communicator.size())
    throw InvalidInput("--ranks " + std::to_string(options.ranks) + " contradicts mpirun, which started " +
                       std::to_string(context.communicator.size()));
  // The speed of this machine is measured as it is; `copies` slows the copies down.
  CommonOptions measured = options.common;
  if (context.communicator.size() == 1) measured.slowdowns.clear();
  OpenSession open = open_session(context, measured, options.inputs);
  engine::Session& session = open.session;
  expect_other_file(options.file, *open.files);
  const Profile profile = profile_for(session, options);
  if (!context.is_root()) return 0;

  const partition::CostModel costs(session.graph(), profile);
  const Plan made = partition::make_plan(costs, options.common.strategy, goal_of(options.common));
  const Judged judged = judge_frames(costs, made);
  const partition::Verdict& verdict = judged.verdict;
  std::string text = made.frames == 1 ? plan_text(session.graph(), made, &profile) : cycle_text(session.graph(), made);
  for (const std::string& note : made.notes) text += note + "\n";
  text += fmt::format("{}: {} ranks used of {}, predicted {:.3f} ms", made.strategy, ranks_used(made, session.graph()),
                      made.n_ranks, made.predicted_us / 1000);
  if (made.frames > 1) text += fmt::format(" for {} frames, {:.2f} frames/s", made.frames, fps_of(made));
  text += "\n";
  if (made.transfer_type != TransferType::f32)
    text += fmt::format("f32 tensors travel between hosts as {}\n", to_string(made.transfer_type));
  text += verdict_text(verdict, made.n_ranks, options.common.strategy == "auto");
  if (judged.bound_us) text += bound_text(*judged.bound_us, made.predicted_us);
  text += fmt::format("memory: {:.0f} MB on the rank that holds most, without scratch memory\n",
                      *std::ranges::max_element(judged.memory_mb));
  print(context, options.common, text);
  const std::string json = partition::plan_to_json(session.graph(), made);
  if (!options.file.empty()) io::write_file(options.file, json + "\n");
  write_json(context, options.common,
             {{"model", session.graph().name},
              {"ranks_used", ranks_used(made, session.graph())},
              {"strategy", made.strategy},
              {"predicted_ms", made.predicted_us / 1000},
              {"frames_in_flight", made.frames},
              {"throughput_fps", fps_of(made)},
              {"communication_bound_ms", judged.bound_us ? nlohmann::json(*judged.bound_us / 1000) : nlohmann::json()},
              {"gap", judged.gap(made) ? nlohmann::json(*judged.gap(made)) : nlohmann::json()},
              {"memory_mb", judged.memory_mb},
              {"verdict", verdict_json(verdict)},
              {"notes", made.notes},
              {"plan", nlohmann::json::parse(json)}});
  return 0;
}

}  // namespace

void add_plan(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* sub = app.add_subcommand("plan", "Show who would compute what, and what it would take");
  add_model_options(*sub, options->common);
  add_input_options(*sub, options->inputs);
  sub->add_option("-o,--output", options->file, "Write the plan to this file, for run --plan")
      ->check(check_file_name());
  sub->add_option("--ranks", options->ranks, "Without mpirun: so many copies of this machine")
      ->check(CLI::Range(1, 1024));
  sub->add_option("--link", options->link, "Without mpirun: rate and latency between them")
      ->capture_default_str()
      ->check([](const std::string& text) -> std::string {
        try {
          (void)link_of(text);
        } catch (const InvalidInput& error) {
          return error.what();
        }
        return "";
      });
  add_job_options(*sub, options->common);
  add_transfer_option(*sub, options->common);
  add_replay_option(*sub, options->common);
  add_output_options(*sub, options->common);
  sub->footer(
      "A plan for pictures (8-bit, normalised where they arrive) needs the same --input as the run.\n"
      "Examples:\n"
      "  mpirun --hostfile edge.hosts strake plan net.onnx -o plan.json\n"
      "  strake plan net.onnx --ranks 4 --link 100mbit,200us");
  sub->callback([&context, &verb, options, sub] {
    if (sub->get_option("--link")->count() > 0 && (options->ranks < 2 || context.communicator.size() > 1))
      throw CLI::ValidationError("--link", "joins the copies of this machine that --ranks asks for, without mpirun");
    check_job_options(*sub, options->common, std::max(options->ranks, context.communicator.size()));
    verb = [&context, options] { return plan(context, *options); };
  });
}

}  // namespace strake::cli
