// SPDX-License-Identifier: Apache-2.0
#include "cluster/socket.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/errors.hpp"

namespace strake::cluster {

Socket::Socket(zmq::context_t& context, Peers peers)
    : context_(&context),
      socket_(context, peers == Peers::many ? zmq::socket_type::router : zmq::socket_type::dealer),
      peers_(peers) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(most_tensor_bytes));
  socket_.set(zmq::sockopt::sndhwm, 4096);
  socket_.set(zmq::sockopt::rcvhwm, 4096);
  socket_.set(zmq::sockopt::handshake_ivl, 2000);
  socket_.set(zmq::sockopt::reconnect_ivl, 50);
  socket_.set(zmq::sockopt::reconnect_ivl_max, 500);
  // Of connections that break without a word.
  socket_.set(zmq::sockopt::tcp_keepalive, 1);
  socket_.set(zmq::sockopt::heartbeat_ivl, 1000);
  socket_.set(zmq::sockopt::heartbeat_timeout, 3000);
  if (peers == Peers::many) socket_.set(zmq::sockopt::router_mandatory, true);
}

void Socket::require_keys(const KeyPair& server) {
  socket_.set(zmq::sockopt::curve_server, true);
  socket_.set(zmq::sockopt::curve_secretkey, server.secret_key);
  socket_.set(zmq::sockopt::zap_domain, "strake");
}

void Socket::use_keys(const Identity& identity) {
  socket_.set(zmq::sockopt::curve_serverkey, identity.server_key);
  socket_.set(zmq::sockopt::curve_publickey, identity.pair.public_key);
  socket_.set(zmq::sockopt::curve_secretkey, identity.pair.secret_key);
  static std::atomic<unsigned> count{0};
  const std::string place = "inproc://events-" + std::to_string(count++);
  if (zmq_socket_monitor(socket_.handle(), place.c_str(), ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) != 0) return;
  events_.emplace(*context_, zmq::socket_type::pair);
  events_->set(zmq::sockopt::linger, 0);
  events_->connect(place);
}

bool Socket::key_was_refused() {
  bool refused = false;
  zmq::message_t event;
  while (events_ && events_->recv(event, zmq::recv_flags::dontwait)) {
    std::uint16_t number = 0;
    // The first frame begins with the number of the event; the second names the address.
    if (event.more() && event.size() >= sizeof(number)) {
      std::memcpy(&number, event.data(), sizeof(number));
      refused = refused || number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    }
  }
  return refused;
}

void Socket::bind(const std::string& address) {
  try {
    socket_.bind(address);
  } catch (const zmq::error_t& error) {
    throw InvalidInput("cannot listen at '" + address + "': " + error.what());
  }
}

void Socket::connect(const std::string& address) {
  try {
    socket_.connect(address);
  } catch (const zmq::error_t& error) {
    throw InvalidInput("cannot connect to '" + address + "': " + error.what());
  }
}

bool Socket::send(Message message) {
  try {
    const auto flags = [](bool more) {
      return zmq::send_flags::dontwait | (more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    };
    if (peers_ == Peers::many) {
      zmq::message_t peer(message.peer);
      if (!socket_.send(peer, flags(true))) return false;
    }
    const std::string bytes = message.body.SerializeAsString();
    zmq::message_t body(bytes);
    if (!socket_.send(body, flags(!message.parts.empty()))) return false;
    for (std::size_t i = 0; i < message.parts.size(); ++i)
      if (!socket_.send(message.parts[i], flags(i + 1 < message.parts.size()))) return false;
    return true;
  } catch (const zmq::error_t& error) {
    // The peer is gone.
    if (error.num() == EHOSTUNREACH || error.num() == EAGAIN) return false;
    throw;
  }
}

std::optional<Message> Socket::message_of(std::vector<zmq::message_t> frames) const {
  const std::size_t first = peers_ == Peers::many ? 1 : 0;
  if (frames.size() <= first) return std::nullopt;
  Message message;
  std::optional<wire::Envelope> body = parse_envelope(frames[first].data(), frames[first].size());
  if (!body) return std::nullopt;
  message.body = std::move(*body);
  if (peers_ == Peers::many) message.peer = frames.front().to_string();
  // Only messages that came through the gate have it.
  if (const char* user = zmq_msg_gets(frames[first].handle(), "User-Id")) message.user = user;
  for (std::size_t i = first + 1; i < frames.size(); ++i) message.parts.push_back(std::move(frames[i]));
  if (fault_of(message)) return std::nullopt;
  return message;
}

std::optional<Message> Socket::receive() {
  // A peer that sends nonsense must not keep this thread.
  for (int i = 0; i < 64; ++i) {
    std::vector<zmq::message_t> frames;
    bool more = true;
    while (more) {
      zmq::message_t frame;
      if (!socket_.recv(frame, zmq::recv_flags::dontwait)) return std::nullopt;
      more = frame.more();
      if (frames.size() <= most_tensors + 2) frames.push_back(std::move(frame));
    }
    if (std::optional<Message> message = message_of(std::move(frames))) return message;
    ++dropped_;
  }
  return std::nullopt;
}

void wait_for(std::vector<zmq::pollitem_t>& items, std::chrono::milliseconds longest) {
  try {
    zmq::poll(items, longest);
  } catch (const zmq::error_t& error) {
    if (error.num() != EINTR) throw;
    // What they said before does not hold any more.
    for (zmq::pollitem_t& item : items) item.revents = 0;
  }
}

}  // namespace strake::cluster
