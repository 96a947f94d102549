// SPDX-License-Identifier: Apache-2.0
#include "cluster/gate.hpp"

#include <utility>
#include <vector>

#include "core/errors.hpp"
#include "core/log.hpp"

namespace strake::cluster {

Gate::Gate(zmq::context_t& context, KeyStore keys) : socket_(context, zmq::socket_type::rep), keys_(std::move(keys)) {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.bind("inproc://zeromq.zap.01");
  refresh();
}

void Gate::refresh() {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ < std::chrono::milliseconds(100)) return;
  looked_ = now;
  const std::string version = keys_.version();
  if (version == version_ && !version.empty()) return;
  std::map<std::string, Member> members;
  try {
    for (Member& member : keys_.members()) members.emplace(member.public_key, member);
    version_ = version;
  } catch (const InvalidInput& error) {
    // Nobody rather than those of an older list.
    if (!by_key_.empty()) log(LogLevel::error, std::string("nobody is let in any more: ") + error.what());
    version_.clear();
  }
  by_key_ = std::move(members);
}

void Gate::answer() {
  while (true) {
    std::vector<std::string> request;
    bool more = true;
    while (more) {
      zmq::message_t frame;
      if (!socket_.recv(frame, zmq::recv_flags::dontwait)) return;
      more = frame.more();
      request.push_back(frame.to_string());
    }
    // version, request, domain, address, identity, mechanism, credentials
    constexpr std::size_t n_words = 7;
    const bool is_curve = request.size() == n_words && request[5] == "CURVE" && request[6].size() == 32;
    std::string user;
    if (is_curve) {
      char key[41];
      zmq_z85_encode(key, reinterpret_cast<const std::uint8_t*>(request[6].data()), 32);
      looked_ = {};
      refresh();
      const auto found = by_key_.find(key);
      if (found != by_key_.end())
        user = std::string(to_string(found->second.role)) + " " + found->second.name + " " + key;
    }
    if (user.empty()) {
      ++refused_;
      log(LogLevel::warning, "a connection from " + (request.size() > 3 ? request[3] : std::string("somewhere")) +
                                 " has no key that is let in");
    }
    const std::string reply[] = {"1.0",
                                 request.size() > 1 ? request[1] : "",
                                 user.empty() ? "400" : "200",
                                 user.empty() ? "no such key" : "OK",
                                 user,
                                 ""};
    for (std::size_t i = 0; i < std::size(reply); ++i)
      socket_.send(zmq::buffer(reply[i]), i + 1 < std::size(reply) ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
}

std::optional<Member> Gate::member(const std::string& user) {
  refresh();
  const auto found = by_key_.find(user.substr(user.rfind(' ') + 1));
  if (found == by_key_.end()) return std::nullopt;
  const Member& member = found->second;
  // Another role or name for the same key is another member.
  if (user != std::string(to_string(member.role)) + " " + member.name + " " + member.public_key) return std::nullopt;
  return member;
}

}  // namespace strake::cluster
