// SPDX-License-Identifier: Apache-2.0
#include "comm/host_memory.hpp"

#include <sys/mman.h>

#include <new>
#include <numeric>
#include <utility>

#include "comm/mpi_handles.hpp"
#include "comm/streamed_copy.hpp"
#include "core/errors.hpp"

namespace strake::comm {

namespace {

// Of each rank. Halos of the common networks need one or two megabytes, large maps that are cut by channels ten or
// twenty. Pages are used once something is written there.
constexpr std::size_t part_bytes = std::size_t{32} << 20;

// Smaller boxes are through MPI before their place is announced.
constexpr std::size_t least_bytes = 4 * 1024;

// The header and the cells begin at a cache line each.
constexpr std::size_t line_bytes = 64;

std::size_t in_whole_lines(std::size_t n_bytes) { return (n_bytes + line_bytes - 1) / line_bytes * line_bytes; }

// The ranks of `comm` by their ranks in the world.
std::vector<int> world_ranks(MPI_Comm comm) {
  int n = 0;
  check(MPI_Comm_size(comm, &n), "MPI_Comm_size");
  MPI_Group world = MPI_GROUP_NULL;
  MPI_Group group = MPI_GROUP_NULL;
  check(MPI_Comm_group(MPI_COMM_WORLD, &world), "MPI_Comm_group");
  check(MPI_Comm_group(comm, &group), "MPI_Comm_group");
  std::vector<int> here(static_cast<std::size_t>(n));
  std::iota(here.begin(), here.end(), 0);
  std::vector<int> there(here.size());
  check(MPI_Group_translate_ranks(group, n, here.data(), world, there.data()), "MPI_Group_translate_ranks");
  MPI_Group_free(&group);
  MPI_Group_free(&world);
  return there;
}

// Whether all ranks of `comm` say so. Collective.
bool all_agree(bool mine, MPI_Comm comm) {
  int all = mine ? 1 : 0;
  check(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MIN, comm), "MPI_Allreduce");
  return all != 0;
}

}  // namespace

HostMemory::HostMemory(int rank, int size) : rank_(rank), parts_(static_cast<std::size_t>(size), nullptr) {
  if (!HostFile::supported()) return;
  OwnedComm host;
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, host.out()), "MPI_Comm_split_type");
  check(MPI_Comm_set_errhandler(host.get(), MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  const std::vector<int> ranks = world_ranks(host.get());
  if (ranks.size() < 2) return;

  mine_ = HostFile::create(part_bytes);  // takes no memory yet
  const HostFileAddress mine = mine_.address();
  std::vector<HostFileAddress> all(ranks.size());
  check(MPI_Allgather(&mine, sizeof(mine), MPI_BYTE, all.data(), sizeof(mine), MPI_BYTE, host.get()), "MPI_Allgather");
  bool mapped_all = mine_.exists();
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const HostFile part = HostFile::open(all[i], Access::write);
    std::byte* memory = part.exists() ? part.map(0, part_bytes, Access::write) : nullptr;
    parts_[static_cast<std::size_t>(ranks[i])] = memory;
    mapped_all = mapped_all && memory != nullptr;
  }
  // Containers may share a name and MPI's memory, but not this.
  if (!all_agree(mapped_all, host.get())) unmap();
}

HostMemory::~HostMemory() { unmap(); }

void HostMemory::unmap() noexcept {
  for (std::byte*& part : parts_)
    if (part != nullptr) munmap(std::exchange(part, nullptr), part_bytes);
}

bool HostMemory::carries(int peer, std::size_t n_bytes) const {
  const auto place = static_cast<std::size_t>(peer);
  return n_bytes >= least_bytes && place < parts_.size() && parts_[place] != nullptr;
}

std::byte* HostMemory::at(int rank, std::size_t place) const {
  ensure(place < part_bytes, "a place lies within its rank's part");
  return parts_[static_cast<std::size_t>(rank)] + place;
}

std::optional<std::size_t> HostMemory::take_place(std::size_t n_bytes) {
  std::erase_if(places_, [this](const auto& one) { return one.second.given_back && is_read(one.first); });
  const std::size_t wanted = line_bytes + in_whole_lines(n_bytes);
  std::size_t begin = 0;
  for (const auto& [taken, place] : places_) {
    if (taken - begin >= wanted) break;
    begin = place.end;
  }
  if (begin + wanted > part_bytes) return std::nullopt;
  // Memory that the system does not have is missed here and not when it is written to.
  if (!mine_.reserve(begin, wanted)) return std::nullopt;
  places_[begin] = {.end = begin + wanted};
  new (at(rank_, begin)) Header{.n_read = 0};
  return begin;
}

bool HostMemory::is_read(std::size_t place) const {
  const auto* header = reinterpret_cast<const Header*>(at(rank_, place));
  return header->n_read.load(std::memory_order_acquire) == places_.at(place).n_written;
}

void HostMemory::give_back(std::size_t place) { places_.at(place).given_back = true; }

bool HostMemory::write(std::size_t place, const View& box) {
  if (!is_read(place)) return false;
  stream_out(box, at(rank_, place) + line_bytes);
  ++places_.at(place).n_written;
  return true;
}

void HostMemory::read(int peer, std::size_t place, const View& box) {
  std::byte* memory = at(peer, place);
  copy_in(memory + line_bytes, box);
  auto* header = reinterpret_cast<Header*>(memory);
  header->n_read.store(header->n_read.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

}  // namespace strake::comm
