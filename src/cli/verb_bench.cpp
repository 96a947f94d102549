// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/report.hpp"
#include "cli/verbs.hpp"
#include "partition/bounds.hpp"

namespace strake::cli {

namespace {

struct BenchOptions {
  CommonOptions common;
  std::string plan_file;
  int frames = 50;
  int warm_up = 5;
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

std::vector<double> run_frames(const Context& context, const BenchOptions& options, engine::Session& session,
                               const engine::TensorMap& inputs) {
  for (int i = 0; i < options.warm_up; ++i) (void)session.run(inputs);
  session.forget_times();
  const Progress progress(context.is_root() && !options.common.quiet, options.frames);
  std::vector<double> ms;
  for (int i = 0; i < options.frames; ++i) {
    ms.push_back(session.run(inputs) / 1000);
    progress.step(i + 1);
  }
  return ms;
}

int bench(const Context& context, const BenchOptions& options) {
  set_verbosity(context, options.common);
  OpenSession open = open_session(context, options.common, {});
  engine::Session& session = open.session;
  const engine::TensorMap inputs = engine::random_inputs(session.graph());
  PlanResult planned = make_session_plan(session, options.common.strategy, options.plan_file);
  const double predicted_ms = planned.plan.predicted_us / 1000;
  if (predicted_ms > 0)
    print(context, options.common, fmt::format("predicted: {:.3f} ms ({})\n", predicted_ms, planned.plan.strategy));

  // Half of the measurements of one rank before and half behind those of the cluster: the machine's speed drifts.
  const int half = std::max(options.frames / 2, 1);
  const std::vector<double> before = session.measure_single_ranks(half, inputs);
  session.compile(std::move(planned.plan));
  const std::vector<double> cluster_ms = run_frames(context, options, session, inputs);
  const std::vector<engine::OpTime> op_times = session.op_times();
  const std::vector<engine::RankReport> ranks = session.report();
  const std::vector<double> after = session.measure_single_ranks(half, inputs);
  if (!context.is_root()) return 0;

  std::vector<double> single_us;
  for (std::size_t rank = 0; rank < before.size(); ++rank) single_us.push_back((before[rank] + after[rank]) / 2);
  const engine::Percentiles latency = engine::percentiles(cluster_ms);
  const double best_single_ms = *std::min_element(single_us.begin(), single_us.end()) / 1000;
  const double ideal = partition::ideal_speedup(single_us);
  const double speedup = best_single_ms / latency.p50;
  const int used = ranks_used(session.plan(), session.graph());

  std::string text = fmt::format("{}: {} frames on {} of {} ranks ({}): {}\n", session.graph().name, options.frames,
                                 used, session.size(), session.plan().strategy, latency_text(latency));
  text += fmt::format(
      "best single rank {:.3f} ms, cluster {:.3f} ms: speedup {:.3f} of ideal {:.3f}, efficiency {:.1f} %\n",
      best_single_ms, latency.p50, speedup, ideal, 100 * speedup / ideal);
  if (!options.common.slowdowns.empty())
    text += "(speeds of ranks are emulated by --emulate-slowdown; the bound is that of the emulated speeds)\n";
  text += ranks_text(ranks);
  if (options.common.verbose) text += "\n" + op_times_text(session.graph(), op_times);
  print(context, options.common, text);
  write_json(context, options.common,
             {{"model", session.graph().name},
              {"ranks_used", used},
              {"strategy", session.plan().strategy},
              {"frames", options.frames},
              {"latency_ms", latency_json(latency)},
              {"predicted_ms", predicted_ms},
              {"best_single_ms", best_single_ms},
              {"cluster_ms", latency.p50},
              {"speedup", speedup},
              {"ideal_speedup", ideal},
              {"efficiency", speedup / ideal},
              {"ranks", ranks_json(ranks)}});
  return 0;
}

}  // namespace

void add_bench(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* sub = app.add_subcommand("bench", "Measure the cluster against its best single rank and the ideal bound");
  add_model_options(*sub, options->common);
  sub->add_option("--frames", options->frames, "Frames that count")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  sub->add_option("--warm-up", options->warm_up, "Frames before them")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  sub->add_option("--plan", options->plan_file, "Run this plan, as strake plan -o writes it");
  add_job_options(*sub, options->common);
  add_output_options(*sub, options->common);
  sub->footer(
      "Examples:\n"
      "  mpirun -np 2 strake bench resnet50.onnx --frames 100 --json bench.json\n"
      "  mpirun -np 2 strake bench resnet50.onnx --emulate-slowdown 1,3");
  sub->callback([&context, &verb, options] { verb = [&context, options] { return bench(context, *options); }; });
}

}  // namespace strake::cli
