// SPDX-License-Identifier: Apache-2.0
#include "cluster/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace strake::cluster {

namespace fs = std::filesystem;

namespace {

std::runtime_error failed_to(const std::string& what) {
  return std::runtime_error("cannot " + what + ": " + std::strerror(errno));
}

std::optional<pid_t> number_of_process(const std::string& text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return pid;
}

// Parent of each process, and whether it has ended already.
struct ProcessEntry {
  pid_t parent = 0;
  bool ended = false;
};

std::map<pid_t, ProcessEntry> all_processes() {
  std::map<pid_t, ProcessEntry> processes;
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    const std::optional<pid_t> pid = number_of_process(it->path().filename().string());
    if (!pid) continue;
    std::ifstream stream(it->path() / "stat");
    std::string text;
    std::getline(stream, text);
    // "pid (name) state parent ...", where a name may hold anything.
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos || name_end + 4 > text.size()) continue;
    const char state = text[name_end + 2];
    processes[*pid] = {static_cast<pid_t>(std::strtol(text.c_str() + name_end + 4, nullptr, 10)),
                       state == 'Z' || state == 'X'};
  }
  return processes;
}

// Those below `root` that still run.
std::vector<pid_t> descendants_of(pid_t root) {
  const std::map<pid_t, ProcessEntry> processes = all_processes();
  std::vector<pid_t> found;
  std::vector<pid_t> parents{root};
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    for (const auto& [pid, entry] : processes)
      if (entry.parent == parent) {
        parents.push_back(pid);
        if (!entry.ended) found.push_back(pid);
      }
  }
  return found;
}

void reap() {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

// From -1000, never ended for want of memory, to 1000, ended first.
int own_memory_score() {
  std::ifstream stream("/proc/self/oom_score_adj");
  int score = 0;
  stream >> score;
  return score;
}

// Between fork and exec only what may be called there.
[[noreturn]] void become(const std::vector<char*>& words, const std::vector<char*>& environment, int output,
                         pid_t parent, const std::string& memory_score) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  // What it prints belongs to this program's messages.
  dup2(output >= 0 ? output : STDERR_FILENO, STDOUT_FILENO);
  if (output >= 0) dup2(output, STDERR_FILENO);
  if (!memory_score.empty()) {
    const int score = open("/proc/self/oom_score_adj", O_WRONLY);
    (void)!write(score, memory_score.data(), memory_score.size());
    close(score);
  }
  execvpe(words.front(), words.data(), environment.data());
  static constexpr char message[] = "strake: error: cannot start a program that should be in PATH\n";
  (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
  _exit(127);
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Child start(const Command& command) {
  std::vector<std::string> words = command.words;
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!command.environment.contains(text.substr(0, text.find('=')))) variables.push_back(text);
  }
  for (const auto& [name, value] : command.environment) variables.push_back(name + "=" + value);
  const std::vector<char*> argv = pointers_to(words);
  const std::vector<char*> envp = pointers_to(variables);
  int ends[2] = {-1, -1};
  if (command.pipe_output && pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw failed_to("make a pipe");
  // The child's own end may wait.
  if (command.pipe_output) fcntl(ends[1], F_SETFL, 0);
  const pid_t parent = getpid();
  const std::string memory_score = command.yields_memory ? std::to_string(std::max(own_memory_score(), 800)) : "";
  const pid_t pid = fork();
  if (pid == 0) become(argv, envp, ends[1], parent, memory_score);
  if (ends[1] >= 0) close(ends[1]);
  if (pid < 0) {
    if (ends[0] >= 0) close(ends[0]);
    throw failed_to("start '" + command.words.front() + "'");
  }
  return {.pid = pid, .output = ends[0]};
}

std::optional<int> exit_code_if_ended(pid_t pid) {
  int status = 0;
  const pid_t ended = waitpid(pid, &status, WNOHANG);
  if (ended == 0) return std::nullopt;
  // Somebody else has asked before.
  if (ended < 0) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool is_there(pid_t pid) { return kill(pid, 0) == 0 || errno != ESRCH; }

void adopt_orphans() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

void end_with_parent() {
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have ended before.
  if (getppid() != parent) raise(SIGKILL);
}

void end_all_descendants() {
  // What is killed may have started something since it was listed. Processes in the kernel's hands take a moment, and
  // one that hangs there must not keep us.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < deadline) {
    const std::vector<pid_t> left = descendants_of(getpid());
    if (left.empty()) break;
    for (const pid_t pid : left) kill(pid, SIGKILL);
    usleep(1000);
    reap();
  }
  reap();
}

fs::path own_path() {
  std::error_code error;
  fs::path path = fs::read_symlink("/proc/self/exe", error);
  if (error) throw std::runtime_error("cannot find this program: " + error.message());
  return path;
}

PrivateFolder::PrivateFolder(const std::string& purpose) {
  const std::string beginning = "strake-" + purpose + "-" + std::to_string(geteuid()) + "-";
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (error) throw std::runtime_error("there is no folder for temporary files: " + error.message());
  for (fs::directory_iterator it(parent, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(beginning)) continue;
    const std::optional<pid_t> pid = number_of_process(name.substr(beginning.size()));
    std::error_code ignored;
    if (pid && !is_there(*pid)) fs::remove_all(it->path(), ignored);
  }
  path_ = parent / (beginning + std::to_string(getpid()));
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  // Fails where somebody else has made it: nobody may prepare it for us.
  if (mkdir(path_.c_str(), 0700) != 0) throw failed_to("make '" + path_.string() + "'");
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Signals::Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  descriptor_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (descriptor_ < 0) throw failed_to("wait for signals");
}

Signals::~Signals() { close(descriptor_); }

bool Signals::asked_to_end() {
  signalfd_siginfo info{};
  while (read(descriptor_, &info, sizeof(info)) == sizeof(info)) ++asked_;
  return asked_ > 0;
}

bool Signals::asked_twice() { return asked_to_end() && asked_ > 1; }

}  // namespace strake::cluster
