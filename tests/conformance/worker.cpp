// SPDX-License-Identifier: Apache-2.0
#include "conformance/worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <sstream>
#include <stdexcept>

namespace strake::conformance {

namespace {

// "verdict \t spread \t operator,operator \t reason \n"
std::string to_line(const Outcome& outcome) {
  std::string line = std::to_string(static_cast<int>(outcome.verdict)) + "\t" + (outcome.spread ? "1" : "0") + "\t";
  for (const std::string& type : outcome.operators) line += type + ",";
  return line + "\t" + outcome.reason + "\n";
}

Outcome from_line(const std::string& line) {
  std::istringstream stream(line);
  std::string verdict, spread, operators;
  Outcome outcome;
  std::getline(stream, verdict, '\t');
  std::getline(stream, spread, '\t');
  std::getline(stream, operators, '\t');
  std::getline(stream, outcome.reason);
  outcome.verdict = static_cast<Verdict>(std::stoi(verdict));
  outcome.spread = spread == "1";
  std::istringstream list(operators);
  for (std::string type; std::getline(list, type, ',');) outcome.operators.push_back(type);
  return outcome;
}

void write_all(int pipe, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = write(pipe, text.data() + done, text.size() - done);
    if (n <= 0) _exit(1);  // nobody listens any more
    done += static_cast<std::size_t>(n);
  }
}

/// A child process that works through the cases from `first` on and writes a line for each.
class Worker {
 public:
  Worker(const std::vector<Case>& cases, std::size_t first, const Work& work) : longest_(work.longest) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
    child_ = fork();
    if (child_ < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
    if (child_ == 0) {
      close(ends[0]);
      for (std::size_t i = first; i < cases.size(); ++i) write_all(ends[1], to_line(work.run(cases[i])));
      _exit(0);
    }
    close(ends[1]);
    pipe_ = ends[0];
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    close(pipe_);
    end();
  }

  /// The next line; empty when the child ended or was silent for too long.
  std::string next_line() {
    for (;;) {
      if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
        std::string line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        return line;
      }
      pollfd poller{.fd = pipe_, .events = POLLIN, .revents = 0};
      char buffer[4096];
      if (poll(&poller, 1, static_cast<int>(longest_.count())) <= 0) return "";
      const ssize_t n = read(pipe_, buffer, sizeof(buffer));
      if (n <= 0) return "";
      pending_.append(buffer, static_cast<std::size_t>(n));
    }
  }

  /// How the child ended; one that still runs is killed.
  std::string end() {
    if (child_ < 0) return "";
    int status = 0;
    // A child whose pipe is at its end is about to be gone; one that hangs is not.
    bool gone = false;
    for (int i = 0; i < 100 && !gone; ++i) {
      if (i > 0) usleep(10'000);
      gone = waitpid(child_, &status, WNOHANG) != 0;
    }
    if (!gone) {
      kill(child_, SIGKILL);
      waitpid(child_, &status, 0);
    }
    child_ = -1;
    if (!gone) return "took longer than " + std::to_string(longest_.count()) + " ms";
    if (WIFSIGNALED(status)) return "crashed: " + std::string(strsignal(WTERMSIG(status)));
    return "ended the process with code " + std::to_string(WEXITSTATUS(status));
  }

 private:
  std::chrono::milliseconds longest_;
  pid_t child_ = -1;
  int pipe_ = -1;
  std::string pending_;
};

}  // namespace

std::vector<Outcome> run_cases(const std::vector<Case>& cases, const Work& work) {
  std::vector<Outcome> outcomes;
  while (outcomes.size() < cases.size()) {
    Worker worker(cases, outcomes.size(), work);
    bool lost = false;
    while (!lost && outcomes.size() < cases.size()) {
      const std::string line = worker.next_line();
      lost = line.empty();
      outcomes.push_back(
          lost ? Outcome{.verdict = Verdict::failed, .reason = worker.end(), .spread = false, .operators = {}}
               : from_line(line));
      work.seen(cases[outcomes.size() - 1], outcomes.back());
    }
  }
  return outcomes;
}

}  // namespace strake::conformance
