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
#include "core/blob.hpp"
#include "core/errors.hpp"

namespace strake::comm {

namespace {

// One rank's span of pages, as the others hear of it.
struct Digest {
  std::uint64_t hash = 0;
  std::uint64_t n_bytes = 0;
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
  for (const Bytes& bytes : communicator.gather_for_all(bytes_of(mine), timeout)) {
    std::vector<T>& values = all.emplace_back(bytes.size() / sizeof(T));
    ensure(values.size() * sizeof(T) == bytes.size(), "bytes that were gathered are whole values");
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  return all;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The ranks near this one that have a span, ascending, each once.
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

// What a rank puts where others see it.
struct Offer {
  HostFileAddress address;
  std::uint64_t n_bytes = 0;  // that are there; what should lie behind them found no memory
};

/// One rank's pages, some of which become others'.
class OwnPages {
 public:
  OwnPages(const std::vector<std::span<std::byte>>& pages, const std::vector<Digest>& digests)
      : pages_(pages), digests_(digests), replaced_(pages.size()) {}

  /// One span after the other, so that none is held twice for long.
  [[nodiscard]] Offer publish(HostFile& file, const Published& published) {
    if (published.n_bytes > 0) file = HostFile::create(published.n_bytes);
    Offer offer{.address = file.address()};
    for (std::size_t i = 0; i < pages_.size() && file.exists(); ++i) {
      const auto place = published.places.find(digests_[i]);
      if (place == published.places.end() || place->second != offer.n_bytes) continue;
      if (!file.reserve(place->second, pages_[i].size()) || !file.write(place->second, pages_[i])) break;
      offer.n_bytes += pages_[i].size();
      replace(i, file, place->second);
    }
    return offer;
  }

  void take_over(const HostFile& file, const Published& published, std::uint64_t n_bytes) {
    for (std::size_t i = 0; i < pages_.size() && file.exists(); ++i) {
      const auto place = published.places.find(digests_[i]);
      if (!replaced_[i] && place != published.places.end() && place->second < n_bytes) replace(i, file, place->second);
    }
  }

  [[nodiscard]] std::size_t replaced_bytes() const {
    std::size_t n_bytes = 0;
    for (std::size_t i = 0; i < pages_.size(); ++i) n_bytes += replaced_[i] ? pages_[i].size() : 0;
    return n_bytes;
  }

 private:
  // Where the two are equal.
  void replace(std::size_t i, const HostFile& file, std::size_t begin) {
    const std::span<std::byte> own = pages_[i];
    std::byte* theirs = file.map(begin, own.size(), Access::read);
    if (theirs == nullptr) return;
    if (std::memcmp(theirs, own.data(), own.size()) != 0) {
      munmap(theirs, own.size());
      return;
    }
    // What fails here may have taken the own pages away already.
    if (mremap(theirs, own.size(), own.size(), MREMAP_MAYMOVE | MREMAP_FIXED, own.data()) == MAP_FAILED)
      throw OutOfMemory(own.size());
    replaced_[i] = true;
  }

  const std::vector<std::span<std::byte>>& pages_;
  const std::vector<Digest>& digests_;
  std::vector<bool> replaced_;
};

}  // namespace

std::size_t share_equal_pages(Communicator& communicator, const std::vector<std::span<std::byte>>& pages,
                              Timeout timeout) {
  if (!HostFile::supported() || communicator.size() < 2) return 0;
  const auto me = static_cast<std::size_t>(communicator.rank());
  const HostFileAddress here = HostFile().address();
  std::vector<bool> near;
  for (const auto& address : all_of(communicator, std::vector{here}, timeout))
    near.push_back(address.front().is_near(here));

  std::vector<Digest> mine;
  for (const std::span<const std::byte> span : pages)
    mine.push_back({std::hash<std::string_view>{}(text_of(span)), span.size()});
  const std::vector<std::vector<Digest>> digests = all_of(communicator, mine, timeout);
  Holders holders;
  for (std::size_t rank = 0; rank < digests.size(); ++rank) {
    if (!near[rank]) continue;
    for (const Digest& digest : digests[rank]) {
      std::vector<std::size_t>& ranks = holders[digest];
      if (ranks.empty() || ranks.back() != rank) ranks.push_back(rank);
    }
  }

  OwnPages own(pages, mine);
  HostFile file;
  const Published published = near[me] ? published_by(me, mine, holders) : Published{};
  const std::vector<std::vector<Offer>> offers =
      all_of(communicator, std::vector{own.publish(file, published)}, timeout);
  own.take_over(file, published, offers[me].front().n_bytes);  // what this rank holds twice
  for (std::size_t rank = 0; rank < me; ++rank) {
    if (!near[rank]) continue;
    const Offer& offer = offers[rank].front();
    own.take_over(HostFile::open(offer.address, Access::read), published_by(rank, digests[rank], holders),
                  offer.n_bytes);
  }
  communicator.barrier(timeout);  // files are held until all have opened them
  return own.replaced_bytes();
}

}  // namespace strake::comm
