// SPDX-License-Identifier: Apache-2.0
#include "engine/session.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "comm/equal_pages.hpp"
#include "core/log.hpp"
#include "core/serialize.hpp"
#include "engine/machine.hpp"
#include "engine/measure.hpp"
#include "engine/session_messages.hpp"
#include "kernels/isa.hpp"

namespace strake::engine {

Session::Session(comm::Communicator& communicator, Settings settings)
    : communicator_(&communicator), settings_(std::move(settings)) {
  infos_ = exchange_infos(communicator, own_info(communicator, settings_.build), set_up_timeout);
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

void Session::emulate_slowdown(double factor) { slowdown_ = factor; }

double Session::slowdown_now() const {
  if (slowdown_) return *slowdown_;
  for (const SlowdownChange& change : settings_.slowdown_changes)
    if (change.rank == rank() && counted_frames_ >= change.begin && counted_frames_ < change.end) return change.factor;
  return slowdown();
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

double Session::largest(double mine) {
  double most = mine;
  for (const comm::Bytes& bytes : communicator_->gather(bytes_of(mine), 0, set_up_timeout))
    most = std::max(most, value_of<double>(bytes));
  return value_of<double>(communicator_->broadcast(bytes_of(most), 0, set_up_timeout));
}

// Collective: all ranks refuse together.
void Session::check_memory() {
  if (settings_.max_memory_mb <= 0) return;
  const double most = largest(predicted_peak_mb());
  if (most <= settings_.max_memory_mb) return;
  const auto text = [](double mb) { return std::to_string(std::llround(mb)) + " MB"; };
  throw InvalidInput("model '" + graph_.name + "': a rank needs " + text(most) + " under plan '" + plan().strategy +
                     "', allowed are " + text(settings_.max_memory_mb) + " (--max-memory)");
}

// Operators of a cycle share the weights of the model.
kernels::WeightStore Session::take_weights() {
  if (!running_->cycle) return kernels::WeightStore(graph_, settings_.storage);
  Graph& cycle = running_->cycle->graph;
  for (std::size_t i = 0; i < graph_.weights.size(); ++i) {
    cycle.weights[i].values = std::move(graph_.weights[i].values);
    graph_.weights[i].values.reset();
  }
  return kernels::WeightStore(cycle, settings_.storage);
}

// Each plan of a frame is measured once, however often it stands in the cycle.
Families Session::families_of_frames() {
  if (!cycle()) return families_together(plan());
  std::vector<Plan> plans;
  std::vector<Families> by_frame;
  for (int frame = 0; frame < plan().frames; ++frame) {
    plans.push_back(frame_plan(plan(), frame));
    const auto same = std::find_if(plans.begin(), plans.end(),
                                   [&](const Plan& plan) { return plan.produces == plans.back().produces; });
    const auto place = static_cast<std::size_t>(same - plans.begin());
    by_frame.push_back(place + 1 == plans.size() ? families_together(plans.back()) : by_frame[place]);
  }
  Families families;
  for (std::size_t i = 0; i < cycle()->originals.size(); ++i) {
    const Families& mine = by_frame[static_cast<std::size_t>(cycle()->frames[i])];
    families.push_back(mine.empty() ? kernels::Family::direct : mine[static_cast<std::size_t>(cycle()->originals[i])]);
  }
  return families;
}

void Session::check_transfers() const {
  if (plan().transfer_type == TransferType::f32) return;
  const std::string type(to_string(plan().transfer_type));
  if (settings_.exactness == kernels::Exactness::exact)
    throw InvalidInput("plan '" + plan().strategy + "' lets tensors travel as " + type +
                       ", which rounds them; --exact needs f32");
  bool shared = true;
  for (int peer = 0; peer < size(); ++peer) shared = shared && communicator_->shares_host(peer);
  if (is_root() && shared)
    log(LogLevel::info, "all ranks share this host: nothing travels as " + type + ", everything as f32");
}

void Session::compile(Plan plan) {
  comm::Bytes bytes = communicator_->broadcast(is_root() ? to_bytes(plan) : comm::Bytes{}, 0, set_up_timeout);
  recorder_.reset();
  ran_.reset();
  running_.reset();  // frees what it holds before the next is made
  running_ = std::make_shared<Compiled>();
  running_->plan = is_root() ? std::move(plan) : plan_from_bytes(bytes);
  check_transfers();
  if (this->plan().frames > 1) running_->cycle = unroll(graph_, this->plan());
  ProgramOptions options{.exactness = settings_.exactness};
  if (replays()) {
    options.replay = replayed_costs();
    if (cycle())
      options.replay = [cost = options.replay, originals = cycle()->originals](OpId id, const Box& box) {
        return cost(originals[static_cast<std::size_t>(id)], box);
      };
  } else {
    options.families = families_of_frames();
    if (keeps_weights_) share_families(options.families);
    distribute_weights();
  }
  running_->weights = std::make_unique<kernels::WeightStore>(take_weights());
  running_->program =
      std::make_unique<Program>(running_graph(), running_plan(), rank(), communicator_, *running_->weights, options);
  const std::size_t shared = comm::share_equal_pages(*communicator_, running_->weights->whole_pages(), set_up_timeout);
  if (shared > 0) log(LogLevel::debug, std::to_string(shared >> 20) + " MB of weights shared with ranks of this host");
  running_->executor =
      std::make_unique<Executor>(*running_->program, ExecutorOptions{replays() ? 1 : slowdown(), settings_.timeout});
  ran_ = running_;
  counted_frames_ = 0;
  forget_times();
  check_memory();
  // Nobody's first frame should time out because another rank still prepares kernels.
  communicator_->barrier(set_up_timeout);
}

double Session::run(const TensorMap& inputs, Frame frame) { return run(std::span(&inputs, 1), frame); }

double Session::run(std::span<const TensorMap> inputs, Frame frame) {
  ensure(!is_root() || inputs.size() == 1 || inputs.size() == static_cast<std::size_t>(plan().frames),
         "a cycle has inputs for each of its frames, or the same for all");
  std::span<Moment> moments;
  if (recorder_ && frame == Frame::counted) moments = recorder_->next_frame();
  const Clock::time_point begin = Clock::now();
  if (is_root())
    for (int i = 0; i < plan().frames; ++i)
      write_inputs(ports_of(running_graph().inputs, i, plan().frames), *running_->program,
                   inputs[inputs.size() == 1 ? 0 : static_cast<std::size_t>(i)]);
  const double input_us = microseconds_since(begin);
  last_latency_us_ = 0;
  ran_ = running_;
  if (!replays()) running_->executor->set_slowdown(slowdown_now());
  const FrameTimes times = running_->executor->run(moments.empty() ? moments : moments.subspan(1, moments.size() - 2));
  last_frame_ = times;
  const double tail_us = has_tail() ? run_tail() : 0;
  const Clock::time_point end = Clock::now();
  const double latency_us = microseconds(end - begin);
  last_latency_us_ = latency_us;
  if (!moments.empty()) {
    moments.front() = begin;
    moments.back() = end;
  }
  if (frame == Frame::warm_up) return latency_us;
  ++counted_frames_;
  compute_us_.push_back(times.compute_us);
  wait_us_.push_back(times.wait_us);
  if (has_tail()) tail_us_.push_back(tail_us);
  for (std::size_t i = 0; i < step_us_.size(); ++i) step_us_[i] += running_->executor->step_us()[i];
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
  outputs_.clear();
  for (int frame = 0; frame < plan().frames; ++frame) outputs_.push_back(tail_.run(graph_outputs(frame)));
  return microseconds_since(begin);
}

// Of the program that ran, after which another may have taken its place.
TensorMap Session::graph_outputs(int frame) const {
  const Graph& graph = graph_of(*ran_);
  return read_outputs(graph, ports_of(graph.outputs, frame, ran_->plan.frames), *ran_->program);
}

TensorMap Session::outputs(int frame) const {
  return has_tail() ? outputs_.at(static_cast<std::size_t>(frame)) : graph_outputs(frame);
}

double Session::tail_ms() const { return tail_us_.empty() ? 0 : median(tail_us_) / 1000; }

void Session::forget_times() {
  tail_us_.clear();
  compute_us_.clear();
  wait_us_.clear();
  step_us_.assign(running_->program->steps().size(), 0.0);
  op_sums_.clear();
  parts_ = {};
}

}  // namespace strake::engine
