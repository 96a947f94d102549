// SPDX-License-Identifier: Apache-2.0
// What a session measures before it runs: profiles, families of kernels, and the model on each rank alone.

#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "comm/link_probe.hpp"
#include "comm/rounded_box.hpp"
#include "comm/simulation.hpp"
#include "core/blob.hpp"
#include "core/log.hpp"
#include "core/serialize.hpp"
#include "engine/pooling.hpp"
#include "engine/profile_cache.hpp"
#include "engine/profiler.hpp"
#include "engine/session.hpp"
#include "engine/session_messages.hpp"
#include "kernels/isa.hpp"
#include "partition/cost_model.hpp"
#include "partition/memory.hpp"

namespace strake::engine {

namespace {

constexpr std::chrono::nanoseconds longest_single_run = std::chrono::seconds(3);
// A core that has been idle takes a few frames to run at full speed, unless they are long.
constexpr int warm_up_frames = 3;
constexpr std::chrono::nanoseconds longest_warm_up = std::chrono::milliseconds(20);

// Cells that are not in this core's caches, as those of a map that a kernel has just written are in part.
void measure_rounding(TransferType type, RankProfile& profile) {
  constexpr int rounds = 5;
  const Box box = whole({Index{1} << 20});
  Blob cells = Blob::allocate(dense_bytes(box, ElementType::f32));
  Blob bytes = Blob::allocate(travelling_bytes(box, type));
  std::fill(cells.floats().begin(), cells.floats().end(), 1.0F);
  const View view = dense_view(box, ElementType::f32, cells.data());
  std::vector<double> encode_us;
  std::vector<double> decode_us;
  for (int round = 0; round < rounds; ++round) {
    const Clock::time_point begin = Clock::now();
    comm::encode(view, type, bytes.data());
    const Clock::time_point middle = Clock::now();
    comm::decode(bytes.data(), type, view);
    encode_us.push_back(microseconds(middle - begin));
    decode_us.push_back(microseconds_since(middle));
  }
  const auto n_bytes = static_cast<double>(cells.size_bytes());
  profile.encode_us_per_byte = median(std::move(encode_us)) / n_bytes;
  profile.decode_us_per_byte = median(std::move(decode_us)) / n_bytes;
}

}  // namespace

std::string Session::profile_key(const std::vector<int>& neighbours) const {
  const RankInfo& mine = infos_[static_cast<std::size_t>(rank())];
  const auto place = std::find(neighbours.begin(), neighbours.end(), rank()) - neighbours.begin();
  std::vector<std::string> parts{mine.host,
                                 mine.cpu,
                                 std::to_string(place) + " of " + std::to_string(neighbours.size()),
                                 std::to_string(threads()),
                                 mine.library,
                                 kernels::instruction_set(),
                                 mine.build,
                                 fingerprint(graph_),
                                 axis() == SplitAxis::rows ? "rows" : "columns",
                                 settings_.exactness == kernels::Exactness::exact ? "exact" : "fastest",
                                 std::to_string(static_cast<int>(settings_.kernels)),
                                 std::to_string(static_cast<int>(settings_.storage)),
                                 std::to_string(settings_.max_memory_mb)};
  for (const int neighbour : neighbours)
    parts.push_back(std::to_string(static_cast<std::size_t>(neighbour) < settings_.slowdowns.size()
                                       ? settings_.slowdowns[static_cast<std::size_t>(neighbour)]
                                       : 1.0));
  ProfileKey key;
  for (const std::string& part : parts) key += part + "|";
  return key;
}

void Session::replay(const Profile& recorded) {
  comm::Bytes bytes;
  if (is_root()) {
    if (comm::computing_takes_time())
      throw InvalidInput("replaying needs smpirun --cfg=smpi/simulate-computation:no, or this machine's time is added");
    if (recorded.n_ranks() != 1)
      throw InvalidInput("a profile to replay is recorded on one rank, got " + std::to_string(recorded.n_ranks()));
    partition::check_profile(graph_, recorded);
    if (recorded.axis != axis()) throw InvalidInput("the profile was recorded for another --axis");
    bytes = to_bytes(recorded.ranks.front());
    drop_weights();
  }
  bytes = communicator_->broadcast(std::move(bytes), 0, set_up_timeout);
  recorded_ = replayed_profile(rank_profile_from_bytes(bytes), slowdown());
  share_.threads = recorded_->threads;
}

BoxCost Session::replayed_costs() const { return box_costs(graph_, *recorded_, axis()); }

RankProfile Session::measured_profile() {
  const ProfileKey key = profile_key(ranks_on_host(infos_, rank()));
  std::optional<RankProfile> mine = load_profile(key, graph_);
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
    // What is left of measuring is some 25 MB, beside which the weights are to fit.
    kernels::forget_kernels();
    (void)malloc_trim(0);
  }
  mine->threads = threads();
  return *std::move(mine);
}

Profile Session::profile() {
  RankProfile mine = replays() ? *recorded_ : measured_profile();
  mine.host = communicator_->host();
  mine.baseline_bytes = base_mb_ * bytes_per_mb;

  if (settings_.transfer_type != TransferType::f32) measure_rounding(settings_.transfer_type, mine);

  Profile profile{
      .model = fingerprint(graph_), .axis = axis(), .transfer_type = settings_.transfer_type, .ranks = {}, .links = {}};
  const std::vector<comm::Bytes> all = communicator_->gather(to_bytes(mine), 0, set_up_timeout);
  for (const comm::Bytes& bytes : all) profile.ranks.push_back(rank_profile_from_bytes(bytes));
  pool_alike(profile.ranks);
  if (comm::is_simulated()) {
    std::vector<std::string> hosts;
    for (const RankInfo& info : infos_) hosts.push_back(info.host);
    comm::Network network = comm::platform_network(hosts);
    profile.links = std::move(network.links);
    profile.medium = network.medium;
  } else {
    profile.links = comm::probe_links(*communicator_, set_up_timeout);
  }
  return profile;
}

double Session::most_held_bytes() const {
  if (settings_.max_memory_mb <= 0) return std::numeric_limits<double>::infinity();
  constexpr double uncounted = 0.03;  // messages under way, gaps of the allocator
  return (settings_.max_memory_mb * (1 - uncounted) - base_mb_) * bytes_per_mb;
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

bool Session::fits_alone() {
  if (settings_.max_memory_mb <= 0) return true;
  Profile profile;
  profile.ranks.emplace_back().baseline_bytes = base_mb_ * bytes_per_mb;
  const double bytes = partition::most_process_bytes(graph_, profile, single_rank_plan(graph_, 1, 0));
  return largest(bytes / bytes_per_mb) <= settings_.max_memory_mb;
}

std::vector<double> Session::run_alone(int frames, const TensorMap& inputs) {
  if (!alone_) {
    Plan plan = single_rank_plan(graph_, 1, 0);
    Families families = families_alone(plan);
    alone_ = std::make_unique<WholeModel>(graph_, std::move(plan), settings_.storage,
                                          ProgramOptions{settings_.exactness, Messages::left_out, std::move(families)},
                                          ExecutorOptions{slowdown(), settings_.timeout});
  }
  std::vector<double> samples;
  const Clock::time_point start = Clock::now();
  for (int i = -warm_up_frames; i < frames; ++i) {
    const Clock::time_point begin = Clock::now();
    if (i > -warm_up_frames && begin - start > longest_warm_up) i = std::max(i, 0);
    // Ranks that are slowed down thirtyfold need no fifty frames to say so.
    if (!samples.empty() && begin - start > longest_single_run) break;
    write_inputs(graph_.inputs, alone_->program, inputs);
    (void)alone_->executor.run();
    if (i >= 0) samples.push_back(microseconds_since(begin));
  }
  return samples;
}

std::vector<std::vector<double>> Session::measure_single_ranks(int frames, const TensorMap& inputs) {
  std::vector<std::vector<double>> all;
  if (replays()) {
    double us = 0;
    const BoxCost cost = replayed_costs();
    for (OpId id = 0; id < graph_.size(); ++id) us += cost(id, whole(graph_.shape(id)));
    for (const comm::Bytes& bytes : communicator_->gather_for_all(bytes_of(us), set_up_timeout))
      all.emplace_back(static_cast<std::size_t>(frames), value_of<double>(bytes));
    return all;
  }
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

}  // namespace strake::engine
