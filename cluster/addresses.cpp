// SPDX-License-Identifier: Apache-2.0
#include "cluster/addresses.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <memory>

#include "core/errors.hpp"

namespace strake::cluster {

std::string Address::text() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return "tcp://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Address address_of(const std::string& text) {
  const auto refuse = [&]() -> InvalidInput {
    return InvalidInput("expected an address such as tcp://10.0.7.1:7300, got '" + text.substr(0, 200) + "'");
  };
  std::string rest = text;
  if (rest.starts_with("tcp://")) rest.erase(0, 6);
  Address address;
  std::size_t end = 0;
  if (rest.starts_with('[')) {
    end = rest.find(']');
    if (end == std::string::npos) throw refuse();
    address.host = rest.substr(1, end - 1);
    ++end;
  } else {
    end = std::min(rest.find(':'), rest.size());
    address.host = rest.substr(0, end);
  }
  const auto in_a_host = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == ':' || c == '_';
  };
  if (address.host.empty() || address.host.size() > 255 ||
      !std::all_of(address.host.begin(), address.host.end(), in_a_host))
    throw refuse();
  if (end == rest.size()) return address;
  if (rest[end] != ':') throw refuse();
  const char* first = rest.data() + end + 1;
  const char* last = rest.data() + rest.size();
  const auto [stop, error] = std::from_chars(first, last, address.port);
  if (error != std::errc() || stop != last || address.port < 1 || address.port > 65535) throw refuse();
  return address;
}

bool is_loopback(const Address& address) {
  if (address.host == "localhost" || address.host == "::1") return true;
  in_addr ip{};
  return inet_pton(AF_INET, address.host.c_str(), &ip) == 1 && (ntohl(ip.s_addr) >> 24) == 127;
}

std::string nobody_answers(const Address& address, bool with_key) {
  return "nobody answers at " + address.text() +
         (with_key ? " to this key: if somebody listens there, it is without keys, or with another cluster's"
                   : ": if somebody listens there, it is to members with a key (--key)");
}

std::optional<Interface> interface_of(const Address& address) {
  in_addr wanted{};
  if (inet_pton(AF_INET, address.host.c_str(), &wanted) != 1) return std::nullopt;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_netmask == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    const auto* own = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
    const auto* mask = reinterpret_cast<const sockaddr_in*>(entry->ifa_netmask);
    const bool on_it = (own->sin_addr.s_addr & mask->sin_addr.s_addr) == (wanted.s_addr & mask->sin_addr.s_addr);
    // All of 127.0.0.0/8 belongs to this host.
    if (own->sin_addr.s_addr != wanted.s_addr && !(is_loopback(address) && on_it)) continue;
    const in_addr network{own->sin_addr.s_addr & mask->sin_addr.s_addr};
    char text[INET_ADDRSTRLEN];
    if (inet_ntop(AF_INET, &network, text, sizeof(text)) == nullptr) return std::nullopt;
    return Interface{.name = entry->ifa_name,
                     .address = address.host,
                     .network = std::string(text) + "/" + std::to_string(std::popcount(mask->sin_addr.s_addr))};
  }
  return std::nullopt;
}

std::optional<Interface> interface_towards(const Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return std::nullopt;
  // No packet is sent: the kernel chooses a way, and tells with which address.
  sockaddr_in own{};
  socklen_t size = sizeof(own);
  const bool is_known = connect(socket, found->ai_addr, found->ai_addrlen) == 0 &&
                        getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) == 0;
  close(socket);
  char text[INET_ADDRSTRLEN];
  if (!is_known || inet_ntop(AF_INET, &own.sin_addr, text, sizeof(text)) == nullptr) return std::nullopt;
  return interface_of({.host = text});
}

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

}  // namespace strake::cluster
