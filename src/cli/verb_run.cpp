// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/draw_strips.hpp"
#include "cli/numbers.hpp"
#include "cli/report.hpp"
#include "cli/trace_json.hpp"
#include "cli/verbs.hpp"
#include "core/unroll.hpp"
#include "io/file.hpp"
#include "io/npy.hpp"
#include "onnx/tensor_file.hpp"

namespace strake::cli {

namespace {

struct RunOptions {
  CommonOptions common;
  InputOptions inputs;
  std::string plan_file;
  std::string output;
  std::string format = "npy";
  std::string draw_strips;
  int frames = 1;
};

// Characters of an output's name that no file name should have become '_'.
std::string file_name_of(const std::string& name) {
  std::string safe = name;
  for (char& c : safe) {
    const bool keep =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    if (!keep) c = '_';
  }
  return safe;
}

void make_output_directory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored))
    throw InvalidInput("--output '" + directory + "' is no directory and cannot be made one" +
                       (error ? ": " + error.message() : ""));
}

// A file for each output; names that would share one are numbered.
std::map<std::string, std::string> output_files(const RunOptions& options, const std::vector<std::string>& names) {
  std::map<std::string, std::string> files;
  std::set<std::string> taken;
  for (const std::string& name : names) {
    std::string stem = file_name_of(name);
    for (int i = 2; !taken.insert(stem).second; ++i) stem = file_name_of(name) + "_" + std::to_string(i);
    files[name] = (std::filesystem::path(options.output) / stem).string() + "." + options.format;
  }
  return files;
}

std::vector<std::string> names_of(const engine::TensorMap& outputs) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : outputs) names.push_back(name);
  return names;
}

// All of them, or an error before the first is written.
std::map<std::string, io::Picture> pictures_of(const engine::TensorMap& outputs) {
  std::map<std::string, io::Picture> pictures;
  for (const auto& [name, tensor] : outputs) {
    std::optional<io::Picture> picture = io::to_picture(tensor);
    if (!picture)
      throw InvalidInput("output '" + name + "' of shape " + to_string(tensor.shape) +
                         " is no picture; --format npy writes it");
    pictures.emplace(name, std::move(*picture));
  }
  return pictures;
}

void write_outputs(const RunOptions& options, const engine::TensorMap& outputs) {
  const std::map<std::string, std::string> files = output_files(options, names_of(outputs));
  if (options.format == "png") {
    for (const auto& [name, picture] : pictures_of(outputs)) io::write_png(files.at(name), picture);
    return;
  }
  for (const auto& [name, tensor] : outputs) {
    if (options.format == "pb")
      onnx_import::write_tensor_proto(files.at(name), name, tensor);
    else
      io::write_npy(files.at(name), tensor);
  }
}

io::Picture strips_picture(const OpenSession& open, const engine::TensorMap& outputs) {
  const Port& port = open.session.graph().outputs.front();
  const auto first = outputs.find(port.name);
  if (first == outputs.end())
    throw InvalidInput("--draw-strips needs an output of the graph; '" + port.name + "' is none");
  const std::optional<io::Picture> result = io::to_picture(first->second);
  const std::optional<io::Picture> input = first_picture(*open.files);
  if (!result || !input) throw InvalidInput("--draw-strips needs a picture as input and one as first output");
  return draw_strips(*input, *result, open.session.graph(), frame_plan(open.session.plan(), 0), port.op);
}

// Rank 0 checks what it can before anybody measures or waits.
engine::TensorMap prepare_on_root(const Context& context, const RunOptions& options, const OpenSession& open) {
  if (!context.is_root()) return {};
  expect_other_file(options.draw_strips, *open.files);
  if (!options.output.empty()) {
    make_output_directory(options.output);
    std::vector<std::string> names;
    for (const Port& port : open.session.graph().outputs) names.push_back(port.name);
    const std::vector<std::string> others{options.common.json, options.common.trace, options.common.model,
                                          options.plan_file};
    for (const auto& [name, file] : output_files(options, names)) {
      expect_other_file(file, others);
      expect_other_file(file, *open.files);
      io::check_writable(file);
    }
  }
  return read_inputs(open.session.graph(), *open.files, options.inputs);
}

int run(const Context& context, const RunOptions& options) {
  begin_verb(context, options.common, {options.draw_strips}, {options.plan_file});
  OpenSession open = open_session(context, options.common, options.inputs);
  engine::Session& session = open.session;
  const engine::TensorMap inputs = prepare_on_root(context, options, open);
  engine::PlanResult planned = make_session_plan(session, options.common, options.plan_file);
  session.compile(std::move(planned.plan));
  const std::optional<double> predicted = predicted_ms(session.plan());
  if (predicted)
    print(context, options.common, fmt::format("predicted: {:.3f} ms ({})\n", *predicted, session.plan().strategy));

  std::optional<engine::LiveBalance> live = begin_live(session, options.common, planned.profile);
  begin_trace(options.common, session, options.frames);
  std::vector<double> latencies_ms;
  std::vector<double> ends_ms;
  const int cycles = cycles_for(options.frames, session.plan());
  const auto begin = std::chrono::steady_clock::now();
  for (int cycle = 0; cycle < cycles; ++cycle) {
    const double us = session.run(inputs);
    latencies_ms.push_back(us / 1000);
    if (!live) continue;
    ends_ms.push_back(engine::microseconds(std::chrono::steady_clock::now() - begin) / 1000);
    live->after_cycle();
  }
  if (live) live->close();
  const Plan& plan = session.plan();  // the last one
  const std::vector<engine::OpTime> op_times = session.op_times();
  const double tail_ms = session.tail_ms();
  const engine::Trace trace = end_trace(options.common, session);
  const std::vector<engine::RankReport> ranks = session.report();
  if (!context.is_root()) return 0;

  const engine::TensorMap outputs = session.outputs();
  std::optional<io::Picture> strips;
  if (!options.draw_strips.empty()) strips = strips_picture(open, outputs);
  if (!options.output.empty()) write_outputs(options, outputs);
  if (strips) io::write_png(options.draw_strips, *strips);

  const engine::Percentiles latency = engine::percentiles(latencies_ms);
  const int used = ranks_used(plan, session.graph());
  std::string text = fmt::format("{}: {} on {} of {} rank{}: {}\n", session.graph().name,
                                 frames_text(cycles * plan.frames, plan.frames), used, session.size(),
                                 session.size() == 1 ? "" : "s", cycles_text(latency, plan.frames));
  if (!session.tail().nodes.empty())
    text += fmt::format("of which {:.3f} ms (p50) in {} nodes behind the graph, on rank 0\n", tail_ms,
                        session.tail().nodes.size());
  if (live) text += events_text(live->events());
  text += ranks_text(ranks);
  if (options.common.verbose) text += "\n" + op_times_text(session.graph(), op_times);
  print(context, options.common, text);
  print(context, options.common, write_trace(options.common, session, trace));
  write_json(context, options.common,
             frame_json({.model = session.graph().name,
                         .strategy = plan.strategy,
                         .ranks_used = used,
                         .frames = cycles * plan.frames,
                         .in_flight = plan.frames,
                         .latency_ms = latency,
                         .tail_ms = tail_ms,
                         .predicted_ms = predicted,
                         .best_single_ms = {},
                         .ideal_speedup = {},
                         .bounds = {},
                         .ranks = ranks,
                         .events = live_events(options.common, live),
                         .frame_end_ms = ends_ms}));
  return 0;
}

}  // namespace

void add_run(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* sub = app.add_subcommand("run", "Run a model on input files and write its outputs");
  add_model_options(*sub, options->common);
  add_input_options(*sub, options->inputs);
  CLI::Option* output = sub->add_option("-o,--output", options->output, "Directory for the outputs, one file each")
                            ->check(check_file_name());
  sub->add_option("--format", options->format, "Of the outputs")
      ->check(CLI::IsMember({"npy", "pb", "png"}))
      ->needs(output)
      ->capture_default_str();
  sub->add_option("--frames", options->frames, "Run the input so many times")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  add_plan_option(*sub, options->plan_file);
  sub->add_option("--draw-strips", options->draw_strips, "PNG of input and first output with the ranks' strips")
      ->check(check_file_name());
  add_job_options(*sub, options->common);
  add_trace_option(*sub, options->common);
  add_transfer_option(*sub, options->common);
  add_replay_option(*sub, options->common);
  add_live_option(*sub, options->common);
  // Nothing is computed.
  for (const char* results : {"--output", "--draw-strips"}) sub->get_option("--replay")->excludes(results);
  add_output_options(*sub, options->common);
  sub->footer(
      "Examples:\n"
      "  strake run squeezenet.onnx --input dog.jpg --channels bgr --mean 104,117,123 --output out\n"
      "  mpirun --hostfile edge.hosts strake run yolo.onnx --input images=frame.jpg --frames 100\n"
      "  mpirun -np 4 --oversubscribe strake run net.onnx --input x=x.npy --exact --strategy equal\n"
      "  mpirun -np 2 strake run net.onnx --input dog.jpg --frames 20 --trace trace.json");
  sub->callback([&context, &verb, options, sub] {
    check_job_options(*sub, options->common, context.communicator.size());
    verb = [&context, options] { return run(context, *options); };
  });
}

}  // namespace strake::cli
