// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What can be seen of a supervisor by browsers and by those that collect metrics.

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "cluster/state.hpp"

namespace strake::cluster {

/// Where to listen, and who may look.
struct HttpSettings {
  std::string host = "127.0.0.1";
  int port = 7380;
  std::string token;  // without one only loopback addresses are allowed, and only by their own names
};

/// Between the supervisor's thread, which posts, and those that show.
class StateBoard {
 public:
  /// Keeps a copy, but no more than one each tenth of a second.
  void post(const State& state);
  [[nodiscard]] std::shared_ptr<const State> get() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const State> state_ = std::make_shared<const State>();
  std::chrono::steady_clock::time_point next_{};
};

/// Serves /, /state, /frame, /trace, /metrics, /health/live and /health/ready from threads of its own, until it is
/// destroyed. Nothing can be changed through it.
class HttpServer {
 public:
  /// @throws InvalidInput where the address cannot be listened on, or is not loopback and there is no token
  HttpServer(const HttpSettings& settings, std::shared_ptr<const StateBoard> board);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  /// The settings' one, or the one that the system chose for 0.
  [[nodiscard]] int port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The token in a file of its own, made with mode 0600 if it is not there: 32 hexadecimal digits.
/// @throws InvalidInput if it cannot be read or made
[[nodiscard]] std::string token_in(const std::string& file);

}  // namespace strake::cluster
