// SPDX-License-Identifier: Apache-2.0
#include "cli/trace_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/numbers.hpp"
#include "io/file.hpp"

namespace strake::cli {

namespace {

using engine::FrameTrace;
using engine::RankTrace;
using engine::StepKind;
using engine::TraceStep;

enum class Track : unsigned char { frames = 1, kernels, messages };

// A transfer of the plan, which every frame repeats.
struct Flow {
  Transfer transfer;
  std::int64_t number = 0;  // among all of a frame
  std::size_t n_bytes = 0;
};

// A step of one rank with all that no frame changes.
struct Slice {
  Track track = Track::kernels;
  nlohmann::json event;      // all but its times
  std::vector<Flow> begins;  // flows that begin in it
  std::vector<Flow> ends;
};

double microseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1000; }

class TraceWriter {
 public:
  TraceWriter(std::ostream& stream, const Graph& graph, const Plan& plan, const engine::Trace& trace)
      : stream_(stream), graph_(graph), trace_(trace), flows_(graph.ops.size()) {
    for (OpId id = 0; id < graph.size(); ++id)
      for (const Transfer& transfer : transfers(graph, plan, id))
        flows_[at(id)].push_back({transfer, n_flows_++, dense_bytes(transfer.box, graph.op(id).type)});
    begin_ = std::numeric_limits<std::int64_t>::max();
    for (const RankTrace& rank : trace.ranks)
      if (!rank.frames.empty()) begin_ = std::min(begin_, rank.frames.front().front());
  }

  void write(const nlohmann::json& about) {
    stream_ << R"({"displayTimeUnit":"ms","otherData":)" << text_of(about) << ",\"traceEvents\":[";
    for (std::size_t rank = 0; rank < trace_.ranks.size(); ++rank) write_names(static_cast<int>(rank));
    for (std::size_t rank = 0; rank < trace_.ranks.size(); ++rank) write_rank(static_cast<int>(rank));
    stream_ << "\n]}\n";
  }

 private:
  // Names from model files may be no UTF-8.
  static std::string text_of(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  void write_event(const nlohmann::json& event) {
    stream_ << (first_ ? "\n" : ",\n") << text_of(event);
    first_ = false;
  }

  static nlohmann::json new_event(const char* phase, int rank, Track track) {
    return {{"ph", phase}, {"pid", rank + 1}, {"tid", static_cast<int>(track)}};
  }

  void write_names(int rank) {
    const auto name = [&](const char* what, Track track, const nlohmann::json& args) {
      nlohmann::json event = new_event("M", rank, track);
      event["name"] = what;
      event["args"] = args;
      write_event(event);
    };
    const std::string& host = trace_.ranks[static_cast<std::size_t>(rank)].host;
    name("process_name", Track::frames, {{"name", fmt::format("rank {} on {}", rank, host)}});
    name("process_sort_index", Track::frames, {{"sort_index", rank}});
    for (const auto& [track, text] : {std::pair{Track::frames, "frames"}, std::pair{Track::kernels, "kernels"},
                                      std::pair{Track::messages, "messages"}}) {
      name("thread_name", track, {{"name", text}});
      name("thread_sort_index", track, {{"sort_index", static_cast<int>(track)}});
    }
  }

  void write_rank(int rank) {
    const RankTrace& one = trace_.ranks[static_cast<std::size_t>(rank)];
    std::vector<Slice> slices;
    for (const TraceStep& step : one.steps) slices.push_back(slice_of(rank, step));
    for (std::size_t i = 0; i < one.frames.size(); ++i)
      write_frame(rank, trace_.first_frame + i, one.frames[i], slices);
  }

  void write_frame(int rank, std::size_t number, const FrameTrace& moments, std::vector<Slice>& slices) {
    const auto around = [&](const std::string& name, std::int64_t begin, std::int64_t end) {
      nlohmann::json event = new_event("X", rank, Track::frames);
      event["name"] = name;
      event["cat"] = "frame";
      write_slice(event, begin, end);
    };
    around(fmt::format("frame {}", number), moments.front(), moments.back());
    if (rank == 0) around("write inputs", moments[0], moments[1]);
    for (std::size_t i = 0; i < slices.size(); ++i) {
      const std::int64_t begin = moments[i + 1];
      const std::int64_t end = moments[i + 2];
      write_slice(slices[i].event, begin, end);
      for (const Flow& flow : slices[i].begins) write_flow("s", rank, flow, number, begin);
      // Flows end within slices, and what has ended contains no moment of its end.
      for (const Flow& flow : slices[i].ends) write_flow("f", rank, flow, number, std::max(begin, end - 1));
    }
    if (rank == 0 && trace_.has_tail) around("tail", moments[moments.size() - 2], moments.back());
  }

  void write_slice(nlohmann::json& event, std::int64_t begin, std::int64_t end) {
    event["ts"] = microseconds(begin - begin_);
    event["dur"] = microseconds(end - begin);
    write_event(event);
  }

  void write_flow(const char* phase, int rank, const Flow& flow, std::size_t frame, std::int64_t time) {
    nlohmann::json event = new_event(phase, rank, Track::messages);
    event["name"] = "message";
    event["cat"] = "message";
    event["id"] = static_cast<std::int64_t>(frame) * n_flows_ + flow.number;
    event["ts"] = microseconds(time - begin_);
    if (*phase == 'f') event["bp"] = "e";  // it ends in the slice around this moment, not in the next one
    write_event(event);
  }

  Slice slice_of(int rank, const TraceStep& step) const {
    const Op& op = graph_.op(step.op);
    Slice slice;
    std::string name = op.name;
    const char* category = "kernel";
    nlohmann::json args{{"type", kind_name(op)}};
    if (step.kind == StepKind::compute) {
      args["implementation"] = step.implementation;
      args["box"] = step.box;
      args["of"] = to_string(op.shape);
    } else {
      slice.track = Track::messages;
      if (step.kind == StepKind::start_messages)
        for (const Flow& flow : flows_[at(step.op)])
          if (flow.transfer.src == rank) slice.begins.push_back(flow);
      if (step.kind == StepKind::finish_receives)
        for (const Flow& flow : flows_[at(step.op)])
          if (flow.transfer.dst == rank) slice.ends.push_back(flow);
    }
    switch (step.kind) {
      case StepKind::compute:
        break;
      case StepKind::start_messages:
        category = slice.begins.empty() ? "open" : "send";
        name = (slice.begins.empty() ? "open receives of " : "send ") + name;
        if (!slice.begins.empty()) args["messages"] = messages_of(slice.begins, "to", &Transfer::dst);
        break;
      case StepKind::finish_receives:
        category = "receive";
        name = "receive " + name;
        args["messages"] = messages_of(slice.ends, "from", &Transfer::src);
        break;
      case StepKind::finish_sends:
        category = "wait";
        name = "finish sends of " + name;
        break;
    }
    slice.event = new_event("X", rank, slice.track);
    slice.event["name"] = name;
    slice.event["cat"] = category;
    slice.event["args"] = args;
    return slice;
  }

  static nlohmann::json messages_of(const std::vector<Flow>& flows, const char* direction, int Transfer::*peer) {
    nlohmann::json list = nlohmann::json::array();
    for (const Flow& flow : flows)
      list.push_back({{"message", flow.number},
                      {direction, flow.transfer.*peer},
                      {"bytes", flow.n_bytes},
                      {"box", to_string(flow.transfer.box)}});
    return list;
  }

  static std::size_t at(OpId id) { return static_cast<std::size_t>(id); }

  std::ostream& stream_;
  const Graph& graph_;
  const engine::Trace& trace_;
  std::vector<std::vector<Flow>> flows_;  // [op]
  std::int64_t n_flows_ = 0;              // of a frame
  std::int64_t begin_ = 0;                // the earliest moment
  bool first_ = true;
};

double largest_clock_error_us(const engine::Trace& trace) {
  std::int64_t largest = 0;
  for (const RankTrace& rank : trace.ranks) largest = std::max(largest, rank.clock_error_ns);
  return microseconds(largest);
}

}  // namespace

void write_trace_events(std::ostream& stream, const Graph& graph, const Plan& plan, const engine::Trace& trace) {
  TraceWriter(stream, graph, plan, trace)
      .write({{"model", graph.name},
              {"strategy", plan.strategy},
              {"first_frame", trace.first_frame},
              {"frames", trace.ranks.empty() ? 0 : trace.ranks.front().frames.size()},
              {"largest_clock_error_us", largest_clock_error_us(trace)}});
}

void add_trace_option(CLI::App& app, CommonOptions& options) {
  app.add_option("--trace", options.trace,
                 "JSON of what all ranks did when in the last frames, for ui.perfetto.dev or chrome://tracing")
      ->check(check_file_name());
}

void begin_trace(const CommonOptions& options, engine::Session& session, int frames) {
  if (!options.trace.empty()) session.begin_trace(frames);
}

engine::Trace end_trace(const CommonOptions& options, engine::Session& session) {
  return options.trace.empty() ? engine::Trace{} : session.end_trace();
}

std::string write_trace(const CommonOptions& options, const engine::Session& session, const engine::Trace& trace) {
  if (options.trace.empty()) return "";
  io::write_file(options.trace, [&](std::ostream& stream) {
    write_trace_events(stream, session.running_graph(), session.running_plan(), trace);
  });
  const std::size_t kept = trace.ranks.front().frames.size();
  std::string text = fmt::format("trace: {} of {} frames in '{}'", kept, trace.first_frame + kept, options.trace);
  if (session.size() > 1) text += fmt::format(", clocks agree to {:.1f} us", largest_clock_error_us(trace));
  return text + "\n";
}

}  // namespace strake::cli
