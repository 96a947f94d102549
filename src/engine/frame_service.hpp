// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Frames of a job whose rank 0 alone knows when they come.

#include <functional>
#include <span>

#include "engine/session.hpp"

namespace strake::engine {

/// What happens on all ranks between frames.
struct FrameHooks {
  std::function<void()> after_cycle;                     // collective: after each cycle
  std::function<void(std::span<const std::byte>)> told;  // collective: what rank 0 gave `tell`
};

/// Rank 0 runs frames when it likes; the other ranks serve it in `work`, asleep while there is nothing to do.
class FrameService {
 public:
  /// @param session  compiled; outlives this
  explicit FrameService(Session& session, comm::Communicator& communicator, FrameHooks hooks = {});

  /// Rank 0: as `Session::run`, on all ranks. Where there are fewer frames than the plan has in flight, the last one
  /// fills the cycle up: it is computed again in vain. @throws InvalidInput from the model's tail, after which frames
  /// may follow
  double run(std::span<const TensorMap> inputs, Frame frame = Frame::counted);

  /// Rank 0: gives all ranks, itself included, a message for their hook `told`.
  void tell(std::span<const std::byte> message);

  /// Rank 0: lets the others return from `work`. Again: does nothing.
  void close();

  /// The other ranks: until rank 0 closes. @throws PeerLost, comm::JobEnded
  void work();

 private:
  enum class Command : unsigned char { run, warm_up, tell, close };

  void command(Command what, std::span<const std::byte> message = {});
  void after_cycle();

  Session* session_;
  comm::Communicator* communicator_;
  FrameHooks hooks_;
  int cycles_ = 0;
  bool closed_ = false;
};

}  // namespace strake::engine
