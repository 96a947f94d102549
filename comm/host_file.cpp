// SPDX-License-Identifier: Apache-2.0
#include "comm/host_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <utility>

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

bool HostFile::supported() {
#ifdef STRAKE_SMPI
  return false;
#else
  return true;
#endif
}

HostFile HostFile::create(std::size_t n_bytes) {
  HostFile file;
  if (!may_grow_to(n_bytes)) return file;
  *file.descriptor_.out() = memfd_create("strake", MFD_CLOEXEC);
  if (file.exists() && ftruncate(file.descriptor_.get(), static_cast<off_t>(n_bytes)) != 0) return {};
  return file;
}

HostFileAddress HostFile::address() const {
  HostFileAddress address{.kernel = kernel_number(), .process_names = process_names(), .process = getpid()};
  struct stat file = {};
  if (!exists() || fstat(descriptor_.get(), &file) != 0) return address;
  address.descriptor = descriptor_.get();
  address.device = file.st_dev;
  address.file = file.st_ino;
  address.n_bytes = static_cast<std::uint64_t>(file.st_size);
  return address;
}

// Nothing but a regular file is opened, and what was opened is asked whether it is the one.
HostFile HostFile::open(const HostFileAddress& address, Access access) {
  HostFile opened;
  if (address.descriptor < 0 || !address.is_near(HostFile().address())) return opened;
  const std::string path = "/proc/" + std::to_string(address.process) + "/fd/" + std::to_string(address.descriptor);
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return opened;
  *opened.descriptor_.out() = ::open(path.c_str(), (access == Access::read ? O_RDONLY : O_RDWR) | O_CLOEXEC);
  const bool is_it = opened.exists() && fstat(opened.descriptor_.get(), &file) == 0 && file.st_dev == address.device &&
                     file.st_ino == address.file && static_cast<std::uint64_t>(file.st_size) == address.n_bytes;
  return is_it ? std::move(opened) : HostFile();
}

bool HostFile::reserve(std::size_t begin, std::size_t n_bytes) {
  return posix_fallocate(descriptor_.get(), static_cast<off_t>(begin), static_cast<off_t>(n_bytes)) == 0;
}

bool HostFile::write(std::size_t begin, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(begin));
    if (n <= 0) return false;
    begin += static_cast<std::size_t>(n);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

std::byte* HostFile::map(std::size_t begin, std::size_t n_bytes, Access access) const {
  const int rights = access == Access::read ? PROT_READ : PROT_READ | PROT_WRITE;
  void* memory = mmap(nullptr, n_bytes, rights, MAP_SHARED, descriptor_.get(), static_cast<off_t>(begin));
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

}  // namespace strake::comm
