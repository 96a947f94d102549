// SPDX-License-Identifier: Apache-2.0
#include "cluster/launcher.hpp"

#include <unistd.h>

#include <chrono>
#include <optional>

#include "cluster/process.hpp"
#include "cluster/socket.hpp"
#include "core/errors.hpp"

namespace strake::cluster {

int launch(const std::string& parent, const std::string& host, const std::vector<std::string>& words) {
  end_with_parent();
  zmq::context_t context(1);
  Socket socket(context, Peers::one);
  socket.connect(parent);
  (void)socket.send(message_with([&](wire::Envelope& body) {
    wire::LaunchRequest& request = *body.mutable_launch_request();
    request.set_host(host);
    for (const std::string& word : words) request.add_arguments(word);
  }));
  while (true) {
    std::vector<zmq::pollitem_t> items{socket.poll_item()};
    wait_for(items, std::chrono::milliseconds(1000));
    while (std::optional<Message> message = socket.receive()) {
      if (message->body.has_daemon_output()) {
        const std::string& text = message->body.daemon_output().text();
        (void)!write(STDERR_FILENO, text.data(), text.size());
      }
      if (!message->body.has_daemon_ended()) continue;
      const wire::DaemonEnded& ended = message->body.daemon_ended();
      if (!ended.reason().empty()) throw PeerLost("host '" + host + "': " + ended.reason());
      return ended.exit_code();
    }
  }
}

}  // namespace strake::cluster
