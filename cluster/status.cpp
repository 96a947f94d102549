// SPDX-License-Identifier: Apache-2.0
#include "cluster/status.hpp"

#include <vector>

#include "cluster/socket.hpp"
#include "core/errors.hpp"

namespace strake::cluster {

std::string ask_status(const Address& address, const std::optional<Identity>& identity,
                       std::chrono::milliseconds longest) {
  if (!identity && !is_loopback(address))
    throw InvalidInput("'" + address.text() + "' is not this host: a key is needed");
  zmq::context_t context(1);
  Socket socket(context, Peers::one);
  if (identity) socket.use_keys(*identity);
  socket.connect(address.text());
  (void)socket.send(message_with([](wire::Envelope& body) { body.mutable_status_request(); }));
  const auto deadline = std::chrono::steady_clock::now() + longest;
  while (std::chrono::steady_clock::now() < deadline) {
    std::vector<zmq::pollitem_t> items{socket.poll_item()};
    wait_for(items, std::chrono::milliseconds(50));
    if (std::optional<Message> message = socket.receive()) {
      if (message->body.has_status()) return message->body.status().json();
      if (message->body.has_refused())
        throw InvalidInput("the cluster at " + address.text() + " refuses: " + message->body.refused().reason());
    }
    if (socket.key_was_refused())
      throw InvalidInput("the cluster at " + address.text() + " refuses: it does not know this key");
  }
  throw PeerLost(nobody_answers(address, identity.has_value()));
}

}  // namespace strake::cluster
