// SPDX-License-Identifier: Apache-2.0
#include "cluster/status.hpp"

#include <utility>
#include <vector>

#include "cluster/socket.hpp"
#include "core/errors.hpp"

namespace strake::cluster {

namespace {

// The first message that is an answer, or what refuses the question.
wire::Envelope ask(const Address& address, const std::optional<Identity>& identity, std::chrono::milliseconds longest,
                   Message question, bool (wire::Envelope::*is_answer)() const) {
  if (!identity && !is_loopback(address))
    throw InvalidInput("'" + address.text() + "' is not this host: a key is needed");
  zmq::context_t context(1);
  Socket socket(context, Peers::one);
  if (identity) socket.use_keys(*identity);
  socket.connect(address.text());
  (void)socket.send(std::move(question));
  const auto deadline = std::chrono::steady_clock::now() + longest;
  while (std::chrono::steady_clock::now() < deadline) {
    std::vector<zmq::pollitem_t> items{socket.poll_item()};
    wait_for(items, std::chrono::milliseconds(50));
    if (std::optional<Message> message = socket.receive()) {
      if ((message->body.*is_answer)()) return std::move(message->body);
      if (message->body.has_refused())
        throw InvalidInput("the cluster at " + address.text() + " refuses: " + message->body.refused().reason());
    }
    if (socket.key_was_refused())
      throw InvalidInput("the cluster at " + address.text() + " refuses: it does not know this key");
  }
  throw PeerLost(nobody_answers(address, identity.has_value()));
}

}  // namespace

std::string ask_status(const Address& address, const std::optional<Identity>& identity,
                       std::chrono::milliseconds longest) {
  return ask(address, identity, longest, message_with([](wire::Envelope& body) { body.mutable_status_request(); }),
             &wire::Envelope::has_status)
      .status()
      .json();
}

std::string ask_facts(const Address& address, const std::optional<Identity>& identity,
                      std::chrono::milliseconds longest) {
  return ask(address, identity, longest, message_with([](wire::Envelope& body) { body.mutable_facts_request(); }),
             &wire::Envelope::has_facts)
      .facts()
      .json();
}

}  // namespace strake::cluster
