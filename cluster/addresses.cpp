// SPDX-License-Identifier: Apache-2.0
#include "cluster/addresses.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
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

namespace {

// The first interface of this host that `takes` takes, by its own address and mask.
template <class Takes>
std::optional<Interface> find_interface(const Takes& takes) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_netmask == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    const in_addr own = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr;
    const in_addr mask = reinterpret_cast<const sockaddr_in*>(entry->ifa_netmask)->sin_addr;
    const in_addr network{own.s_addr & mask.s_addr};
    char address_text[INET_ADDRSTRLEN];
    char network_text[INET_ADDRSTRLEN];
    if (inet_ntop(AF_INET, &own, address_text, sizeof(address_text)) == nullptr ||
        inet_ntop(AF_INET, &network, network_text, sizeof(network_text)) == nullptr)
      continue;
    Interface interface {
      .name = entry->ifa_name, .address = address_text,
      .network = std::string(network_text) + "/" + std::to_string(std::popcount(mask.s_addr))
    };
    if (takes(interface)) return interface;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Interface> interface_of(const Address& address) {
  // All of 127.0.0.0/8 belongs to this host.
  return find_interface([&](const Interface& one) {
    return one.address == address.host || one.name == address.host ||
           (is_loopback(address) && is_loopback({.host = one.address}));
  });
}

std::optional<Interface> interface_in(const std::string& network) {
  return find_interface([&](const Interface& one) { return one.network == network; });
}

std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

}  // namespace strake::cluster
