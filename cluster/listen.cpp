// SPDX-License-Identifier: Apache-2.0
#include "cluster/listen.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string_view>

#include "core/log.hpp"

// The library of preload/bind.cpp, byte by byte.
// NOLINTNEXTLINE(hicpp-no-assembler): the language has no word for the contents of a file
asm(R"(
  .section .rodata
  .globl strake_bind_library, strake_bind_library_end
strake_bind_library:
  .incbin ")" STRAKE_BIND_LIBRARY R"("
strake_bind_library_end:
  .previous
)");
extern "C" const char strake_bind_library[];      // NOLINT(modernize-avoid-c-arrays)
extern "C" const char strake_bind_library_end[];  // NOLINT(modernize-avoid-c-arrays)

namespace strake::cluster {

namespace {

// Written again where somebody has cleaned up. Why programs cannot load it; empty where they can.
std::string reason_against(const std::filesystem::path& file) {
  if (file.string().find_first_of(" :") != std::string::npos) return "its path has a blank or a colon";
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    std::ofstream stream(file, std::ios::binary);
    stream << std::string_view(strake_bind_library, strake_bind_library_end);
    if (!stream.flush()) return "it cannot be written";
  }
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  void* const memory =
      descriptor < 0 ? MAP_FAILED : mmap(nullptr, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, descriptor, 0);
  if (descriptor >= 0) close(descriptor);
  if (memory == MAP_FAILED) return "nothing there can be executed";
  munmap(memory, 1);
  return "";
}

}  // namespace

void ListenLibrary::confine(Command& command, const Interface& interface) const {
  // Open MPI 5.0 finds no interface by its network, and does without loopback.
  if (!is_loopback({.host = interface.address})) command.environment["PRTE_MCA_prte_if_include"] = interface.name;
  if (const std::string reason = reason_against(file_); !reason.empty()) {
    log(LogLevel::warning, "Open MPI may listen on all interfaces: '" + file_.string() + "' is of no use, " + reason +
                               "; set TMPDIR to another folder");
    return;
  }
  const char* others = std::getenv("LD_PRELOAD");
  command.environment["LD_PRELOAD"] = file_.string() + (others == nullptr ? "" : ":" + std::string(others));
  command.environment[listen_variable] = interface.address;
}

}  // namespace strake::cluster
