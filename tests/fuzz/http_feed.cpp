// SPDX-License-Identifier: Apache-2.0
#include "fuzz/http_feed.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "cluster/http_server.hpp"
#include "core/errors.hpp"

namespace strake::fuzz {

namespace {

struct Servers {
  std::shared_ptr<cluster::StateBoard> board = std::make_shared<cluster::StateBoard>();
  cluster::HttpServer open{{.host = "127.0.0.1", .port = 0, .token = ""}, board};
  cluster::HttpServer closed{{.host = "127.0.0.1", .port = 0, .token = "0123456789abcdef"}, board};
};

// The fuzzer's clock may interrupt a connection that is being made.
int connected(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  while (true) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return descriptor;
    ensure(errno == EINTR, "the server under test listens");
    close(descriptor);
  }
}

}  // namespace

std::string feed_http(std::span<const char> bytes) {
  static const Servers servers;
  if (bytes.empty()) return "";
  const int descriptor = connected((bytes.front() % 2 == 0 ? servers.open : servers.closed).port());
  for (std::span<const char> rest = bytes.subspan(1); !rest.empty();) {
    const ssize_t n = send(descriptor, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (n <= 0) break;  // it has closed the connection
    rest = rest.subspan(static_cast<std::size_t>(n));
  }
  // What is no whole request is waited for in vain, for a moment. To close this side already would look like a client
  // that has gone.
  const timeval patience{.tv_sec = 0, .tv_usec = 10'000};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  std::string answer;
  char buffer[4096];
  for (ssize_t n = 0; (n = recv(descriptor, buffer, sizeof(buffer), 0)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(n));
  close(descriptor);
  return answer;
}

std::vector<std::string> requests() {
  std::vector<std::string> list;
  for (const char* path : {"/", "/state", "/frame", "/trace", "/metrics", "/health/live", "/health/ready",
                           "/state?token=0123456789abcdef", "/nothing", "/%2e%2e/etc/passwd"})
    for (const char* which : {"\2", "\1"})
      list.push_back(std::string(which) + "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  list.push_back("\1GET /state HTTP/1.1\r\nHost: edge\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n");
  list.push_back("\2POST /state HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nabcd");
  list.push_back("\2POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n");
  list.push_back("\2GET / HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-9,20-\r\nAccept-Encoding: gzip\r\n\r\n");
  list.push_back("\2HEAD /metrics HTTP/1.0\r\n\r\n");
  return list;
}

}  // namespace strake::fuzz
