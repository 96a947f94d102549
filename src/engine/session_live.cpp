// SPDX-License-Identifier: Apache-2.0
// How a session changes plans between two frames.

#include "engine/session.hpp"
#include "engine/session_messages.hpp"

namespace strake::engine {

void Session::keep_weights() {
  if (settings_.max_memory_mb > 0)
    throw InvalidInput("changing plans while frames run keeps weights twice, which a limit of memory rules out");
  keeps_weights_ = !replays();
}

// Rank 0 has all of them now, the others what their plan needs.
void Session::note_kept_weights() {
  kept_.clear();
  for (const Weight& weight : graph_.weights) kept_.push_back(weight.values);
  sent_.clear();
  for (int of = 0; of < size(); ++of) sent_.push_back(weights_needed(running_graph(), running_plan(), of));
}

std::vector<WeightId> Session::missing_weights(const Plan& plan, int rank) const {
  std::vector<WeightId> missing;
  if (rank == 0) return missing;
  for (const WeightId id : weights_needed(graph_, plan, rank))
    if (!sent_[static_cast<std::size_t>(rank)].contains(id)) missing.push_back(id);
  return missing;
}

const Blob& Session::kept_weight(WeightId id) const {
  const Blob& values = kept_.at(static_cast<std::size_t>(id));
  ensure(!values.empty(), "a weight that is asked for is kept");
  return values;
}

void Session::take_weight(int rank, WeightId id, Blob values) {
  sent_[static_cast<std::size_t>(rank)].insert(id);
  if (rank == this->rank()) kept_[static_cast<std::size_t>(id)] = std::move(values);
}

// Families are measured once, for the boxes at hand. Whoever computes other operators later takes what the ranks have
// found who compute them now, rank 0 first.
void Session::share_families(const Families& mine) {
  if (cycle()) return;
  comm::Bytes bytes(graph_.ops.size());
  for (std::size_t op = 0; op < mine.size(); ++op) bytes[op] = static_cast<std::byte>(mine[op]);
  const std::vector<comm::Bytes> all = communicator_->gather_for_all(std::move(bytes), set_up_timeout);
  known_families_.assign(graph_.ops.size(), kernels::Family::direct);
  for (OpId id = 0; id < graph_.size(); ++id)
    for (int i = 0; i < size(); ++i) {
      const int of = i == 0 ? rank() : i - (i <= rank() ? 1 : 0);
      if (plan().boxes(id, of).empty()) continue;
      known_families_[static_cast<std::size_t>(id)] =
          static_cast<kernels::Family>(all[static_cast<std::size_t>(of)][static_cast<std::size_t>(id)]);
      break;
    }
}

std::shared_ptr<Compiled> Session::begin_beside(Plan plan) {
  ensure(keeps_weights_ && !cycle() && plan.frames == 1, "plans of one frame stand beside each other");
  auto beside = std::make_shared<Compiled>();
  beside->plan = std::move(plan);
  beside->weights =
      std::make_unique<kernels::WeightStore>(kernels::WeightStore::beside(*running_->weights, graph_, kept_));
  beside->program = std::make_unique<Program>(
      graph_, beside->plan, rank(), communicator_, *beside->weights,
      ProgramOptions{.exactness = settings_.exactness, .families = known_families_, .prepare = Prepare::in_pieces});
  return beside;
}

bool Session::go_on_beside(Compiled& beside, std::chrono::steady_clock::time_point deadline) {
  if (!beside.program->prepare_until(deadline, *beside.weights)) return false;
  beside.executor = std::make_unique<Executor>(*beside.program, ExecutorOptions{slowdown(), settings_.timeout});
  return true;
}

std::shared_ptr<Compiled> Session::switch_to(std::shared_ptr<Compiled> beside) {
  ensure(beside != nullptr && beside->executor != nullptr, "what runs next is prepared");
  add_op_times();
  std::swap(running_, beside);
  step_us_.assign(running_->program->steps().size(), 0.0);
  if (recorder_) recorder_->start_again(running_->program->steps().size());
  return beside;
}

}  // namespace strake::engine
