// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Programs that this one starts, and their end: nothing that was started may outlive what started it.

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace strake::cluster {

/// A program to start.
struct Command {
  std::vector<std::string> words;                       // the program, looked for in PATH, and its arguments
  std::map<std::string, std::string> environment = {};  // beside this process's own
  bool pipe_output = false;                             // its stdout and stderr come back through `Child::output`
  bool yields_memory = false;  // the kernel ends it, and what it starts, before others where memory is short
};

/// A started program. Ends when this process ends, however that happens (PR_SET_PDEATHSIG).
struct Child {
  pid_t pid = -1;
  int output = -1;  // non-blocking, owned by whoever called `start`; below 0 where not asked for
};

/// @throws std::runtime_error naming the program: not found, no more processes
[[nodiscard]] Child start(const Command& command);

/// How a program ended: its exit code, or 128 + the signal.
[[nodiscard]] std::optional<int> exit_code_if_ended(pid_t pid);

/// Whether there is such a process, on this host.
[[nodiscard]] bool is_there(pid_t pid);

/// From here on what children of ours leave behind becomes ours, so that it can be found and ended.
void adopt_orphans();

/// This process ends by SIGKILL when its parent ends.
void end_with_parent();

/// Ends all processes that this one, its children, their children and so on have started, at once, and waits until they
/// are gone. What is stopped is ended too.
void end_all_descendants();

/// The path of this program. @throws std::runtime_error
[[nodiscard]] std::filesystem::path own_path();

/// A folder of this process in the system's place for temporary ones, mode 0700, gone when this object goes. Those of
/// processes that were killed are removed on the way.
class PrivateFolder {
 public:
  /// @param purpose  part of its name
  explicit PrivateFolder(const std::string& purpose);
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  ~PrivateFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// SIGTERM, SIGINT and SIGHUP become something to look at, and SIGPIPE nothing.
class Signals {
 public:
  /// Once in a process, before other threads start.
  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  /// Readable when a signal came.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// Whether this process was asked to end.
  [[nodiscard]] bool asked_to_end();
  /// Whether it was asked again: somebody does not want to wait.
  [[nodiscard]] bool asked_twice();

 private:
  int descriptor_ = -1;
  int asked_ = 0;
};

}  // namespace strake::cluster
