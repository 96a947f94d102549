// SPDX-License-Identifier: Apache-2.0
// Loaded into Open MPI's programs before the C library (LD_PRELOAD): sockets that would listen on all interfaces of the
// host listen at one address. Open MPI 4.1 has no parameter for that.

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>

#include "cluster/listen.hpp"

namespace {

int bind_as_asked(int socket, const sockaddr* address, socklen_t size) {
  using Bind = int (*)(int, const sockaddr*, socklen_t);
  static const auto next = reinterpret_cast<Bind>(dlsym(RTLD_NEXT, "bind"));
  return next(socket, address, size);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int bind(int socket, const sockaddr* address, socklen_t size) {
  const char* wanted = std::getenv(strake::cluster::listen_variable);
  if (wanted == nullptr || address == nullptr) return bind_as_asked(socket, address, size);
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in narrowed{};
    std::memcpy(&narrowed, address, sizeof(narrowed));
    if (narrowed.sin_addr.s_addr == htonl(INADDR_ANY)) (void)inet_pton(AF_INET, wanted, &narrowed.sin_addr);
    return bind_as_asked(socket, reinterpret_cast<const sockaddr*>(&narrowed), sizeof(narrowed));
  }
  // Nobody is told of these.
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 narrowed{};
    std::memcpy(&narrowed, address, sizeof(narrowed));
    if (std::memcmp(&narrowed.sin6_addr, &in6addr_any, sizeof(in6addr_any)) == 0) narrowed.sin6_addr = in6addr_loopback;
    return bind_as_asked(socket, reinterpret_cast<const sockaddr*>(&narrowed), sizeof(narrowed));
  }
  return bind_as_asked(socket, address, size);
}
