// SPDX-License-Identifier: Apache-2.0
#include "engine/session.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "comm/link_probe.hpp"
#include "core/log.hpp"
#include "core/serialize.hpp"
#include "engine/machine.hpp"
#include "engine/measure.hpp"
#include "engine/profile_cache.hpp"
#include "engine/profiler.hpp"
#include "kernels/isa.hpp"

namespace strake::engine {

namespace {

using Clock = std::chrono::steady_clock;

// Ranks prepare at very different speeds (a slow one measures kernels while a fast one waits), so the deadline of a
// frame's messages says nothing about set-up.
constexpr std::chrono::nanoseconds set_up_timeout = std::chrono::minutes(10);

constexpr double bytes_per_mb = 1024 * 1024;

constexpr std::chrono::nanoseconds longest_single_run = std::chrono::seconds(3);

double microseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

// Weights that `rank` computes with under `plan`, ascending.
std::set<WeightId> weights_needed(const Graph& graph, const Plan& plan, int rank) {
  std::set<WeightId> ids;
  for (OpId id = 0; id < graph.size(); ++id) {
    if (plan.boxes(id, rank).empty()) continue;
    for (const WeightId weight : weights_of(graph.op(id))) ids.insert(weight);
  }
  return ids;
}

// Large weights travel in slices, so that nobody holds one twice. Calls visit(first byte, bytes).
template <class Visit>
void for_each_slice(std::size_t n_bytes, Visit visit) {
  constexpr std::size_t slice = std::size_t{16} << 20;
  for (std::size_t begin = 0; begin < n_bytes; begin += slice) visit(begin, std::min(slice, n_bytes - begin));
}

template <class T>
comm::Bytes bytes_of(const T& value) {
  comm::Bytes bytes(sizeof(T));
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

template <class T>
T value_of(const comm::Bytes& bytes) {
  T value{};
  ensure(bytes.size() == sizeof(T), "a control message has the size of its type");
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

}  // namespace

struct Session::Alone {
  Alone(const Graph& graph, const Settings& settings, double slowdown, Plan whole, Families families)
      : weights(kernels::WeightStore::synthetic(graph, settings.storage)),
        plan(std::move(whole)),
        program(graph, plan, 0, nullptr, weights, {settings.exactness, Messages::left_out, std::move(families)}),
        executor(program, {slowdown, settings.timeout}) {}

  kernels::WeightStore weights;
  Plan plan;
  Program program;
  Executor executor;
};

Session::Session(Session&&) noexcept = default;
Session::~Session() = default;

Session::Session(comm::Communicator& communicator, Settings settings)
    : communicator_(&communicator), settings_(std::move(settings)) {
  const RankInfo mine{.host = communicator.host(),
                      .build = settings_.build,
                      .cpu = cpu_name(),
                      .library = kernels::library_version(),
                      .instruction_set = kernels::instruction_set(),
                      .instruction_set_level = kernels::instruction_set_level(),
                      .cores = allowed_cores(),
                      .online_cores = online_cores()};
  infos_ = exchange_infos(communicator, mine, set_up_timeout);
  const bool exact = settings_.exactness == kernels::Exactness::exact;
  check_equal_builds(infos_, exact);
  if (exact) {
    const auto lowest = std::min_element(infos_.begin(), infos_.end(), [](const RankInfo& a, const RankInfo& b) {
      return a.instruction_set_level < b.instruction_set_level;
    });
    kernels::cap_instruction_set(lowest->instruction_set_level);
  }
  share_ = share_cores(infos_, rank(), settings_.threads);
  if (!share_.warning.empty()) log(LogLevel::warning, share_.warning);
  if (!share_.cores.empty()) bind_to(share_.cores);
  set_threads(share_.threads);
  kernels::flush_denormals();
  base_mb_ = rss_mb();
}

SplitAxis Session::axis() const { return settings_.axis.value_or(longer_axis(graph_)); }

double Session::slowdown() const {
  const auto place = static_cast<std::size_t>(rank());
  return place < settings_.slowdowns.size() ? settings_.slowdowns[place] : 1.0;
}

void Session::load(Loader loader) {
  loader_ = std::move(loader);
  if (is_root()) {
    Model model = loader_();
    graph_ = std::move(model.graph);
    tail_ = std::move(model.tail);
    has_weights_ = true;
  }
  comm::Bytes bytes = communicator_->broadcast(is_root() ? to_bytes(graph_) : comm::Bytes{}, 0, set_up_timeout);
  if (!is_root()) graph_ = graph_from_bytes(bytes);
}

void Session::drop_weights() {
  for (Weight& weight : graph_.weights) weight.values.reset();
  has_weights_ = false;
}

std::string Session::profile_key(const std::vector<int>& neighbours) const {
  const RankInfo& mine = infos_[static_cast<std::size_t>(rank())];
  const auto place = std::find(neighbours.begin(), neighbours.end(), rank()) - neighbours.begin();
  std::string key = mine.host + "|" + mine.cpu + "|" + std::to_string(place) + " of " +
                    std::to_string(neighbours.size()) + "|" + std::to_string(threads()) + "|" + mine.library + "|" +
                    kernels::instruction_set() + "|" + mine.build + "|" + fingerprint(graph_) + "|" +
                    (axis() == SplitAxis::rows ? "rows" : "columns") + "|" +
                    (settings_.exactness == kernels::Exactness::exact ? "exact" : "fastest") + "|" +
                    std::to_string(static_cast<int>(settings_.kernels)) + "|" +
                    std::to_string(static_cast<int>(settings_.storage)) + "|" + std::to_string(settings_.max_memory_mb);
  for (const int neighbour : neighbours)
    key += "|" + std::to_string(static_cast<std::size_t>(neighbour) < settings_.slowdowns.size()
                                    ? settings_.slowdowns[static_cast<std::size_t>(neighbour)]
                                    : 1.0);
  return key;
}

double Session::largest(double mine) {
  double most = mine;
  for (const comm::Bytes& bytes : communicator_->gather(bytes_of(mine), 0, set_up_timeout))
    most = std::max(most, value_of<double>(bytes));
  return value_of<double>(communicator_->broadcast(bytes_of(most), 0, set_up_timeout));
}

Profile Session::profile() {
  const ProfileKey key = profile_key(ranks_on_host(infos_, rank()));
  std::optional<RankProfile> mine = load_profile(key);
  if (mine && mine->ops.size() != graph_.ops.size()) mine.reset();
  if (!all_have(mine.has_value())) {
    if (is_root()) log(LogLevel::info, "measuring kernels (once per model and machine)");
    // Measuring needs room for weights of its own; rank 0 reads the model again afterwards.
    if (is_root()) drop_weights();
    communicator_->barrier(set_up_timeout);
    mine = measure_profile(graph_, {.axis = axis(),
                                    .exactness = settings_.exactness,
                                    .slowdown = slowdown(),
                                    .policy = settings_.kernels,
                                    .storage = settings_.storage,
                                    .most_bytes = most_held_bytes(),
                                    .largest = [this](double own) { return largest(own); }});
    store_profile(key, *mine);
  }
  mine->host = communicator_->host();
  mine->threads = threads();
  mine->baseline_bytes = base_mb_ * bytes_per_mb;

  Profile profile{.model = fingerprint(graph_), .axis = axis(), .ranks = {}, .links = {}};
  const std::vector<comm::Bytes> all = communicator_->gather(to_bytes(*mine), 0, set_up_timeout);
  for (const comm::Bytes& bytes : all) profile.ranks.push_back(rank_profile_from_bytes(bytes));
  profile.links = comm::probe_links(*communicator_, set_up_timeout);
  return profile;
}

double Session::most_held_bytes() const {
  if (settings_.max_memory_mb <= 0) return std::numeric_limits<double>::infinity();
  return (settings_.max_memory_mb - base_mb_) * bytes_per_mb;
}

std::string Session::families_key(const Plan& plan) const {
  std::string boxes;
  for (OpId id = 0; id < graph_.size(); ++id) {
    for (const Box& box : plan.boxes(id, plan.n_ranks == 1 ? 0 : rank())) boxes += to_string(box);
    boxes += ';';
  }
  return profile_key(ranks_on_host(infos_, rank())) + "|" + std::to_string(plan.n_ranks) + "|" +
         std::to_string(std::hash<std::string>{}(boxes));
}

bool Session::measures_families() const {
  return settings_.kernels == KernelPolicy::measured && settings_.exactness == kernels::Exactness::fastest;
}

// Ranks of a host measure at the same time, since that is how they will run.
Families Session::families_together(const Plan& plan) {
  if (!measures_families()) return fixed_families(graph_, settings_.kernels);
  const std::string key = families_key(plan);
  std::optional<Families> known = load_families(key, graph_.ops.size());
  if (all_have(known.has_value())) return *known;
  // Measuring needs room for weights of its own; rank 0 reads the model again afterwards.
  if (is_root()) drop_weights();
  communicator_->barrier(set_up_timeout);
  Families families = measure_families(graph_, plan, rank(), most_held_bytes());
  store_families(key, families);
  return families;
}

Families Session::families_alone(const Plan& plan) const {
  if (!measures_families()) return fixed_families(graph_, settings_.kernels);
  const std::string key = families_key(plan);
  std::optional<Families> known = load_families(key, graph_.ops.size());
  if (known) return *known;
  Families families = measure_families(graph_, plan, 0, most_held_bytes());
  store_families(key, families);
  return families;
}

void Session::distribute_weights() {
  const std::set<WeightId> own = weights_needed(graph_, plan_, rank());
  if (!is_root()) {
    for (const WeightId id : own) {
      Weight& weight = graph_.weight(id);
      weight.values = Blob::allocate(static_cast<std::size_t>(volume(weight.shape)) * size_of(weight.type));
      for_each_slice(weight.values.size_bytes(), [&](std::size_t begin, std::size_t n_bytes) {
        const comm::Bytes bytes = communicator_->receive(0, set_up_timeout);
        ensure(bytes.size() == n_bytes, "a slice of a weight has the size that both ranks know");
        std::memcpy(weight.values.data() + begin, bytes.data(), n_bytes);
      });
    }
    return;
  }
  if (!has_weights_) {
    Graph again = loader_().graph;
    if (fingerprint(again) != fingerprint(graph_)) throw InvalidInput("the model file changed while it was in use");
    graph_ = std::move(again);
    has_weights_ = true;
  }
  for (int other = 1; other < size(); ++other)
    for (const WeightId id : weights_needed(graph_, plan_, other)) {
      const Blob& values = graph_.weight(id).values;
      for_each_slice(values.size_bytes(), [&](std::size_t begin, std::size_t n_bytes) {
        communicator_->send({values.data() + begin, n_bytes}, other, set_up_timeout);
      });
    }
  for (WeightId id = 0; id < static_cast<WeightId>(graph_.weights.size()); ++id)
    if (!own.contains(id)) graph_.weight(id).values.reset();
  has_weights_ = false;
}

// Collective: all ranks refuse together.
void Session::check_memory() {
  if (settings_.max_memory_mb <= 0) return;
  const double most = largest(predicted_peak_mb());
  if (most <= settings_.max_memory_mb) return;
  const auto text = [](double mb) { return std::to_string(std::llround(mb)) + " MB"; };
  throw InvalidInput("model '" + graph_.name + "': a rank needs " + text(most) + " under plan '" + plan_.strategy +
                     "', allowed are " + text(settings_.max_memory_mb) + " (--max-memory)");
}

void Session::compile(Plan plan) {
  comm::Bytes bytes = communicator_->broadcast(is_root() ? to_bytes(plan) : comm::Bytes{}, 0, set_up_timeout);
  plan_ = is_root() ? std::move(plan) : plan_from_bytes(bytes);
  executor_.reset();
  program_.reset();
  weights_.reset();
  Families families = families_together(plan_);
  distribute_weights();
  weights_ = std::make_unique<kernels::WeightStore>(graph_, settings_.storage);
  program_ = std::make_unique<Program>(graph_, plan_, rank(), communicator_, *weights_,
                                       ProgramOptions{settings_.exactness, Messages::sent, std::move(families)});
  executor_ = std::make_unique<Executor>(*program_, ExecutorOptions{slowdown(), settings_.timeout});
  forget_times();
  check_memory();
  // Nobody's first frame should time out because another rank still prepares kernels.
  communicator_->barrier(set_up_timeout);
}

double Session::run(const TensorMap& inputs, Frame frame) {
  const Clock::time_point begin = Clock::now();
  if (is_root()) write_inputs(graph_, *program_, inputs);
  const double input_us = microseconds_since(begin);
  const FrameTimes times = executor_->run();
  const double tail_us = tail_.run ? run_tail() : 0;
  const double latency_us = microseconds_since(begin);
  if (frame == Frame::warm_up) return latency_us;
  compute_us_.push_back(times.compute_us);
  wait_us_.push_back(times.wait_us);
  if (tail_.run) tail_us_.push_back(tail_us);
  for (std::size_t i = 0; i < step_us_.size(); ++i) step_us_[i] += executor_->step_us()[i];
  parts_.kernels_ms += (times.compute_us - times.copy_us) / 1000;
  parts_.copies_ms += (times.copy_us + input_us) / 1000;
  parts_.waits_ms += times.wait_us / 1000;
  parts_.tail_ms += tail_us / 1000;
  parts_.other_ms += (latency_us - input_us - times.compute_us - times.wait_us - tail_us) / 1000;
  return latency_us;
}

// Gives the microseconds it took.
double Session::run_tail() {
  const Clock::time_point begin = Clock::now();
  outputs_ = tail_.run(read_outputs(graph_, *program_));
  return microseconds_since(begin);
}

double Session::tail_ms() const { return tail_us_.empty() ? 0 : median(tail_us_) / 1000; }

void Session::forget_times() {
  tail_us_.clear();
  compute_us_.clear();
  wait_us_.clear();
  step_us_.assign(program_->steps().size(), 0.0);
  parts_ = {};
}

double Session::predicted_peak_mb() const {
  const auto held = static_cast<double>(weights_->size_bytes() + program_->arena_bytes() + program_->workspace_bytes());
  return base_mb_ + held / bytes_per_mb;
}

RankReport Session::own_report() const {
  const std::vector<double> work = multiply_adds(graph_, plan_);
  double all = 0;
  for (const double one : work) all += one;
  return {.rank = rank(),
          .host = {},
          .threads = threads(),
          .share = all > 0 ? work[static_cast<std::size_t>(rank())] / all : 0,
          .compute_ms = median(compute_us_) / 1000,
          .wait_ms = median(wait_us_) / 1000,
          .sent_bytes = static_cast<double>(program_->sent_bytes()),
          .received_bytes = static_cast<double>(program_->received_bytes()),
          .peak_rss_mb = peak_rss_mb(),
          .predicted_peak_mb = predicted_peak_mb()};
}

std::vector<RankReport> Session::report() {
  RankReport mine = own_report();
  // Strings do not travel as plain bytes; hosts are known from the handshake.
  struct Numbers {
    int threads;
    double values[7];
  };
  const Numbers numbers{mine.threads,
                        {mine.share, mine.compute_ms, mine.wait_ms, mine.sent_bytes, mine.received_bytes,
                         mine.peak_rss_mb, mine.predicted_peak_mb}};
  forget_times();
  std::vector<RankReport> reports;
  for (const comm::Bytes& bytes : communicator_->gather(bytes_of(numbers), 0, set_up_timeout)) {
    const auto theirs = value_of<Numbers>(bytes);
    const int place = static_cast<int>(reports.size());
    reports.push_back({place, infos_[reports.size()].host, theirs.threads, theirs.values[0], theirs.values[1],
                       theirs.values[2], theirs.values[3], theirs.values[4], theirs.values[5], theirs.values[6]});
  }
  return reports;
}

FrameParts Session::frame_parts() const {
  const double frames = std::max<double>(static_cast<double>(compute_us_.size()), 1.0);
  FrameParts mean = parts_;
  for (double* part : {&mean.kernels_ms, &mean.copies_ms, &mean.waits_ms, &mean.tail_ms, &mean.other_ms})
    *part /= frames;
  return mean;
}

std::vector<OpTime> Session::op_times() const {
  std::vector<OpTime> times(graph_.ops.size());
  const double frames = std::max<double>(static_cast<double>(compute_us_.size()), 1.0);
  const std::vector<Step>& steps = program_->steps();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    OpTime& time = times[static_cast<std::size_t>(steps[i].op)];
    time.op = steps[i].op;
    (steps[i].kind == StepKind::compute ? time.compute_ms : time.wait_ms) += step_us_[i] / frames / 1000;
    if (steps[i].kernel != nullptr) time.implementation = steps[i].kernel->implementation();
  }
  std::erase_if(times, [](const OpTime& time) { return time.compute_ms == 0 && time.wait_ms == 0; });
  return times;
}

std::vector<double> Session::run_alone(int frames, const TensorMap& inputs) {
  const int warm_up = alone_ ? 1 : 3;
  if (!alone_) {
    Plan plan = single_rank_plan(graph_, 1, 0);
    Families families = families_alone(plan);
    alone_ = std::make_unique<Alone>(graph_, settings_, slowdown(), std::move(plan), std::move(families));
  }
  std::vector<double> samples;
  const Clock::time_point start = Clock::now();
  for (int i = -warm_up; i < frames; ++i) {
    const Clock::time_point begin = Clock::now();
    // Ranks that are slowed down thirtyfold need no fifty frames to say so.
    if (!samples.empty() && begin - start > longest_single_run) break;
    write_inputs(graph_, alone_->program, inputs);
    (void)alone_->executor.run();
    if (i >= 0) samples.push_back(microseconds_since(begin));
  }
  return samples;
}

std::vector<std::vector<double>> Session::measure_single_ranks(int frames, const TensorMap& inputs) {
  std::vector<std::vector<double>> all;
  for (int turn = 0; turn < size(); ++turn) {
    // Everybody else sleeps in the broadcast until the rank whose turn it is has finished.
    const std::vector<double> mine = turn == rank() ? run_alone(frames, inputs) : std::vector<double>{};
    const auto* begin = reinterpret_cast<const std::byte*>(mine.data());
    const comm::Bytes bytes =
        communicator_->broadcast(comm::Bytes(begin, begin + mine.size() * sizeof(double)), turn, set_up_timeout);
    std::vector<double>& samples = all.emplace_back(bytes.size() / sizeof(double));
    if (!samples.empty()) std::memcpy(samples.data(), bytes.data(), bytes.size());
  }
  return all;
}

TensorMap random_inputs(const Graph& graph) {
  TensorMap inputs;
  std::uint32_t state = 12345;
  for (const Port& port : graph.inputs) {
    const Op& op = graph.op(port.op);
    HostTensor tensor{
        .type = op.type, .shape = op.shape, .data = Blob::allocate(dense_bytes(whole(op.shape), op.type))};
    for (std::size_t i = 0; i < static_cast<std::size_t>(volume(op.shape)); ++i) {
      state = state * 1664525U + 1013904223U;  // Numerical Recipes' generator
      const std::uint32_t byte = state >> 24;
      with_number(op.type, [&]<class T>(std::type_identity<T>) {
        if constexpr (is_float_number<T>)
          tensor.view<T>()[i] = static_cast<T>(static_cast<float>(byte) / 255.0F);
        else
          tensor.view<T>()[i] = static_cast<T>(std::is_same_v<T, bool> ? byte & 1U : byte);
      });
    }
    inputs.emplace(port.name, std::move(tensor));
  }
  return inputs;
}

}  // namespace strake::engine
