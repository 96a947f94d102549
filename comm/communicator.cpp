// SPDX-License-Identifier: Apache-2.0
#include "comm/communicator.hpp"

#include <cstring>

#include "core/errors.hpp"

namespace strake::comm {

Bytes text_to_bytes(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

std::string text_from_bytes(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// A binomial tree: in round k, ranks below 2^k (counted from the root) send to the rank 2^k above them.
Bytes Communicator::broadcast(Bytes bytes, int root, Timeout timeout) {
  const int n = size();
  const int place = (rank() - root + n) % n;
  int step = 1;
  while (step <= place) step *= 2;
  if (place > 0) bytes = receive((place - step / 2 + root) % n, timeout);
  for (; place + step < n; step *= 2) send(bytes, (place + step + root) % n, timeout);
  return bytes;
}

std::vector<Bytes> Communicator::gather(Bytes bytes, int root, Timeout timeout) {
  if (rank() != root) {
    send(bytes, root, timeout);
    return {};
  }
  std::vector<Bytes> all(static_cast<std::size_t>(size()));
  for (int src = 0; src < size(); ++src)
    if (src != root) all[static_cast<std::size_t>(src)] = receive(src, timeout);
  all[static_cast<std::size_t>(root)] = std::move(bytes);
  return all;
}

// One broadcast of all, with the length before each.
std::vector<Bytes> Communicator::gather_for_all(Bytes bytes, Timeout timeout) {
  Bytes joined;
  for (const Bytes& one : gather(std::move(bytes), 0, timeout)) {
    const std::size_t length = one.size();
    const auto* begin = reinterpret_cast<const std::byte*>(&length);
    joined.insert(joined.end(), begin, begin + sizeof(length));
    joined.insert(joined.end(), one.begin(), one.end());
  }
  joined = broadcast(std::move(joined), 0, timeout);
  std::vector<Bytes> all;
  std::span<const std::byte> rest = joined;
  while (!rest.empty()) {
    std::size_t length = 0;
    ensure(rest.size() >= sizeof(length), "what was joined has a length before each part");
    std::memcpy(&length, rest.data(), sizeof(length));
    rest = rest.subspan(sizeof(length));
    ensure(rest.size() >= length, "what was joined has all bytes of each part");
    all.emplace_back(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(length));
    rest = rest.subspan(length);
  }
  return all;
}

void Communicator::barrier(Timeout timeout) {
  (void)gather({}, 0, timeout);
  (void)broadcast({}, 0, timeout);
}

}  // namespace strake::comm
