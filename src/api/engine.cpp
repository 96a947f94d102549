// SPDX-License-Identifier: Apache-2.0
#include "strake/engine.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <utility>

#include "api/deadline.hpp"
#include "api/frame_queue.hpp"
#include "api/job_thread.hpp"
#include "api/tensors.hpp"
#include "core/log.hpp"
#include "core/rewrite/rewrite.hpp"
#include "engine/frame_service.hpp"
#include "engine/named_settings.hpp"
#include "engine/planning.hpp"
#include "io/file.hpp"
#include "onnx/import.hpp"
#include "partition/plan_json.hpp"

namespace strake {

namespace {

// An own exit code for each kind of error, as the program has them.
constexpr int exit_failed = 1;
constexpr int exit_wrong_input = 2;

Model open_model(const EngineOptions& options) {
  onnx_import::ImportOptions import_options{.shapes = options.shapes, .values = {}};
  const std::vector<onnx_import::DeclaredInput> declared = onnx_import::declared_inputs(options.model);
  for (const auto& given : options.shapes)
    if (std::ranges::none_of(declared, [&](const auto& input) { return input.name == given.first; }))
      throw InvalidInput("shapes: the model has no input '" + given.first + "'");
  Model model = onnx_import::import_model(options.model, import_options);
  rewrite::optimise(model.graph);
  return model;
}

engine::Settings settings_of(const EngineOptions& options) {
  engine::Settings settings = engine::settings_of({.exact = options.exact,
                                                   .kernels = options.kernels,
                                                   .weights = options.weights,
                                                   .transfer_type = options.transfer_dtype,
                                                   .axis = options.axis});
  settings.max_memory_mb = options.max_memory_mb;
  settings.threads = options.threads;
  settings.timeout = options.timeout;
  settings.build = STRAKE_BUILD_ID;
  return settings;
}

engine::PlanRequest request_of(const EngineOptions& options) {
  engine::expect_name("strategy", options.strategy, partition::strategies());
  engine::expect_name("objective", options.objective, partition::objectives());
  return {.strategy = options.strategy,
          .goal = {.objective = partition::objective_of(options.objective),
                   .most_bytes = engine::bytes_for_plans(options.max_memory_mb),
                   .offered_fps = options.rate,
                   .most_in_flight = options.inflight}};
}

void check(const EngineOptions& options) {
  if (options.model.empty()) throw InvalidInput("an engine needs a model: EngineOptions::model names no file");
  if (options.queue < 1) throw InvalidInput("queue: a queue for 0 frames takes none");
  if (options.threads < 0 || options.threads > 1024)
    throw InvalidInput("threads: 0 to 1024 are possible, got " + std::to_string(options.threads));
  if (options.timeout <= std::chrono::milliseconds(0)) throw InvalidInput("timeout: it must be longer than 0");
  if (!(options.max_memory_mb >= 0)) throw InvalidInput("max_memory_mb: it must be 0 or more");
  if (!(options.rate >= 0)) throw InvalidInput("rate: it must be 0 or more");
  if (options.inflight < 1 || options.inflight > 64)
    throw InvalidInput("inflight: 1 to 64 are possible, got " + std::to_string(options.inflight));
  if (options.rate > 0 && options.objective != "throughput")
    throw InvalidInput("rate: it is for objective throughput, not for " + options.objective);
  if (!options.plan.empty() && (options.strategy != EngineOptions().strategy || options.rate > 0 ||
                                options.objective != EngineOptions().objective))
    throw InvalidInput("plan: '" + options.plan +
                       "' is made already; strategy, objective and rate say how to plan, so leave them out");
  for (const auto& [name, shape] : options.shapes)
    for (const std::int64_t size : shape)
      if (size < 1)
        throw InvalidInput("shapes: input '" + name + "' cannot have a size of " + std::to_string(size) +
                           "; sizes are 1 or more");
  (void)settings_of(options);
  (void)request_of(options);
}

// The inputs alone, for checks that outlive the session.
Graph signature_of(const Graph& graph) {
  Graph signature;
  signature.name = graph.name;
  for (const Port& port : graph.inputs)
    signature.inputs.push_back({signature.add(graph.op(port.op)), port.name, port.type});
  return signature;
}

std::vector<PortInfo> infos_of(const Graph& graph, const std::vector<Port>& ports) {
  std::vector<PortInfo> infos;
  for (const Port& port : ports) infos.push_back({port.name, static_cast<DataType>(port.type), graph.shape(port.op)});
  return infos;
}

// Whose ranks wait for each other.
std::atomic<int> open_engines{0};

// A process that ends with an engine open would wait for other ranks, and these for it.
void leave_if_open() {
  if (open_engines == 0) return;
  std::fputs("strake: the process ends while its engine is open, so the job ends: close the engine first\n", stderr);
  std::_Exit(exit_failed);
}

void end_job_with_process() {
  static const bool once = std::atexit(leave_if_open) == 0;
  (void)once;
  ++open_engines;
}

}  // namespace

struct Engine::Impl {
  explicit Impl(EngineOptions given) : options(std::move(given)), queue(options.queue, options.when_full) {}

  EngineOptions options;
  api::FrameQueue queue;
  std::unique_ptr<api::JobThread> job;
  std::promise<void> ready;  // the constructor waits for it
  bool is_ready = false;     // the job's thread's

  // Written before `ready`, read after it.
  int rank = 0;
  int n_ranks = 1;
  Graph signature;
  std::vector<PortInfo> inputs;
  std::vector<PortInfo> outputs;
  PlanSummary summary;
  std::string plan_json;

  int exit_code = 0;  // read after the job's thread was joined
  std::mutex joining;
  bool counts_as_open = false;  // guarded by joining

  // Any thread, as often as it likes.
  void join() {
    const std::scoped_lock lock(joining);
    job->join();
    if (std::exchange(counts_as_open, false)) --open_engines;
  }

  void job_main(comm::Communicator& communicator);
  void serve(comm::Communicator& communicator);
  void describe(const engine::Session& session);
  void run_frames(engine::FrameService& service, const engine::Session& session);
  void run_cycle(std::vector<api::PendingFrame>& frames, engine::FrameService& service, const engine::Session& session);
  void fail(const std::exception_ptr& error);
};

void Engine::Impl::describe(const engine::Session& session) {
  const Graph& graph = session.graph();
  signature = signature_of(graph);
  inputs = infos_of(graph, graph.inputs);
  if (session.tail().nodes.empty()) outputs = infos_of(graph, graph.outputs);
  const Plan& plan = session.plan();
  summary = {.strategy = plan.strategy,
             .ranks_used = static_cast<int>(working_ranks(graph, plan).size()),
             .predicted_ms = plan.predicted_us / 1000};
  plan_json = partition::plan_to_json(graph, plan);
}

void Engine::Impl::serve(comm::Communicator& communicator) {
  engine::Session session(communicator, settings_of(options));
  session.load([this] { return open_model(options); });
  Plan plan;
  if (options.plan.empty()) {
    plan = engine::make_plan(session, request_of(options)).plan;
  } else if (session.is_root()) {
    io::expect_regular_file(options.plan, "a plan");
    plan = partition::plan_from_json(session.graph(), io::read_file(options.plan), session.size(), options.plan);
  }
  session.compile(std::move(plan));
  engine::FrameService service(session, communicator);
  if (session.is_root()) describe(session);
  is_ready = true;
  ready.set_value();
  if (session.is_root()) {
    run_frames(service, session);
    service.close();
  } else {
    service.work();
  }
}

void Engine::Impl::run_frames(engine::FrameService& service, const engine::Session& session) {
  const auto most = static_cast<std::size_t>(session.plan().frames);
  while (true) {
    std::vector<api::PendingFrame> frames = queue.pop(most);
    if (frames.empty()) return;
    if (options.late == Late::drop)
      std::erase_if(frames, [](api::PendingFrame& frame) {
        if (!frame.is_late()) return false;
        frame.result.set_exception(std::make_exception_ptr(DeadlineMissed("the frame's turn came after its deadline")));
        return true;
      });
    if (!frames.empty()) run_cycle(frames, service, session);
  }
}

void Engine::Impl::run_cycle(std::vector<api::PendingFrame>& frames, engine::FrameService& service,
                             const engine::Session& session) {
  std::vector<TensorMap> values;
  for (const api::PendingFrame& frame : frames) values.push_back(frame.inputs);
  try {
    const double latency_us = service.run(values);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      Result result;
      for (auto& [name, tensor] : session.outputs(static_cast<int>(i)))
        result.outputs[name] = api::to_tensor(std::move(tensor));
      result.latency_ms = latency_us / 1000;
      result.late = frames[i].is_late();
      frames[i].result.set_value(std::move(result));
    }
  } catch (const InvalidInput&) {
    // The model's tail refuses these values; others may follow.
    for (api::PendingFrame& frame : frames) frame.result.set_exception(std::current_exception());
  } catch (...) {
    for (api::PendingFrame& frame : frames) frame.result.set_exception(std::current_exception());
    throw;
  }
}

void Engine::Impl::fail(const std::exception_ptr& error) {
  queue.fail(error);
  if (!std::exchange(is_ready, true)) ready.set_exception(error);
}

void Engine::Impl::job_main(comm::Communicator& communicator) {
  rank = communicator.rank();
  n_ranks = communicator.size();
  try {
    try {
      serve(communicator);
    } catch (const comm::JobEnded&) {
      throw;
    } catch (const InvalidInput&) {
      exit_code = exit_wrong_input;
      fail(std::current_exception());
    } catch (...) {
      exit_code = exit_failed;
      fail(std::current_exception());
    }
    exit_code = communicator.leave(exit_code);
  } catch (const comm::JobEnded& job_end) {
    exit_code = job_end.exit_code;
    // Ranks without a word of their own say it by what `work` gives.
    if (rank == 0)
      fail(std::make_exception_ptr(
          PeerLost("another rank could not go on and ended with exit code " + std::to_string(exit_code))));
    else if (!std::exchange(is_ready, true))
      ready.set_value();
    exit_code = communicator.leave(exit_code);
  }
}

Engine::Engine(EngineOptions options) {
  check(options);
  impl_ = std::make_unique<Impl>(std::move(options));
  impl_->job = api::make_job_thread();
  std::future<void> ready = impl_->ready.get_future();
  impl_->job->start([impl = impl_.get()](comm::Communicator& communicator) { impl->job_main(communicator); });
  try {
    ready.get();
  } catch (...) {
    impl_->job->join();
    throw;
  }
  if (impl_->n_ranks == 1) return;
  impl_->counts_as_open = true;
  end_job_with_process();
}

Engine::Engine(Engine&&) noexcept = default;

Engine& Engine::operator=(Engine&& other) noexcept {
  Engine old(std::move(*this));
  impl_ = std::move(other.impl_);
  return *this;
}

Engine::~Engine() {
  if (!impl_) return;
  close();
  impl_->join();
}

Engine::Impl& Engine::impl() const {
  if (!impl_) throw InvalidInput("this engine was moved from");
  return *impl_;
}

bool Engine::is_root() const { return impl().rank == 0; }
int Engine::rank() const { return impl().rank; }
int Engine::ranks() const { return impl().n_ranks; }

int Engine::work() {
  if (is_root()) return 0;
  impl().join();
  return impl().exit_code;
}

const std::vector<PortInfo>& Engine::inputs() const { return impl().inputs; }
const std::vector<PortInfo>& Engine::outputs() const { return impl().outputs; }
Engine::PlanSummary Engine::plan() const { return impl().summary; }

void Engine::save_plan(const std::string& file) const {
  if (!is_root()) throw InvalidInput("rank 0 has the plan, this is rank " + std::to_string(rank()));
  io::check_writable(file);
  io::write_file(file, impl().plan_json);
}

std::future<Result> Engine::submit(const Inputs& inputs, std::optional<std::chrono::nanoseconds> deadline) {
  if (!is_root()) throw InvalidInput("rank 0 runs frames, this is rank " + std::to_string(rank()));
  api::PendingFrame frame;
  for (const auto& [name, view] : inputs) frame.inputs[name] = api::borrowed(name, view);
  frame.inputs = engine::checked_inputs(impl().signature, std::move(frame.inputs));
  if (deadline) frame.deadline = api::time_in(*deadline);
  std::future<Result> result = frame.result.get_future();
  impl().queue.push(std::move(frame));
  return result;
}

Result Engine::run(const Inputs& inputs) { return submit(inputs).get(); }

void Engine::close() {
  if (!is_root()) return;
  impl().queue.close();
  impl_->join();
}

const Tensor& Result::operator[](const std::string& name) const {
  const auto found = outputs.find(name);
  if (found != outputs.end()) return found->second;
  std::string names;
  for (const auto& [known, tensor] : outputs) names += (names.empty() ? "'" : ", '") + known + "'";
  throw InvalidInput("the result has no output '" + name + "'; its outputs are " + names);
}

void set_log(std::function<void(Severity, const std::string&)> sink) {
  if (!sink) {
    set_log_sink({});
    return;
  }
  set_log_sink([sink = std::move(sink)](LogLevel level, const std::string& message) {
    sink(static_cast<Severity>(level), message);
  });
}

std::string version() { return STRAKE_VERSION; }

}  // namespace strake
