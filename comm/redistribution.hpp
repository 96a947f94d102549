// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The messages of one tensor for one rank, set up once and started for every frame.

#include <chrono>
#include <cstddef>

#include "core/transfer_type.hpp"
#include "core/view.hpp"

namespace strake::comm {

/// One message: the other rank, the cells in this rank's memory, and as what they travel. Cells of another type than
/// f32 travel as they are. Both ends name the same type.
struct Message {
  int peer = 0;
  View view;
  TransferType type = TransferType::f32;

  [[nodiscard]] std::size_t n_bytes() const {
    return type == TransferType::f32 ? dense_bytes(view.box, view.type) : travelling_bytes(view.box, type);
  }
};

/// Between `start` and the two `finish` calls the memory belongs to the messages: what is sent may be read but not
/// written, what is received neither. Starting again needs both to be finished.
class Redistribution {
 public:
  Redistribution() = default;
  Redistribution(const Redistribution&) = delete;
  Redistribution& operator=(const Redistribution&) = delete;
  virtual ~Redistribution() = default;

  /// Opens all receives and posts all sends. Local, does not wait.
  virtual void start() = 0;
  /// Lets messages progress; true when all receives are there. Local.
  virtual bool poke() = 0;
  /// Waits until everything that this rank receives is there. @throws PeerLost after `timeout`
  virtual void finish_receives(std::chrono::nanoseconds timeout) = 0;
  /// Waits until everything that this rank sends may be overwritten. @throws PeerLost after `timeout`
  virtual void finish_sends(std::chrono::nanoseconds timeout) = 0;

  [[nodiscard]] virtual std::size_t sent_bytes() const = 0;      // per start
  [[nodiscard]] virtual std::size_t received_bytes() const = 0;  // per start
};

}  // namespace strake::comm
