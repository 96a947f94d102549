// SPDX-License-Identifier: Apache-2.0
// The supervisor, and what it starts: the ranks of its job.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <sstream>
#include <utility>

#include "cli/cluster_options.hpp"
#include "cli/host_facts.hpp"
#include "cli/numbers.hpp"
#include "cli/report.hpp"
#include "cli/trace_json.hpp"
#include "cli/verbs.hpp"
#include "cluster/http_server.hpp"
#include "cluster/process.hpp"
#include "cluster/rank_link.hpp"
#include "cluster/supervisor.hpp"
#include "core/log.hpp"
#include "core/unroll.hpp"
#include "engine/frame_service.hpp"
#include "io/file.hpp"
#include "io/picture.hpp"

namespace strake::cli {

namespace {

// How often the ranks tell those who look on what they did, and how many frames they show.
constexpr auto look_interval = std::chrono::seconds(5);
constexpr int traced_frames = 1;
constexpr std::size_t most_trace_bytes = 900'000;  // a message holds a megabyte

// What the ranks of a served model need to know; serve hands it on to worker.
struct ServedModel {
  CommonOptions common;
  InputOptions inputs;
  std::string plan_file;
};

void add_served_model(CLI::App& app, ServedModel& served) {
  add_model_options(app, served.common);
  add_input_options(app, served.inputs);
  app.get_option("--input")->description(
      "[NAME=]FILE: an example of what frames will be; with a picture the model takes 8-bit pictures and normalises "
      "them");
  add_plan_option(app, served.plan_file);
  add_job_options(app, served.common);
  add_transfer_option(app, served.common);
  add_live_option(app, served.common);
}

// --- serve ---

struct ServeOptions {
  ServedModel served;
  std::vector<const CLI::Option*> handed_on;
  std::string local = "127.0.0.1:7300";
  std::vector<std::string> listen;
  std::string keys;
  int local_ranks = 1;
  int first_nodes = 0;
  int queue_frames = 256;
  double frame_timeout_s = 10;
  int beat_timeout_ms = 700;
  int steady_ms = 3000;
  std::string http = "127.0.0.1:7380";
  std::string http_token;
  double join_after_s = 30;
  bool verbose = false;
  bool quiet = false;
};

// The same words again.
std::vector<std::string> words_of(const std::vector<const CLI::Option*>& options) {
  std::vector<std::string> named;
  std::vector<std::string> positional;
  for (const CLI::Option* option : options) {
    if (option->count() == 0) continue;
    const std::string name = option->get_single_name();
    if (option->get_positional() && option->get_lnames().empty()) {
      for (const std::string& value : option->results()) positional.push_back(value);
    } else if (option->get_items_expected_max() == 0) {
      named.push_back("--" + name);
    } else {
      for (const std::string& value : option->results()) named.push_back("--" + name + "=" + value);
    }
  }
  positional.insert(positional.end(), named.begin(), named.end());
  return positional;
}

// What is seen from outside, unless nobody shall.
std::unique_ptr<cluster::HttpServer> show(const ServeOptions& options, cluster::Supervisor& supervisor) {
  if (options.http == "off") return nullptr;
  const cluster::Address address = cluster::address_of(options.http);
  cluster::HttpSettings settings{.host = address.host, .port = address.port, .token = ""};
  if (!options.http_token.empty()) settings.token = cluster::token_in(options.http_token);
  auto board = std::make_shared<cluster::StateBoard>();
  auto server = std::make_unique<cluster::HttpServer>(settings, board);
  log(LogLevel::info, fmt::format("shows itself at http://{}:{}/{}", settings.host, server->port(),
                                  settings.token.empty() ? "" : " (with the token)"));
  supervisor.watch([board = std::move(board)](const cluster::State& state) { board->post(state); });
  return server;
}

// Ranks only look at what kind of file an example is; whether it is one is known here and now.
void expect_example(const std::string& text) {
  std::error_code ignored;
  const std::size_t equals = text.find('=');
  const bool named = equals != std::string::npos && !std::filesystem::exists(text, ignored);
  const std::string file = named ? text.substr(equals + 1) : text;
  io::expect_regular_file(file, "an input file");
  if (is_picture(file)) (void)io::read_picture(file);
}

int serve(const Context& context, const ServeOptions& options) {
  expect_one_process(context, "serve");
  set_verbosity(options.verbose, options.quiet);
  for (const std::string& example : options.served.inputs.files) expect_example(example);
  cluster::Signals signals;
  cluster::SupervisorOptions supervisor;
  supervisor.local = cluster::address_of(options.local);
  for (const std::string& address : options.listen) supervisor.listen.push_back(cluster::address_of(address));
  supervisor.keys = key_directory(options.keys);
  supervisor.build = context.build;
  supervisor.facts = [&context] { return text_of(facts_of_this_host(context)); };
  supervisor.worker = words_of(options.handed_on);
  supervisor.worker.insert(supervisor.worker.begin(), "worker");
  if (options.http != "off") supervisor.worker.emplace_back("--look");
  supervisor.local_ranks = options.local_ranks;
  supervisor.first_nodes = options.first_nodes;
  supervisor.frame_timeout = std::chrono::milliseconds(static_cast<std::int64_t>(options.frame_timeout_s * 1000));
  supervisor.beat_timeout = std::chrono::milliseconds(options.beat_timeout_ms);
  supervisor.membership.lost_after = supervisor.beat_timeout;
  supervisor.membership.steady_for = std::chrono::milliseconds(options.steady_ms);
  supervisor.join_after = std::chrono::milliseconds(static_cast<std::int64_t>(options.join_after_s * 1000));
  supervisor.queue.frames = static_cast<std::size_t>(options.queue_frames);
  cluster::Supervisor served(std::move(supervisor), signals);
  const std::unique_ptr<cluster::HttpServer> http = show(options, served);
  return served.run();
}

// --- worker ---

struct WorkerOptions {
  ServedModel served;
  std::uint64_t job = 0;
  bool look = false;
};

void put_ports(const Graph& graph, const std::vector<Port>& ports,
               google::protobuf::RepeatedPtrField<wire::Port>& list) {
  for (const Port& port : ports) {
    wire::Port& entry = *list.Add();
    entry.set_name(port.name);
    entry.set_type(static_cast<std::uint32_t>(port.type));
    for (const Index size : graph.shape(port.op)) entry.add_shape(size);
  }
}

// The strip of the first operator that is computed, as fractions of its map along the axis of the plan.
std::pair<double, double> strip_of(const engine::Session& session, int rank) {
  const Graph& graph = session.graph();
  const Plan plan = frame_plan(session.plan(), 0);
  const bool columns = session.axis() == SplitAxis::columns;
  for (OpId id = 0; id < graph.size(); ++id) {
    const Shape& shape = graph.shape(id);
    if (as<Input>(graph.op(id)) != nullptr || as<Constant>(graph.op(id)) != nullptr || shape.size() != 4) continue;
    const std::size_t axis = columns ? 3 : 2;
    const auto size = static_cast<double>(shape[axis]);
    double begin = 1;
    double end = 0;
    for (const Box& box : plan.boxes(id, rank)) {
      if (box.empty()) continue;
      begin = std::min(begin, static_cast<double>(box[axis].begin) / size);
      end = std::max(end, static_cast<double>(box[axis].end) / size);
    }
    return begin < end ? std::pair{begin, end} : std::pair{0.0, 0.0};
  }
  return {0, 0};
}

wire::JobReady about(const engine::Session& session, const std::vector<engine::RankReport>& ranks) {
  wire::JobReady about;
  about.set_model(session.graph().name);
  about.set_model_hash(fingerprint(session.graph()));
  put_ports(session.graph(), session.graph().inputs, *about.mutable_inputs());
  put_ports(session.graph(), session.graph().outputs, *about.mutable_outputs());
  about.set_strategy(session.plan().strategy);
  about.set_predicted_ms(predicted_ms(session.plan()).value_or(0));
  about.set_in_flight(static_cast<std::uint32_t>(session.plan().frames));
  for (const engine::RankReport& rank : ranks) {
    wire::RankShare& entry = *about.add_ranks();
    entry.set_host(rank.host);
    entry.set_share(rank.share);
    entry.set_axis(session.axis() == SplitAxis::columns ? "w" : "h");
    const auto [begin, end] = strip_of(session, rank.rank);
    entry.set_begin(begin);
    entry.set_end(end);
  }
  return about;
}

// Frames of one cycle, as many as there are, and why others are not among them.
struct Cycle {
  std::vector<std::uint64_t> tickets;
  std::vector<TensorMap> inputs;
};

// Empty when the job shall end.
Cycle next_cycle(const engine::Session& session, cluster::RankLink& link) {
  Cycle cycle;
  while (cycle.tickets.size() < static_cast<std::size_t>(session.plan().frames)) {
    std::optional<cluster::RankLink::Frame> frame = cycle.tickets.empty() ? link.next() : link.next_if_there();
    if (!frame) break;
    try {
      cycle.inputs.push_back(engine::checked_inputs(session.graph(), std::move(frame->inputs)));
      cycle.tickets.push_back(frame->ticket);
    } catch (const InvalidInput& error) {
      link.done(frame->ticket, {}, 0, error.what());
    }
  }
  return cycle;
}

// Collective: what the ranks did since the last look, for those who look on.
void look_around(engine::Session& session, cluster::RankLink& link) {
  const engine::Trace trace = session.end_trace();
  session.begin_trace(traced_frames);
  const std::vector<engine::RankReport> ranks = session.report();
  if (!session.is_root()) return;
  wire::JobLook look;
  for (const engine::RankReport& rank : ranks) {
    wire::RankTimes& times = *look.add_ranks();
    times.set_compute_ms(rank.compute_ms);
    times.set_wait_ms(rank.wait_ms);
    times.set_sent_bytes(rank.sent_bytes);
    times.set_received_bytes(rank.received_bytes);
    times.set_peak_mb(rank.peak_rss_mb);
  }
  std::ostringstream events;
  write_trace_events(events, session.running_graph(), session.running_plan(), trace);
  if (std::string text = std::move(events).str(); text.size() < most_trace_bytes) look.set_trace(std::move(text));
  link.look(std::move(look));
}

void serve_frames(engine::Session& session, engine::FrameService& service, cluster::RankLink& link, bool look) {
  auto next_look = std::chrono::steady_clock::now() + look_interval;
  while (true) {
    Cycle cycle = next_cycle(session, link);
    if (cycle.tickets.empty()) return;
    try {
      const double latency_us = service.run(cycle.inputs);
      for (std::size_t i = 0; i < cycle.tickets.size(); ++i)
        link.done(cycle.tickets[i], session.outputs(static_cast<int>(i)), static_cast<std::uint64_t>(latency_us));
    } catch (const InvalidInput& error) {
      for (const std::uint64_t ticket : cycle.tickets) link.done(ticket, {}, 0, error.what());
    }
    if (!look || std::chrono::steady_clock::now() < next_look) continue;
    next_look = std::chrono::steady_clock::now() + look_interval;
    service.tell({});
  }
}

void serve_model(const Context& context, const ServedModel& served, cluster::RankLink& link, bool look) {
  OpenSession open = open_session(context, served.common, served.inputs);
  engine::Session& session = open.session;
  engine::PlanResult planned = make_session_plan(session, served.common, served.plan_file);
  session.compile(std::move(planned.plan));
  // The first frame takes longer than those behind it.
  session.run(context.is_root() ? engine::random_inputs(session.graph()) : TensorMap{}, engine::Frame::warm_up);
  const std::vector<engine::RankReport> ranks = session.report();
  std::optional<engine::LiveBalance> live = begin_live(session, served.common, planned.profile);
  if (look) session.begin_trace(traced_frames);
  engine::FrameHooks hooks;
  if (live) hooks.after_cycle = [&] { live->after_cycle(); };
  hooks.told = [&](std::span<const std::byte>) { look_around(session, link); };
  engine::FrameService service(session, context.communicator, std::move(hooks));
  if (context.is_root()) {
    link.ready(about(session, ranks));
    serve_frames(session, service, link, look);
    service.close();
  } else {
    service.work();
  }
  if (live) live->close();
}

int work(const Context& context, const WorkerOptions& options) {
  cluster::end_with_parent();
  const char* parent = std::getenv(cluster::parent_variable);
  if (parent == nullptr) throw InvalidInput("strake worker is started by strake serve");
  spdlog::set_level(context.is_root() ? spdlog::level::info : spdlog::level::warn);
  cluster::RankLink link(parent, options.job, context.communicator.rank());
  try {
    serve_model(context, options.served, link, options.look);
  } catch (const InvalidInput& error) {
    if (context.is_root()) link.refuse(error.what());
    throw;
  } catch (const std::bad_alloc&) {
    link.out_of_memory();
    throw;
  }
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* sub = app.add_subcommand("serve", "Serve a model on a cluster: nodes, clients, and one job of ranks");
  add_served_model(*sub, options->served);
  for (const CLI::Option* option : std::as_const(*sub).get_options())
    if (option->get_name() != "--help") options->handed_on.push_back(option);
  sub->add_option("--local", options->local, "Where this host's own programs reach it, without keys")
      ->capture_default_str();
  sub->add_option("--listen", options->listen, "Where others reach it, with keys: tcp://10.0.7.1:7300; may be repeated")
      ->take_all();
  sub->add_option("--keys", options->keys, "Folder of the keys; by default STRAKE_KEYS, or ~/.config/strake")
      ->check(check_file_name());
  sub->add_option("--local-ranks", options->local_ranks, "Ranks on this host")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  sub->add_option("--nodes", options->first_nodes, "The first job waits for so many nodes, for 30 s at most")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  sub->add_option("--queue", options->queue_frames, "Frames that wait, run or are not fetched; more are sent away")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  sub->add_option("--frame-timeout", options->frame_timeout_s, "Seconds after which a frame counts as stuck")
      ->check(check_number(number_between(0.1, 1e5)))
      ->capture_default_str();
  sub->add_option("--beat-timeout", options->beat_timeout_ms,
                  "Milliseconds of silence after which a rank or node is lost")
      ->check(CLI::Range(300, 60000))
      ->capture_default_str();
  sub->add_option("--steady", options->steady_ms,
                  "Milliseconds that a lost node must be back before it joins; doubles with each loss")
      ->check(CLI::Range(0, 600000))
      ->capture_default_str();
  sub->add_option("--http", options->http, "Where a page, metrics and health are shown; off for nowhere")
      ->capture_default_str();
  sub->add_option("--http-token", options->http_token,
                  "File with the token that is asked for there; made if it is not there. Needed beyond this host")
      ->check(check_file_name());
  sub->add_option("--join-after", options->join_after_s,
                  "Seconds after which a node joins although frames leave no quiet moment")
      ->check(check_number(number_between(0.1, 1e6)))
      ->capture_default_str();
  sub->add_flag("-v,--verbose", options->verbose, "Say more");
  sub->add_flag("-q,--quiet", options->quiet, "Print errors only");
  sub->footer(
      "Examples:\n"
      "  strake serve yolo.onnx --input photo.jpg --scale 1/255\n"
      "  strake serve yolo.onnx --listen tcp://10.0.7.1:7300 --nodes 2");
  sub->callback([&context, &verb, options, sub] {
    check_job_options(*sub, options->served.common, 1024);
    verb = [&context, options] { return serve(context, *options); };
  });
}

void add_worker(CLI::App& app, const Context& context, std::function<int()>& verb) {
  auto options = std::make_shared<WorkerOptions>();
  CLI::App* sub = app.add_subcommand("worker", "A rank of a served model; strake serve starts it")->group("");
  add_served_model(*sub, options->served);
  sub->add_option("--job", options->job, "Number of the job")->required();
  sub->add_flag("--look", options->look, "Tell now and then what the ranks did");
  sub->callback([&context, &verb, options] { verb = [&context, options] { return work(context, *options); }; });
}

}  // namespace strake::cli
