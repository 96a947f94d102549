// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/report.hpp"
#include "cli/trace_json.hpp"
#include "cli/verbs.hpp"
#include "partition/bounds.hpp"
#include "partition/frame_bound.hpp"

namespace strake::cli {

namespace {

constexpr int most_rounds = 5;
// After the first round; one rank has slept while the others were measured.
constexpr int later_warm_up = 3;

struct BenchOptions {
  CommonOptions common;
  InputOptions inputs;
  std::string plan_file;
  int frames = 50;
  int warm_up = 5;
  bool profile = false;
};

// A line that counts frames on a terminal, and nothing elsewhere.
class Progress {
 public:
  Progress(bool shown, int total) : shown_(shown && isatty(STDERR_FILENO) != 0), total_(total) {}
  void step(int done) const {
    if (!shown_) return;
    constexpr int width = 40;
    const int filled = width * done / total_;
    std::fputs(fmt::format("\r[{}{}] {}/{}", std::string(static_cast<std::size_t>(filled), '#'),
                           std::string(static_cast<std::size_t>(width - filled), ' '), done, total_)
                   .c_str(),
               stderr);
    if (done == total_) std::fputs("\r\033[K", stderr);
  }

 private:
  bool shown_;
  int total_;
};

struct Measured {
  std::vector<std::vector<double>> single_us;  // [rank][frame], alone; no rank where it does not fit into memory
  std::vector<double> cluster_ms;              // [cycle]
};

// One rank and the cluster by turns: the machine's speed drifts, and the ratio of the two should not.
Measured run_frames(const Context& context, const BenchOptions& options, engine::Session& session,
                    std::optional<engine::LiveBalance>& live, const engine::TensorMap& inputs) {
  const int cycles = cycles_for(options.frames, session.plan());
  const int rounds = std::min(cycles, most_rounds);
  const Progress progress(context.is_root() && !options.common.quiet, cycles);
  Measured measured;
  if (session.fits_alone()) measured.single_us.resize(static_cast<std::size_t>(session.size()));
  for (int round = 0; round < rounds; ++round) {
    const int end = cycles * (round + 1) / rounds;
    const int begin = cycles * round / rounds;
    std::vector<std::vector<double>> alone;
    if (!measured.single_us.empty())
      alone = session.measure_single_ranks((end - begin) * session.plan().frames, inputs);
    for (std::size_t rank = 0; rank < alone.size(); ++rank)
      measured.single_us[rank].insert(measured.single_us[rank].end(), alone[rank].begin(), alone[rank].end());
    const int warm_up = round == 0 ? options.warm_up : std::min(options.warm_up, later_warm_up);
    const auto run = [&](engine::Frame frame) {
      const double us = session.run(inputs, frame);
      if (live) live->after_cycle();
      return us;
    };
    for (int i = 0; i < warm_up; ++i) (void)run(engine::Frame::warm_up);
    for (int i = begin; i < end; ++i) {
      measured.cluster_ms.push_back(run(engine::Frame::counted) / 1000);
      progress.step(i + 1);
    }
  }
  if (live) live->close();
  return measured;
}

Bounds bounds_of(const Graph& graph, const std::optional<Profile>& profile) {
  if (!profile) return {};
  const partition::CostModel costs(graph, *profile);
  const std::vector<double> whole_us = partition::whole_us(costs);
  const double single_us = *std::min_element(whole_us.begin(), whole_us.end());
  return {.whole_rows_ms = single_us / partition::whole_rows_speedup(costs) / 1000,
          .communication_ms = partition::frame_bound_us(costs) / 1000};
}

std::string speedup_text(std::optional<double> best_single_ms, double cluster_ms, std::optional<double> ideal) {
  if (!best_single_ms || !ideal)
    return fmt::format("cluster {:.3f} ms; no rank may hold the whole model (--max-memory)\n", cluster_ms);
  const double speedup = *best_single_ms / cluster_ms;
  return fmt::format(
      "best single rank {:.3f} ms, cluster {:.3f} ms: speedup {:.3f} of ideal {:.3f}, efficiency {:.1f} %\n",
      *best_single_ms, cluster_ms, speedup, *ideal, 100 * speedup / *ideal);
}

int bench(const Context& context, const BenchOptions& options) {
  begin_verb(context, options.common, {}, {options.plan_file});
  OpenSession open = open_session(context, options.common, options.inputs);
  engine::Session& session = open.session;
  const engine::TensorMap inputs = inputs_to_measure(context, options.inputs, open);
  engine::PlanResult planned = make_session_plan(session, options.common, options.plan_file);
  const std::optional<double> predicted = predicted_ms(planned.plan);
  if (predicted)
    print(context, options.common, fmt::format("predicted: {:.3f} ms ({})\n", *predicted, planned.plan.strategy));

  const Bounds bounds = bounds_of(session.graph(), planned.profile);
  session.compile(std::move(planned.plan));
  if (options.profile) session.measure_copies();
  std::optional<engine::LiveBalance> live = begin_live(session, options.common, planned.profile);
  begin_trace(options.common, session, options.frames);
  const Measured measured = run_frames(context, options, session, live, inputs);
  const std::vector<engine::OpTime> op_times = session.op_times();
  const engine::FrameParts parts = session.frame_parts();
  const double tail_ms = session.tail_ms();
  const engine::Trace trace = end_trace(options.common, session);
  const std::vector<engine::RankReport> ranks = session.report();
  if (!context.is_root()) return 0;

  std::vector<double> single_us;
  for (const std::vector<double>& samples : measured.single_us) single_us.push_back(engine::median(samples));
  const engine::Percentiles latency = engine::percentiles(measured.cluster_ms);
  std::optional<double> best_single_ms;
  std::optional<double> ideal;
  if (!single_us.empty()) {
    best_single_ms = *std::min_element(single_us.begin(), single_us.end()) / 1000;
    ideal = partition::ideal_speedup(single_us);
  }
  const int in_flight = session.plan().frames;
  const int frames = static_cast<int>(measured.cluster_ms.size()) * in_flight;
  const int used = ranks_used(session.plan(), session.graph());

  std::string text =
      fmt::format("{}: {} on {} of {} ranks ({}): {}\n", session.graph().name, frames_text(frames, in_flight), used,
                  session.size(), session.plan().strategy, cycles_text(latency, in_flight));
  text += speedup_text(best_single_ms, latency.p50 / in_flight, ideal);
  if (bounds.communication_ms && in_flight == 1)
    text += fmt::format("bound with communication {:.3f} ms, with whole rows and free links {:.3f} ms\n",
                        *bounds.communication_ms, *bounds.whole_rows_ms);
  if (!options.common.slowdowns.empty() || !options.common.slowdown_changes.empty())
    text += "(speeds of ranks are emulated by --emulate-slowdown; the bound is that of the emulated speeds)\n";
  if (live) text += events_text(live->events());
  text += ranks_text(ranks);
  if (options.profile) text += "\n" + frame_parts_text(parts);
  if (options.common.verbose || options.profile) text += "\n" + op_times_text(session.graph(), op_times);
  print(context, options.common, text);
  print(context, options.common, write_trace(options.common, session, trace));
  nlohmann::json json = frame_json({.model = session.graph().name,
                                    .strategy = session.plan().strategy,
                                    .ranks_used = used,
                                    .frames = frames,
                                    .in_flight = in_flight,
                                    .latency_ms = latency,
                                    .tail_ms = tail_ms,
                                    .predicted_ms = predicted,
                                    .best_single_ms = best_single_ms,
                                    .ideal_speedup = ideal,
                                    .bounds = bounds,
                                    .ranks = ranks,
                                    .events = live_events(options.common, live)});
  if (options.profile) json["profile"] = frame_parts_json(parts);
  write_json(context, options.common, json);
  return 0;
}

}  // namespace

void add_bench(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* sub = app.add_subcommand("bench", "Measure the cluster against its best single rank and the ideal bound");
  add_model_options(*sub, options->common);
  add_input_options(*sub, options->inputs);
  sub->add_option("--frames", options->frames, "Frames that count")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  sub->add_option("--warm-up", options->warm_up, "Frames before them")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  sub->add_flag("--profile", options->profile, "Tell where a frame's time goes: kernels, copies, waits, other");
  add_plan_option(*sub, options->plan_file);
  add_job_options(*sub, options->common);
  add_trace_option(*sub, options->common);
  add_transfer_option(*sub, options->common);
  add_replay_option(*sub, options->common);
  add_live_option(*sub, options->common);
  add_output_options(*sub, options->common);
  sub->footer(
      "Without --input it measures with pseudo-random values; a picture is measured as 8-bit rows.\n"
      "Examples:\n"
      "  mpirun -np 2 strake bench resnet50.onnx --frames 100 --json bench.json\n"
      "  mpirun -np 2 strake bench resnet50.onnx --emulate-slowdown 1,3");
  sub->callback([&context, &verb, options, sub] {
    check_job_options(*sub, options->common, context.communicator.size());
    verb = [&context, options] { return bench(context, *options); };
  });
}

}  // namespace strake::cli
