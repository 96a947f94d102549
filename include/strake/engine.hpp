// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One CNN on the ranks of this MPI job, or on this process alone.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "strake/errors.hpp"
#include "strake/export.h"
#include "strake/tensor.hpp"

namespace strake {

/// What `submit` does while as many frames wait as may.
enum class WhenFull : unsigned char { block, refuse };

/// What becomes of a frame whose turn comes after its deadline.
enum class Late : unsigned char { drop, finish };

/// As the options of the same names of `strake run`, which docs/command-line.md describes. All ranks of a job are given
/// the same.
struct EngineOptions {
  std::string model;                                        // ONNX file; read by rank 0 only
  std::map<std::string, std::vector<std::int64_t>> shapes;  // of inputs whose dimensions the model leaves open
  std::string strategy = "auto";
  std::string objective = "latency";  // "throughput" runs several frames at once
  double rate = 0;                    // frames per second offered, under "throughput"
  int inflight = 16;                  // frames under way at once, at most, under "throughput"
  std::string plan;                   // JSON file made ahead by `strake plan -o` or `save_plan`
  bool exact = false;                 // the same bits on any number of ranks
  std::string kernels = "auto";
  std::string weights = "f32";
  std::string transfer_dtype = "f32";
  std::string axis = "auto";
  double max_memory_mb = 0;                                      // of each rank's process; 0 for no limit
  int threads = 0;                                               // per rank; 0 for its share of the cores
  std::chrono::milliseconds timeout = std::chrono::seconds(10);  // for another rank's message in a frame
  std::size_t queue = 8;                                         // frames that may wait
  WhenFull when_full = WhenFull::block;
  Late late = Late::drop;
};

/// Tensors by the names of a model's inputs.
using Inputs = std::map<std::string, TensorView>;

struct Result {
  std::map<std::string, Tensor> outputs;  // by name
  double latency_ms = 0;  // of the frame, or of the frames that ran at once, without waiting in the queue
  bool late = false;      // done after its deadline

  /// @throws InvalidInput if the model has no such output
  [[nodiscard]] STRAKE_API const Tensor& operator[](const std::string& name) const;
};

/// An input or output of the model.
struct PortInfo {
  std::string name;
  DataType type = DataType::float32;
  std::vector<std::int64_t> shape;
};

/// The constructor is collective: it returns on all ranks when the model is ready. From then on rank 0 runs frames, and
/// the others serve it in `work`.
///
/// Under `mpirun`, MPI is started by the first engine of a process and ends with the process. A program that starts MPI
/// itself must ask for MPI_THREAD_MULTIPLE, or MPI_THREAD_SERIALIZED if it makes no call of MPI while an engine lives:
/// an engine has one thread that makes all of its calls. There one engine may live at a time; without `mpirun` as many
/// as there is memory for.
class STRAKE_API Engine {
 public:
  /// @throws InvalidInput as the program would say it: model, shapes, options, ranks of unlike builds. Other ranks than
  ///         the one that found it throw nothing; their `work` returns its exit code.
  explicit Engine(EngineOptions options);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  /// As `close`. A process of several ranks that ends (`exit`) while its engine is open ends the job with 1.
  ~Engine();

  [[nodiscard]] bool is_root() const;
  [[nodiscard]] int rank() const;
  [[nodiscard]] int ranks() const;

  /// Ranks other than 0: serves until rank 0 closes, then gives 0, or the exit code of a rank that could not go on.
  /// Rank 0: gives 0 at once. Not to be called twice.
  int work();

  /// Rank 0. Any thread, several at once.
  [[nodiscard]] const std::vector<PortInfo>& inputs() const;
  [[nodiscard]] const std::vector<PortInfo>& outputs() const;
  /// Strategy of the plan that runs, ranks that it gives work, and the milliseconds that it was predicted to take (0 if
  /// nothing was predicted).
  struct PlanSummary {
    std::string strategy;
    int ranks_used = 1;
    double predicted_ms = 0;
  };
  [[nodiscard]] PlanSummary plan() const;
  /// The plan as a file that `EngineOptions::plan` and `--plan` take. @throws InvalidInput if it cannot be written
  void save_plan(const std::string& file) const;

  /// One frame, behind those that wait. The inputs are borrowed until it returns.
  /// @throws InvalidInput naming the input: unknown, missing, wrong type or shape; PeerLost; QueueFull
  [[nodiscard]] Result run(const Inputs& inputs);

  /// The same without waiting for it. Results come in the order of the calls. Tensors are borrowed until the future is
  /// ready; it holds what `run` throws, or DeadlineMissed.
  /// @param deadline  from now; without one a frame is never late
  /// @throws InvalidInput at once where inputs are wrong; QueueFull
  [[nodiscard]] std::future<Result> submit(const Inputs& inputs,
                                           std::optional<std::chrono::nanoseconds> deadline = std::nullopt);

  /// Rank 0: runs what waits, then lets the other ranks return from `work`. Later calls do nothing; later frames are
  /// refused with InvalidInput. Other ranks: nothing.
  void close();

 private:
  struct Impl;
  [[nodiscard]] Impl& impl() const;  // throws InvalidInput where the engine was moved from
  std::unique_ptr<Impl> impl_;
};

enum class Severity : unsigned char { debug, info, warning, error };

/// What the library says goes to `sink`, from any thread; without one it says nothing. To be set before the first
/// engine is made.
STRAKE_API void set_log(std::function<void(Severity, const std::string&)> sink);

/// "0.1.0"
[[nodiscard]] STRAKE_API std::string version();

}  // namespace strake
