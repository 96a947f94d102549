// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A plan compiled for one rank: a list of steps over buffers that all exist before the first frame.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "core/blob.hpp"
#include "core/plan.hpp"
#include "core/slab_layout.hpp"
#include "engine/replay.hpp"
#include "kernels/kernel.hpp"

namespace strake::engine {

enum class StepKind : unsigned char { compute, start_messages, finish_receives, finish_sends };

/// One thing to do. Kernels and messages belong to the program.
struct Step {
  StepKind kind = StepKind::compute;
  OpId op = 0;
  kernels::Kernel* kernel = nullptr;         // of `compute`
  comm::Redistribution* messages = nullptr;  // of the others
  comm::Redistribution* poke = nullptr;      // messages under way while this kernel runs, or null
  Box box = {};                              // that `compute` produces
};

/// When kernels are prepared: by the constructor, or piece by piece between the frames of another program.
enum class Prepare : unsigned char { at_once, in_pieces };

struct ProgramOptions {
  kernels::Exactness exactness = kernels::Exactness::fastest;
  Messages messages = Messages::sent;
  std::vector<kernels::Family> families = {};  // by operator; empty means direct everywhere
  BoxCost replay = {};                         // where given, time passes instead of kernels; weights are not needed
  Prepare prepare = Prepare::at_once;
};

/// Immutable once compiled; running it is the executor's task. The first tag of its messages is the operator's number:
/// of several programs one runs at a time, and all ranks change between the same two frames.
class Program {
 public:
  /// Collective where messages are sent: every rank compiles the same plan.
  /// @param communicator  may be null when messages are left out; must outlive the program
  /// @param weights       must hold every weight that this rank computes with
  /// @throws InvalidInput where an operator cannot be computed as the plan says
  Program(const Graph& graph, const Plan& plan, int rank, comm::Communicator* communicator,
          kernels::WeightStore& weights, const ProgramOptions& options);

  /// Of a program in pieces: prepares what comes next, an operator at least, and more until `deadline`. True when all
  /// is prepared; before that, the program must not run. Local.
  /// @param weights  those that the constructor was given
  /// @throws InvalidInput as the constructor does
  bool prepare_until(std::chrono::steady_clock::time_point deadline, kernels::WeightStore& weights);

  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }

  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  /// While an error is on its way out, slabs stay until the process ends: sends under way may still read them.
  ~Program();

  /// The slab of an operator on this rank; empty box where it has none. Valid as long as the program.
  [[nodiscard]] View slab(OpId id) const;

  /// Bytes of activations: what was reserved, and what no layout could go below.
  [[nodiscard]] std::size_t arena_bytes() const { return arena_.size_bytes(); }
  [[nodiscard]] std::size_t liveness_peak_bytes() const { return liveness_peak_; }
  [[nodiscard]] std::size_t workspace_bytes() const { return workspace_.size_bytes(); }
  [[nodiscard]] std::size_t rounding_bytes() const { return rounding_bytes_; }  // of messages that travel rounded
  [[nodiscard]] std::size_t sent_bytes() const { return sent_bytes_; }          // per frame
  [[nodiscard]] std::size_t received_bytes() const { return received_bytes_; }  // per frame

 private:
  void place_slabs();
  void place_constant(OpId id, kernels::WeightStore& weights);
  [[nodiscard]] std::unique_ptr<kernels::Kernel> prepare(OpId id, const Box& box, kernels::WeightStore& weights);
  void open_messages(OpId id, comm::Communicator& communicator);
  void add_op(OpId id, kernels::WeightStore& weights);
  void add_kernels(OpId id, const BoxList& boxes, kernels::WeightStore& weights, comm::Redistribution* poke);
  void finish_receives_before(int step);
  void finish_sends_before(int step);
  void finish_after(int step);
  [[nodiscard]] comm::Redistribution* incoming(OpId id) const;
  [[nodiscard]] bool prepare_next(kernels::WeightStore& weights);

  const Graph& graph_;
  const Plan& plan_;  // read while compiling only
  int rank_;
  ProgramOptions options_;
  OpId next_op_ = 0;  // to be prepared
  SlabLayout layout_;
  std::size_t liveness_peak_ = 0;
  std::size_t rounding_bytes_ = 0;
  std::size_t sent_bytes_ = 0;
  std::size_t received_bytes_ = 0;
  Blob arena_;
  kernels::Workspace workspace_;
  std::vector<Blob> constants_;                                  // [op]
  std::vector<View> views_;                                      // [op]
  std::vector<std::unique_ptr<comm::Redistribution>> messages_;  // [op]
  std::vector<std::unique_ptr<kernels::Kernel>> kernels_;
  std::vector<Step> steps_;
};

}  // namespace strake::engine
