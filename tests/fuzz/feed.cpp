// SPDX-License-Identifier: Apache-2.0
#include "fuzz/feed.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "core/errors.hpp"
#include "core/interval_map.hpp"
#include "core/rewrite/rewrite.hpp"
#include "onnx/import.hpp"

namespace strake::fuzz {

namespace {

// The importer reads files; this one lives in memory.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const char> bytes) : file_(memfd_create("model.onnx", 0)) {
    if (file_ < 0) throw std::runtime_error("memfd_create failed");
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t n = write(file_, bytes.data() + done, bytes.size() - done);
      if (n <= 0) throw std::runtime_error("write to memory failed");
      done += static_cast<std::size_t>(n);
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(file_); }

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

}  // namespace

// Instrumented code takes fifty times as long as what users run.
constexpr double most_folded = 1 << 22;

void feed(std::span<const char> bytes) {
  const MemoryFile file(bytes);
  try {
    Graph graph =
        onnx_import::import_model(file.path(), {.shapes = {}, .values = {}, .most_folded = most_folded}).graph;
    rewrite::optimise(graph);
    (void)strip_axes(graph, SplitAxis::rows);
    (void)strip_axes(graph, SplitAxis::columns);
  } catch (const InvalidInput&) {
    // Refused with a message: what files like these deserve.
  }
}

}  // namespace strake::fuzz
