// SPDX-License-Identifier: Apache-2.0
#include "comm/host_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace strake::comm {

namespace {

std::array<char, 40> kernel_number() {
  std::array<char, 40> number = {};
  std::ifstream("/proc/sys/kernel/random/boot_id").read(number.data(), number.size() - 1);
  return number;
}

// 0 where the system does not tell.
std::uint64_t process_names() {
  struct stat names = {};
  return stat("/proc/self/ns/pid", &names) == 0 ? names.st_ino : 0;
}

// A file that grows beyond its limit ends the process.
bool may_grow_to(std::size_t n_bytes) {
  rlimit limit = {};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur >= n_bytes;
}

}  // namespace

void HostFile::DescriptorTraits::destroy(Handle descriptor) noexcept { close(descriptor); }

HostFile HostFile::create(std::size_t n_bytes) {
  HostFile file;
  if (!may_grow_to(n_bytes)) return file;
  *file.descriptor_.out() = memfd_create("strake", MFD_CLOEXEC);
  if (file.exists() && ftruncate(file.descriptor_.get(), static_cast<off_t>(n_bytes)) != 0) return {};
  return file;
}

HostFileAddress HostFile::address() const {
  struct stat file = {};
  const std::uint64_t names = process_names();
  if (!exists() || names == 0 || fstat(descriptor_.get(), &file) != 0) return {};
  return {kernel_number(), names, getpid(), descriptor_.get(), file.st_ino};
}

// Nothing but a regular file is opened.
HostFile HostFile::open(const HostFileAddress& address) {
  HostFile opened;
  if (address.descriptor < 0 || address.process_names != process_names() || address.kernel != kernel_number())
    return opened;
  const std::string path = "/proc/" + std::to_string(address.process) + "/fd/" + std::to_string(address.descriptor);
  struct stat file = {};
  if (stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) && file.st_ino == address.file)
    *opened.descriptor_.out() = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  return opened;
}

bool HostFile::reserve(std::size_t begin, std::size_t n_bytes) {
  return posix_fallocate(descriptor_.get(), static_cast<off_t>(begin), static_cast<off_t>(n_bytes)) == 0;
}

std::byte* HostFile::map(std::size_t begin, std::size_t n_bytes) const {
  void* memory =
      mmap(nullptr, n_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_.get(), static_cast<off_t>(begin));
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

bool HostFile::map_over(std::byte* at, std::size_t begin, std::size_t n_bytes) const {
  return mmap(at, n_bytes, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor_.get(), static_cast<off_t>(begin)) !=
         MAP_FAILED;
}

}  // namespace strake::comm
