// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Ranks that talk to each other: over MPI, or as threads of one process.

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comm/redistribution.hpp"

namespace strake::comm {

using Bytes = std::vector<std::byte>;
using Timeout = std::chrono::nanoseconds;

/// Text as it travels, and back.
[[nodiscard]] Bytes text_to_bytes(std::string_view text);
[[nodiscard]] std::string text_from_bytes(const Bytes& bytes);

/// Another rank could not go on and has said why; whoever waits for it ends as well, without a word. Not an error of
/// this rank.
struct JobEnded {
  explicit JobEnded(int code) : exit_code(code) {}
  int exit_code;
};

/// One rank's end. All calls come from one thread. Waits of the control plane sleep between looks, so that a rank that
/// waits leaves its core to the others; a wait longer than `timeout` throws PeerLost with the ranks that are silent,
/// and one for a rank that has left throws JobEnded.
class Communicator {
 public:
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  virtual ~Communicator() = default;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  /// Name of the machine that this rank runs on. Local.
  [[nodiscard]] virtual std::string host() const = 0;
  /// Whether `peer` runs on this rank's machine; both answer alike. Local.
  [[nodiscard]] virtual bool shares_host(int peer) const = 0;

  /// Sends bytes of any length to `dst`, in order per pair of ranks. Local; returns when `bytes` may be reused.
  virtual void send(std::span<const std::byte> bytes, int dst, Timeout timeout) = 0;
  /// The next bytes that `src` sent to this rank.
  [[nodiscard]] virtual Bytes receive(int src, Timeout timeout) = 0;

  /// Collective: everybody gets `root`'s bytes.
  [[nodiscard]] Bytes broadcast(Bytes bytes, int root, Timeout timeout);
  /// Collective: `root` gets everybody's bytes by rank, the others nothing.
  [[nodiscard]] std::vector<Bytes> gather(Bytes bytes, int root, Timeout timeout);
  /// Collective: everybody gets everybody's bytes by rank.
  [[nodiscard]] std::vector<Bytes> gather_for_all(Bytes bytes, Timeout timeout);
  /// Collective: returns when all ranks have called it.
  void barrier(Timeout timeout);

  /// Collective in the sense that every rank must make the matching calls in the same order of tags per pair.
  /// Views must stay valid as long as the redistribution; each is a window that holds exactly the cells of its message,
  /// all in canonical order on the wire whatever their layouts.
  [[nodiscard]] virtual std::unique_ptr<Redistribution> redistribution(int tag, std::vector<Message> sends,
                                                                       std::vector<Message> receives) = 0;

  /// Collective: the last call of every rank. Tells all ranks with which exit code this one ends, and waits until they
  /// end as well. Where one could not go on (its code is not 0) the others learn it where they wait next, and those
  /// that do not within a few seconds are ended as by `abort`. Gives the exit code of the first that could not go on,
  /// else 0.
  virtual int leave(int exit_code) = 0;
  /// Local. @throws JobEnded if another rank has left because it could not go on
  virtual void look_for_leavers() = 0;

  /// Ends all ranks at once with this exit code; does not return under MPI. Local.
  virtual void abort(int exit_code) = 0;
};

}  // namespace strake::comm
