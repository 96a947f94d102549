// SPDX-License-Identifier: Apache-2.0
#include "comm/equal_pages.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "comm/host_file.hpp"
#include "core/errors.hpp"

namespace strake::comm {

namespace {

// SimGrid's SMPI runs all ranks in one process, of one memory.
#ifdef STRAKE_SMPI
constexpr bool may_share = false;
#else
constexpr bool may_share = true;
#endif

// One rank's span of pages, as the others hear of it.
struct Digest {
  std::uint64_t hash = 0;
  std::uint64_t n_bytes = 0;
  friend bool operator==(const Digest&, const Digest&) = default;
  friend bool operator<(const Digest& a, const Digest& b) {
    return std::tie(a.hash, a.n_bytes) < std::tie(b.hash, b.n_bytes);
  }
};

template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// Everybody gets everybody's values. [rank]
template <class T>
std::vector<std::vector<T>> all_of(Communicator& communicator, const std::vector<T>& mine, Timeout timeout) {
  std::vector<std::vector<T>> all;
  const std::vector<Bytes> gathered = communicator.gather(bytes_of(mine), 0, timeout);
  for (int rank = 0; rank < communicator.size(); ++rank) {
    const Bytes bytes =
        communicator.broadcast(gathered.empty() ? Bytes{} : gathered[static_cast<std::size_t>(rank)], 0, timeout);
    std::vector<T>& values = all.emplace_back(bytes.size() / sizeof(T));
    ensure(values.size() * sizeof(T) == bytes.size(), "all ranks share pages at the same time");
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  return all;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The ranks of one host that have a span, ascending, each once.
using Holders = std::map<Digest, std::vector<std::size_t>>;

// What a rank puts into its file: of what several hold, that of which it is the lowest holder.
struct Published {
  std::map<Digest, std::size_t> places;  // byte of the file at which each begins
  std::size_t n_bytes = 0;
};

Published published_by(std::size_t rank, const std::vector<Digest>& digests, const Holders& holders) {
  Published published;
  for (const Digest& digest : digests) {
    const std::vector<std::size_t>& ranks = holders.at(digest);
    if (ranks.size() < 2 || ranks.front() != rank || published.places.contains(digest)) continue;
    published.places[digest] = published.n_bytes;
    published.n_bytes += digest.n_bytes;
  }
  return published;
}

// A mapping of this process that goes with it.
class Mapping {
 public:
  Mapping(const HostFile& file, std::size_t n_bytes)
      : memory_(file.exists() ? file.map(0, n_bytes) : nullptr), n_bytes_(n_bytes) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (memory_ != nullptr) munmap(memory_, n_bytes_);
  }
  [[nodiscard]] std::byte* data() const { return memory_; }

 private:
  std::byte* memory_;
  std::size_t n_bytes_;
};

// The file with what this rank publishes; none where there is no memory for it.
HostFile file_of(const Published& published, const std::vector<std::span<std::byte>>& pages,
                 const std::vector<Digest>& digests) {
  if (published.n_bytes == 0) return {};
  HostFile file = HostFile::create(published.n_bytes);
  if (!file.exists() || !file.reserve(0, published.n_bytes)) return {};
  const Mapping mapping(file, published.n_bytes);
  if (mapping.data() == nullptr) return {};
  for (std::size_t i = 0; i < pages.size(); ++i)
    if (const auto place = published.places.find(digests[i]); place != published.places.end())
      std::memcpy(mapping.data() + place->second, pages[i].data(), pages[i].size());
  return file;
}

// Puts what is published in the place of this rank's own, where the two are equal. Gives their bytes.
std::size_t take_over(const HostFile& file, const Published& published, const std::vector<std::span<std::byte>>& pages,
                      const std::vector<Digest>& digests) {
  if (published.n_bytes == 0) return 0;
  const Mapping mapping(file, published.n_bytes);
  if (mapping.data() == nullptr) return 0;
  std::size_t n_bytes = 0;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const auto place = published.places.find(digests[i]);
    if (place == published.places.end()) continue;
    if (std::memcmp(mapping.data() + place->second, pages[i].data(), pages[i].size()) != 0) continue;
    if (file.map_over(pages[i].data(), place->second, pages[i].size())) n_bytes += pages[i].size();
  }
  return n_bytes;
}

}  // namespace

std::size_t share_equal_pages(Communicator& communicator, const std::vector<std::span<std::byte>>& pages,
                              Timeout timeout) {
  if (!may_share || communicator.size() < 2) return 0;
  const auto me = static_cast<std::size_t>(communicator.rank());
  const std::string name = communicator.host();
  const std::vector<std::vector<char>> hosts =
      all_of(communicator, std::vector<char>(name.begin(), name.end()), timeout);
  if (std::ranges::all_of(hosts, [&](const auto& host) { return std::ranges::count(hosts, host) == 1; })) return 0;

  std::vector<Digest> mine;
  for (const std::span<const std::byte> span : pages)
    mine.push_back({std::hash<std::string_view>{}(text_of(span)), span.size()});
  const std::vector<std::vector<Digest>> digests = all_of(communicator, mine, timeout);

  Holders holders;
  for (std::size_t rank = 0; rank < digests.size(); ++rank) {
    if (hosts[rank] != hosts[me]) continue;
    for (const Digest& digest : digests[rank]) {
      std::vector<std::size_t>& ranks = holders[digest];
      if (ranks.empty() || ranks.back() != rank) ranks.push_back(rank);
    }
  }
  const Published published = published_by(me, mine, holders);
  const HostFile file = file_of(published, pages, mine);
  const std::vector<std::vector<HostFileAddress>> addresses =
      all_of(communicator, std::vector{file.address()}, timeout);
  std::size_t n_bytes = take_over(file, published, pages, mine);
  for (std::size_t rank = 0; rank < me; ++rank)
    if (hosts[rank] == hosts[me])
      n_bytes +=
          take_over(HostFile::open(addresses[rank].front()), published_by(rank, digests[rank], holders), pages, mine);
  communicator.barrier(timeout);  // files are held until all have opened them
  return n_bytes;
}

}  // namespace strake::comm
