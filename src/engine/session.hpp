// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One model on all ranks of one job, from handshake to frames. Every rank makes the same calls in the same order.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/model.hpp"
#include "core/plan.hpp"
#include "core/profile.hpp"
#include "core/unroll.hpp"
#include "engine/compiled.hpp"
#include "engine/executor.hpp"
#include "engine/frame.hpp"
#include "engine/handshake.hpp"
#include "engine/kernel_choice.hpp"
#include "engine/trace.hpp"
#include "engine/whole_model.hpp"
#include "kernels/copy_clock.hpp"

namespace strake::engine {

/// A rank is emulated to be slower in some of the frames that count.
struct SlowdownChange {
  int rank = 0;
  double factor = 1;
  int begin = 0;  // first frame (or cycle) that it is slower in
  int end = 0;    // first one that it is not any more
};

struct Settings {
  kernels::Exactness exactness = kernels::Exactness::fastest;
  KernelPolicy kernels = KernelPolicy::measured;
  kernels::WeightStorage storage = kernels::WeightStorage::f32;
  TransferType transfer_type = TransferType::f32;  // of plans that are made here
  std::optional<SplitAxis> axis;                   // the longer one unless given
  int threads = 0;                                 // per rank; 0 for this rank's share of its cores
  double max_memory_mb = 0;                        // of each rank's process; 0 for no limit
  std::vector<double> slowdowns;                   // emulated, by rank; ranks beyond the list run as they are
  std::vector<SlowdownChange> slowdown_changes;    // instead of the rank's slowdown in these frames
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
  double predicted_peak_mb = 0;  // base + weights as kernels hold them + arena + workspace + rounded messages
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
  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] int rank() const { return communicator_->rank(); }
  [[nodiscard]] int size() const { return communicator_->size(); }
  [[nodiscard]] bool is_root() const { return rank() == 0; }
  [[nodiscard]] int threads() const { return share_.threads; }
  [[nodiscard]] double slowdown() const;
  /// From the next frame on. Local: this rank's alone; profiles are measured with what `Settings` say.
  void emulate_slowdown(double factor);
  /// The emulated slowdown of the next frame that counts.
  [[nodiscard]] double slowdown_now() const;
  [[nodiscard]] const std::vector<RankInfo>& infos() const { return infos_; }

  /// Collective, under SMPI and after `load`: from now on this model's kernels are not run. Each takes as long as
  /// `recorded` says, by the speed of the rank's simulated host; no weights are sent, and outputs have no values.
  /// @param recorded  of one rank; read on rank 0 only
  /// @throws InvalidInput on rank 0 where it is not of this model and axis
  void replay(const Profile& recorded);
  [[nodiscard]] bool replays() const { return recorded_.has_value(); }

  /// Collective: costs of every rank and link, from the cache on disk where all ranks find theirs. Rank 0 gets all of
  /// it; the others an empty profile.
  [[nodiscard]] Profile profile();

  /// Collective: everybody gets rank 0's plan, makes its program and is sent the weights that it computes with,
  /// on other hosts than rank 0's those that are not in the cache on disk there (`engine/weight_cache.hpp`).
  /// @param plan  read on rank 0 only
  /// @throws InvalidInput on all ranks where one of them would exceed `Settings::max_memory_mb`, or where cells are
  ///         rounded on their way although `exactness` is exact
  void compile(Plan plan);

  /// Bytes of weights that the last `compile` sent to other ranks. Rank 0 only.
  [[nodiscard]] std::size_t sent_weight_bytes() const { return sent_weight_bytes_; }

  /// From the next `compile` on.
  void use_kernels(KernelPolicy policy) { settings_.kernels = policy; }
  void store_weights(kernels::WeightStorage storage) { settings_.storage = storage; }

  [[nodiscard]] const Plan& plan() const { return running_->plan; }
  /// What the program is made of: the model and its plan, or a cycle of frames unrolled.
  [[nodiscard]] const Graph& running_graph() const { return graph_of(*running_); }
  [[nodiscard]] const Plan& running_plan() const { return cycle() ? cycle()->plan : plan(); }

  /// Before `compile`: ranks keep the weights that they are sent beside what kernels make of them, and rank 0 all, so
  /// that plans can be changed between two frames (`engine/live_balance.hpp`). Not with `Settings::max_memory_mb`.
  void keep_weights();
  [[nodiscard]] bool keeps_weights() const { return keeps_weights_; }

  /// Local: begins to make another plan's program beside the one that runs. Its weights must be there.
  /// @param plan  of one frame, the same on every rank
  [[nodiscard]] std::shared_ptr<Compiled> begin_beside(Plan plan);
  /// Local: goes on with it until the deadline. True when it can run. @throws InvalidInput where a kernel cannot be
  /// made
  [[nodiscard]] bool go_on_beside(Compiled& beside, std::chrono::steady_clock::time_point deadline);
  /// Local, on all ranks after the same frame: the next one runs there. Gives what ran so far.
  std::shared_ptr<Compiled> switch_to(std::shared_ptr<Compiled> beside);

  /// Weights that `rank` computes with under `plan` and that it was not sent yet, ascending. The same on every rank.
  [[nodiscard]] std::vector<WeightId> missing_weights(const Plan& plan, int rank) const;
  /// Values of a weight that this rank keeps; rank 0 has all of them. @throws Bug where it does not
  [[nodiscard]] const Blob& kept_weight(WeightId id) const;
  /// From here on this rank has the weight, of which all ranks take note. @param values  on the rank itself
  void take_weight(int rank, WeightId id, Blob values);

  [[nodiscard]] comm::Communicator& communicator() const { return *communicator_; }
  /// What the last frame took on this rank. Local.
  [[nodiscard]] const FrameTimes& last_frame() const { return last_frame_; }
  /// And what `run` gave for it; 0 where it threw. Local.
  [[nodiscard]] double last_latency_us() const { return last_latency_us_; }

  /// Collective: one frame, or one cycle of `plan().frames` of them. `inputs` (from `checked_inputs`) are read on rank
  /// 0 only; all frames of a cycle are given the same. Gives the latency there in microseconds, from inputs handed over
  /// to outputs ready to be read.
  double run(const TensorMap& inputs, Frame frame = Frame::counted);
  /// The same with inputs for each frame of the cycle. @param inputs  one, for all, or as many as `plan().frames`
  double run(std::span<const TensorMap> inputs, Frame frame = Frame::counted);

  /// The outputs of a frame of the last cycle. Rank 0 only.
  [[nodiscard]] TensorMap outputs(int frame = 0) const;
  /// Time of the tail, median over frames (or cycles) since `report` or `compile`; 0 without one. Local.
  [[nodiscard]] double tail_ms() const;

  /// Collective: every rank's report, on rank 0. Forgets the times of frames so far.
  [[nodiscard]] std::vector<RankReport> report();

  /// Local: operators of this rank's program, over all frames since `report` or `compile`.
  [[nodiscard]] std::vector<OpTime> op_times();

  /// Local: the same, by kind of work. Copies inside kernels count as kernels unless `measure_copies` was called.
  [[nodiscard]] FrameParts frame_parts() const;
  void measure_copies() { kernels::measure_copies(kernels::CopyTimes::measured); }

  /// Collective, after `compile`: from here on counted frames are recorded, of `frames` that will come as many of the
  /// last as make up to 200,000 events on all ranks together, at least one. Ends with `end_trace` or `compile`.
  void begin_trace(int frames);
  /// Collective: what was recorded, on rank 0; no ranks on the others.
  [[nodiscard]] Trace end_trace();

  /// Forgets the times of frames so far. Local.
  void forget_times();

  /// Collective: whether every rank may hold the whole model under `Settings::max_memory_mb`.
  [[nodiscard]] bool fits_alone();

  /// Collective: the whole model on each rank alone, one after the other, while the others sleep. Latencies in
  /// microseconds, by rank and frame; fewer frames than asked for where they take long. The first call prepares, later
  /// ones go on.
  [[nodiscard]] std::vector<std::vector<double>> measure_single_ranks(int frames, const TensorMap& inputs);

 private:
  [[nodiscard]] TensorMap graph_outputs(int frame) const;
  [[nodiscard]] const Graph& graph_of(const Compiled& compiled) const {
    return compiled.cycle ? compiled.cycle->graph : graph_;
  }
  [[nodiscard]] Families families_of_frames();
  [[nodiscard]] kernels::WeightStore take_weights();
  // Tails have no recorded costs.
  [[nodiscard]] bool has_tail() const { return tail_.run && !replays(); }
  [[nodiscard]] const std::optional<Unrolled>& cycle() const { return running_->cycle; }
  void note_kept_weights();
  void share_families(const Families& mine);
  void add_op_times();
  [[nodiscard]] RankProfile measured_profile();
  [[nodiscard]] BoxCost replayed_costs() const;
  void distribute_weights();
  void send_weights();
  void receive_weights();
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
  void check_transfers() const;
  [[nodiscard]] RankReport own_report() const;

  comm::Communicator* communicator_;
  Settings settings_;
  std::vector<RankInfo> infos_;
  CoreShare share_;
  double base_mb_ = 0;
  Loader loader_;
  bool has_weights_ = false;  // rank 0: the graph's weights have their values
  std::size_t sent_weight_bytes_ = 0;
  Graph graph_;
  Tail tail_;                            // rank 0
  std::optional<RankProfile> recorded_;  // as this rank's host replays it
  std::vector<TensorMap> outputs_;       // [frame] of the last cycle, where a tail made them
  std::shared_ptr<Compiled> running_ = std::make_shared<Compiled>();
  std::shared_ptr<Compiled> ran_;  // what ran the last frame, whose outputs it has
  bool keeps_weights_ = false;
  std::vector<Blob> kept_;                // [weight], where this rank keeps it
  std::vector<std::set<WeightId>> sent_;  // [rank]: what it keeps
  Families known_families_;               // [op], where ranks keep weights: of this rank's kernels, or of another's
  std::unique_ptr<WholeModel> alone_;     // the whole model on this rank, once it was measured
  std::optional<Recorder> recorder_;      // between `begin_trace` and `end_trace`
  std::vector<comm::ClockOffset> clocks_before_trace_;  // rank 0
  std::vector<double> compute_us_;                      // [frame]
  std::vector<double> wait_us_;
  std::vector<double> tail_us_;
  std::vector<double> step_us_;     // summed over frames of the program that runs
  std::vector<OpTime> op_sums_;     // [op]: summed over frames of those that ran before
  std::optional<double> slowdown_;  // instead of that of the settings
  int counted_frames_ = 0;          // since `compile`
  FrameTimes last_frame_;
  double last_latency_us_ = 0;
  FrameParts parts_;  // summed over frames
};

}  // namespace strake::engine
