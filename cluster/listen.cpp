// SPDX-License-Identifier: Apache-2.0
#include "cluster/listen.hpp"

#include <cstdlib>
#include <fstream>
#include <string_view>

#include "core/errors.hpp"

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

ListenLibrary::ListenLibrary(const std::filesystem::path& folder) : file_(folder / "bind.so") {
  std::ofstream stream(file_, std::ios::binary);
  stream << std::string_view(strake_bind_library, strake_bind_library_end);
  if (!stream.flush()) throw InvalidInput("cannot write '" + file_.string() + "'");
}

void ListenLibrary::confine(Command& command, const std::string& address) const {
  const char* others = std::getenv("LD_PRELOAD");
  command.environment["LD_PRELOAD"] = file_.string() + (others == nullptr ? "" : ":" + std::string(others));
  command.environment[listen_variable] = address;
}

}  // namespace strake::cluster
