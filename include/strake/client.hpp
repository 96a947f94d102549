// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Frames to a running cluster (`strake serve`), from a process that knows nothing of MPI.

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "strake/engine.hpp"
#include "strake/errors.hpp"
#include "strake/export.h"

namespace strake {

/// Keeps each frame until its result has come: when a node, the job, the supervisor or the connection dies, it connects
/// and submits again. No frame is lost and none is answered twice. Any thread.
class STRAKE_API Client {
 public:
  /// Does not wait for anybody.
  /// @param address   of the supervisor: "tcp://edge-0:7300"; the port is 7300 unless given
  /// @param key_file  as `strake keys add` writes it; "" for addresses of this host
  /// @throws InvalidInput for an address beyond this host without a key, or a key that cannot be read
  explicit Client(const std::string& address, const std::string& key_file = "");
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  /// Frames without results end with it; their futures hold PeerLost.
  ~Client();

  /// What is served; waits until a job takes frames. `outputs` is empty where sizes are known at run time only.
  /// @throws InvalidInput where this client is refused; PeerLost when nobody answers in time
  [[nodiscard]] std::vector<PortInfo> inputs(std::chrono::milliseconds longest = std::chrono::seconds(60)) const;
  [[nodiscard]] std::vector<PortInfo> outputs(std::chrono::milliseconds longest = std::chrono::seconds(60)) const;

  /// One frame. Other than an engine's, a client's inputs are copied: they may have to be sent again.
  /// @throws InvalidInput where the frame is wrong or this client is refused
  [[nodiscard]] Result run(const Inputs& inputs);

  /// The same without waiting for the result, which comes as soon as it is there, not in the order of the calls. Waits
  /// while as many frames as the cluster takes have no result.
  /// @param deadline  from now: then the future holds DeadlineMissed, and a result that comes later is dropped. No call
  ///                  waits longer for a place than its own deadline
  /// @throws InvalidInput where this client is refused
  [[nodiscard]] std::future<Result> submit(const Inputs& inputs,
                                           std::optional<std::chrono::nanoseconds> deadline = std::nullopt);

 private:
  struct Impl;
  [[nodiscard]] Impl& impl() const;  // throws InvalidInput where the client was moved from
  std::unique_ptr<Impl> impl_;
};

}  // namespace strake
