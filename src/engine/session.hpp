// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One model on all ranks of one job, from handshake to frames. Every rank makes the same calls in the same order.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/model.hpp"
#include "core/plan.hpp"
#include "core/profile.hpp"
#include "engine/executor.hpp"
#include "engine/frame.hpp"
#include "engine/handshake.hpp"
#include "engine/kernel_choice.hpp"
#include "engine/whole_model.hpp"
#include "kernels/copy_clock.hpp"

namespace strake::engine {

struct Settings {
  kernels::Exactness exactness = kernels::Exactness::fastest;
  KernelPolicy kernels = KernelPolicy::measured;
  kernels::WeightStorage storage = kernels::WeightStorage::f32;
  std::optional<SplitAxis> axis;  // the longer one unless given
  int threads = 0;                // per rank; 0 for this rank's share of its cores
  double max_memory_mb = 0;       // of each rank's process; 0 for no limit
  std::vector<double> slowdowns;  // emulated, by rank; ranks beyond the list run as they are
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);  // for messages of a frame
  std::string build;                                            // what must be equal on all ranks
};

/// What `run` prints of one rank.
struct RankReport {
  int rank = 0;
  std::string host;
  int threads = 1;
  double share = 0;       // of all multiply-adds
  double compute_ms = 0;  // medians over frames
  double wait_ms = 0;
  double sent_bytes = 0;  // per frame
  double received_bytes = 0;
  double peak_rss_mb = 0;
  double predicted_peak_mb = 0;  // base of the process + weights as kernels hold them + arena + workspace
};

/// Where the time of a frame goes on this rank, by operator.
struct OpTime {
  OpId op = 0;
  double compute_ms = 0;  // mean over frames
  double wait_ms = 0;
  std::string implementation;
};

/// Where the time of a frame goes on this rank, in milliseconds, means over frames; together they are the latency.
struct FrameParts {
  double kernels_ms = 0;
  double copies_ms = 0;  // between layouts, the given inputs among them
  double waits_ms = 0;   // for messages, in either direction
  double tail_ms = 0;
  double other_ms = 0;
};

/// Whether a frame's times go into the reports.
enum class Frame : unsigned char { counted, warm_up };

class Session {
 public:
  /// Makes a model whose graph is optimised and has all weights. Called on rank 0 only; again when weights were dropped
  /// meanwhile.
  using Loader = std::function<Model()>;

  /// Collective: compares builds, shares out cores, caps instruction sets under `exact`.
  /// @throws InvalidInput naming the host that differs
  Session(comm::Communicator& communicator, Settings settings);

  /// Collective: rank 0 loads, the others learn the structure. @throws InvalidInput from the loader
  void load(Loader loader);

  [[nodiscard]] const Graph& graph() const { return graph_; }
  /// What follows the graph; rank 0 only.
  [[nodiscard]] const Tail& tail() const { return tail_; }
  [[nodiscard]] SplitAxis axis() const;
  [[nodiscard]] int rank() const { return communicator_->rank(); }
  [[nodiscard]] int size() const { return communicator_->size(); }
  [[nodiscard]] bool is_root() const { return rank() == 0; }
  [[nodiscard]] int threads() const { return share_.threads; }
  [[nodiscard]] double slowdown() const;
  [[nodiscard]] const std::vector<RankInfo>& infos() const { return infos_; }

  /// Collective: costs of every rank and link, from the cache on disk where all ranks find theirs. Rank 0 gets all of
  /// it; the others an empty profile.
  [[nodiscard]] Profile profile();

  /// Collective: everybody gets rank 0's plan, makes its program and is sent the weights that it computes with.
  /// @param plan  read on rank 0 only
  /// @throws InvalidInput on all ranks where one of them would exceed `Settings::max_memory_mb`
  void compile(Plan plan);

  /// From the next `compile` on.
  void use_kernels(KernelPolicy policy) { settings_.kernels = policy; }
  void store_weights(kernels::WeightStorage storage) { settings_.storage = storage; }

  [[nodiscard]] const Plan& plan() const { return plan_; }

  /// Collective: one frame. `inputs` (from `checked_inputs`) are read on rank 0 only. Gives the latency there in
  /// microseconds, from inputs handed over to outputs ready to be read.
  double run(const TensorMap& inputs, Frame frame = Frame::counted);

  /// The outputs of the last frame. Rank 0 only.
  [[nodiscard]] TensorMap outputs() const { return tail_.run ? outputs_ : read_outputs(graph_, *program_); }
  /// Time of the tail, median over frames since `report` or `compile`; 0 without one. Local.
  [[nodiscard]] double tail_ms() const;

  /// Collective: every rank's report, on rank 0. Forgets the times of frames so far.
  [[nodiscard]] std::vector<RankReport> report();

  /// Local: operators of this rank's program, over all frames since `report` or `compile`.
  [[nodiscard]] std::vector<OpTime> op_times() const;

  /// Local: the same, by kind of work. Copies inside kernels count as kernels unless `measure_copies` was called.
  [[nodiscard]] FrameParts frame_parts() const;
  void measure_copies() { kernels::measure_copies(kernels::CopyTimes::measured); }

  /// Forgets the times of frames so far. Local.
  void forget_times();

  /// Collective: whether every rank may hold the whole model under `Settings::max_memory_mb`.
  [[nodiscard]] bool fits_alone();

  /// Collective: the whole model on each rank alone, one after the other, while the others sleep. Latencies in
  /// microseconds, by rank and frame; fewer frames than asked for where they take long. The first call prepares, later
  /// ones go on.
  [[nodiscard]] std::vector<std::vector<double>> measure_single_ranks(int frames, const TensorMap& inputs);

 private:
  void distribute_weights();
  void drop_weights();
  double run_tail();
  [[nodiscard]] double largest(double mine);                                     // of all ranks' numbers; collective
  [[nodiscard]] bool all_have(bool mine) { return largest(mine ? 0 : 1) == 0; }  // collective
  [[nodiscard]] std::string profile_key(const std::vector<int>& neighbours) const;
  [[nodiscard]] std::string families_key(const Plan& plan) const;
  [[nodiscard]] bool measures_families() const;
  [[nodiscard]] Families families_together(const Plan& plan);
  [[nodiscard]] Families families_alone(const Plan& plan) const;
  [[nodiscard]] std::vector<double> run_alone(int frames, const TensorMap& inputs);
  [[nodiscard]] double most_held_bytes() const;
  [[nodiscard]] double predicted_peak_mb() const;
  void check_memory();
  [[nodiscard]] RankReport own_report() const;

  comm::Communicator* communicator_;
  Settings settings_;
  std::vector<RankInfo> infos_;
  CoreShare share_;
  double base_mb_ = 0;
  Loader loader_;
  bool has_weights_ = false;  // rank 0: the graph's weights have their values
  Graph graph_;
  Tail tail_;          // rank 0
  TensorMap outputs_;  // of the last frame, where a tail made them
  Plan plan_;
  std::unique_ptr<kernels::WeightStore> weights_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<WholeModel> alone_;  // the whole model on this rank, once it was measured
  std::vector<double> compute_us_;     // [frame]
  std::vector<double> wait_us_;
  std::vector<double> tail_us_;
  std::vector<double> step_us_;  // summed over frames
  FrameParts parts_;             // summed over frames
};

}  // namespace strake::engine
