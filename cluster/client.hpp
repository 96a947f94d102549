// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Frames to a running cluster, and their results back, whatever dies in between.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cluster/addresses.hpp"
#include "cluster/keys.hpp"
#include "cluster/wake_up.hpp"
#include "cluster/wire.hpp"

namespace strake::cluster {

struct ClientOptions {
  Address address;
  std::optional<Identity> identity;  // without: addresses of this host only
};

/// An input or output of the served model.
struct PortInfo {
  std::string name;
  ElementType type = ElementType::f32;
  Shape shape;
};

struct ModelInfo {
  std::string name;
  std::string hash;
  std::vector<PortInfo> inputs;
  std::vector<PortInfo> outputs;
  std::uint64_t epoch = 0;  // of the job; rises with each that is started
};

struct ClientResult {
  std::uint64_t number = 0;
  TensorMap outputs;
  std::string error;  // where the frame itself was wrong; then no outputs
  std::chrono::microseconds compute{0};
  std::chrono::microseconds latency{0};  // from `submit` until it came
  std::uint64_t epoch = 0;
};

/// Keeps frames until their results have come, connects again and submits again. Each result is given out once. Safe to
/// use from several threads; its own thread has the socket.
class Client {
 public:
  /// Does not wait for anybody. @throws InvalidInput for an address beyond this host without keys
  explicit Client(ClientOptions options);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  /// Frames without results end with it.
  ~Client();

  /// What is served. Waits until a job takes frames. @throws InvalidInput where this client is refused
  /// @throws PeerLost when nobody answers, or no job is ready, in time
  [[nodiscard]] ModelInfo model(std::chrono::milliseconds longest);

  /// @return the frame's number: 1, 2, ... Waits while as many frames as the cluster takes have no result.
  /// @throws InvalidInput where this client is refused, or the frame is larger than a message may be
  std::uint64_t submit(const TensorMap& inputs);
  /// The same; nothing where it would wait longer than `until`.
  [[nodiscard]] std::optional<std::uint64_t> submit(const TensorMap& inputs,
                                                    std::chrono::steady_clock::time_point until);

  /// Nobody wants the frame's result any more: it leaves its place to others. False where the result has come already.
  bool forget(std::uint64_t number);

  /// Whether `submit` would wait.
  [[nodiscard]] bool is_full() const;

  /// The next result, in the order in which they come; nothing after so long.
  /// @throws InvalidInput where this client is refused
  [[nodiscard]] std::optional<ClientResult> next(std::chrono::milliseconds longest);

  /// Frames whose results were not given out.
  [[nodiscard]] std::size_t outstanding() const;

 private:
  friend struct Feeder;  // hands messages over without a socket (tests/fuzz)

  using Time = std::chrono::steady_clock::time_point;

  struct Pending {
    TensorMap inputs;
    Time submitted;
    Time not_before;  // busy: later
    bool sent = false;
    std::uint64_t asked = 0;  // the last Hello before it was sent
  };

  void work(const std::stop_token& stop);
  void on_message(Message message);
  void on_welcome(const wire::Welcome& welcome);
  void on_result(Message message);
  [[nodiscard]] std::vector<Message> to_send(Time now);
  [[nodiscard]] std::uint64_t oldest() const;
  void check_refused() const;

  ClientOptions options_;
  std::string name_;  // 16 random bytes
  WakeUp wake_up_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, Pending> pending_;  // guarded by mutex_
  std::set<std::uint64_t> received_;          // guarded by mutex_; above `oldest`
  std::deque<ClientResult> results_;          // guarded by mutex_
  std::uint64_t next_number_ = 1;             // guarded by mutex_
  std::optional<ModelInfo> model_;            // guarded by mutex_
  bool heard_ = false;                        // guarded by mutex_
  bool ready_ = false;                        // guarded by mutex_
  std::size_t window_ = 1;                    // guarded by mutex_
  std::string refused_;                       // guarded by mutex_
  std::uint64_t asked_ = 0;                   // of its thread
  std::jthread thread_;
};

}  // namespace strake::cluster
