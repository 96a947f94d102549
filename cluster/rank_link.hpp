// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A rank's line to whoever started it on its host: signs of life, and on rank 0 the frames.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "cluster/wake_up.hpp"
#include "cluster/wire.hpp"

namespace strake::cluster {

/// Environment variable: where ranks and launchers find their supervisor or agent.
inline constexpr const char* parent_variable = "STRAKE_PARENT";

inline constexpr std::chrono::milliseconds beat_interval{100};

/// Beats from its own thread, which alone touches ZeroMQ; the engine thread hands messages over. While this process is
/// stopped or gone the beats are missing, and that is how its loss is seen.
class RankLink {
 public:
  /// A frame to run.
  struct Frame {
    std::uint64_t ticket = 0;
    TensorMap inputs;
  };

  /// @param address  value of `parent_variable`
  RankLink(const std::string& address, std::uint64_t job, int rank);
  RankLink(const RankLink&) = delete;
  RankLink& operator=(const RankLink&) = delete;
  /// What was handed over is sent before this returns, or a second is over.
  ~RankLink();

  /// Rank 0: frames may come.
  void ready(wire::JobReady about);
  /// Rank 0: frames can never come, since the user got something wrong.
  void refuse(const std::string& reason);
  /// This process ends, since there is no memory for what it needs.
  void out_of_memory();
  /// Rank 0: the next frame; waits for it. Nothing when the job shall end.
  [[nodiscard]] std::optional<Frame> next();
  /// Rank 0: the next frame where it is there already.
  [[nodiscard]] std::optional<Frame> next_if_there();
  /// Rank 0: outputs of a frame, or with `error` why there are none.
  void done(std::uint64_t ticket, const TensorMap& outputs, std::uint64_t compute_us, const std::string& error = "");
  /// Rank 0: what the ranks did lately.
  void look(wire::JobLook look);

 private:
  void work(const std::stop_token& stop, const std::string& address);
  void hand_over(Message message);
  [[nodiscard]] wire::RankHello hello() const;

  std::uint64_t job_;
  int rank_;
  WakeUp wake_up_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Frame> inbox_;     // guarded by mutex_
  std::deque<Message> outbox_;  // guarded by mutex_
  bool ends_ = false;           // guarded by mutex_
  std::jthread thread_;
};

}  // namespace strake::cluster
