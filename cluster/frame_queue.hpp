// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The frames between clients and the job: none is lost, none is answered twice, and there are never more than fit.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include <zmq.hpp>

#include "cluster/wire.hpp"

namespace strake::cluster {

/// Pure bookkeeping in one thread; the time is an argument.
///
/// A frame is named by its client and the client's number. It waits, runs, and then is answered; the answer stays until
/// the client says that it has it (`oldest`), so that a client which lost its connection gets it again. What ran when a
/// job died waits again, before all others.
class FrameQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Limits {
    std::size_t frames = 256;  // of all clients, answers that nobody has fetched among them
    std::size_t bytes = std::size_t{1} << 30;
    std::size_t per_client = 32;
    int attempts = 5;                          // a frame with which so many jobs in a row died is given up
    std::chrono::milliseconds silence{10000};  // then a client is gone, and its frames with it
  };

  enum class Verdict : unsigned char { taken, busy, repeated, answered, old };

  /// What goes to a client.
  struct Answer {
    std::string client;
    std::string peer;  // where it was last heard from
    wire::Result result;
    std::vector<zmq::message_t> parts;
    Time submitted;
  };

  explicit FrameQueue(Limits limits) : limits_(limits) {}

  /// A sign of life. Frames below `oldest` and those `received` are forgotten. @param peer  where answers go from now
  /// on
  /// @param user  who the key says that it is; a client keeps its user. @return false where another user has this
  /// client
  bool heard(const std::string& client, const std::string& peer, const std::string& user, std::uint64_t oldest,
             Time now, std::span<const std::uint64_t> received = {});

  /// A frame of a client that was heard. `answered` means that `answer_again` has something to send.
  [[nodiscard]] Verdict submit(const std::string& client, std::uint64_t number, Tensors tensors,
                               std::vector<zmq::message_t> parts, Time now);
  [[nodiscard]] std::optional<Answer> answer_again(const std::string& client, std::uint64_t number);

  /// Numbers of a client's frames that wait or run, and of those that are answered.
  struct Known {
    std::vector<std::uint64_t> unanswered;
    std::vector<std::uint64_t> answered;
  };
  [[nodiscard]] Known known(const std::string& client) const;

  /// The next frame to run: what ran before, then clients in turn, each client's frames in the order in which they
  /// came. Its parts are handles of the same bytes.
  struct Ticket {
    std::uint64_t ticket = 0;
    Tensors tensors;
    std::vector<zmq::message_t> parts;
  };
  [[nodiscard]] std::optional<Ticket> next(Time now);

  /// A frame has run. Nothing where its client is gone.
  [[nodiscard]] std::optional<Answer> finish(std::uint64_t ticket, wire::Result result,
                                             std::vector<zmq::message_t> parts, Time now);

  /// The job died: what ran waits again, in the order in which it came. @return frames that are given up
  [[nodiscard]] std::vector<Answer> replay(Time now);

  void leave(const std::string& client);
  /// Forgets clients that are silent. @return how many
  std::size_t forget_silent(Time now);

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::size_t running() const { return running_.size(); }
  [[nodiscard]] std::size_t held() const { return frames_ - waiting_.size() - running_.size(); }
  [[nodiscard]] std::size_t clients() const { return clients_.size(); }
  [[nodiscard]] std::size_t replayed() const { return replayed_; }
  [[nodiscard]] std::size_t window() const { return limits_.per_client; }
  /// When the frame that runs longest was taken from the queue.
  [[nodiscard]] std::optional<Time> running_since() const;

 private:
  enum class State : unsigned char { waits, runs, answered };

  struct Entry {
    State state = State::waits;
    std::uint64_t ticket = 0;
    Time submitted;
    int attempts = 0;  // jobs that died while it ran
    Tensors tensors;
    wire::Result result;
    std::vector<zmq::message_t> parts;  // of the frame, then of the result
    std::size_t bytes = 0;
  };
  struct ClientEntry {
    std::string peer;
    std::string user;
    Time heard;
    std::uint64_t oldest = 0;
    std::set<std::uint64_t> received;  // from `oldest` on
    std::map<std::uint64_t, Entry> frames;
  };
  using Key = std::pair<std::string, std::uint64_t>;

  using Waiting = std::map<std::uint64_t, Key>;  // by ticket, in order of arrival

  [[nodiscard]] Waiting::const_iterator first_in_turn() const;
  void erase(ClientEntry& client, std::map<std::uint64_t, Entry>::iterator frame);
  [[nodiscard]] Entry* entry_of(const Key& key);
  [[nodiscard]] const Entry& entry_of(const Key& key) const { return clients_.at(key.first).frames.at(key.second); }
  [[nodiscard]] Answer answer_for(const Key& key, ClientEntry& client, Entry& entry);

  Limits limits_;
  std::map<std::string, ClientEntry> clients_;
  Waiting waiting_;
  std::string last_client_;  // whose frame was taken last
  struct Running {
    Key key;
    Time since;
  };
  std::map<std::uint64_t, Running> running_;
  std::uint64_t next_ticket_ = 1;
  std::size_t frames_ = 0;
  std::size_t bytes_ = 0;
  std::size_t replayed_ = 0;
};

}  // namespace strake::cluster
