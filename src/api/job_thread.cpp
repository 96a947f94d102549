// SPDX-License-Identifier: Apache-2.0
#include "api/job_thread.hpp"

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

#include "comm/mpi_communicator.hpp"
#include "comm/thread_communicator.hpp"
#include "core/errors.hpp"

namespace strake::api {

namespace {

using Task = std::function<void(comm::Communicator&)>;

class OwnThread final : public JobThread {
 public:
  void start(Task task) override {
    thread_ = std::jthread([task = std::move(task)] { task(*comm::make_thread_communicators(1).front()); });
  }
  void join() override {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::jthread thread_;
};

// MPI is started once per process and must be ended by the thread that started it.
class MpiThread {
 public:
  static MpiThread& instance() {
    static MpiThread thread;
    return thread;
  }

  MpiThread(const MpiThread&) = delete;
  MpiThread& operator=(const MpiThread&) = delete;

  // False where somebody has it.
  [[nodiscard]] bool take() {
    const std::scoped_lock lock(mutex_);
    return !std::exchange(taken_, true);
  }
  void give_back() {
    const std::scoped_lock lock(mutex_);
    taken_ = false;
  }

  std::future<void> run(Task task) {
    std::packaged_task<void(comm::Communicator&)> packaged(std::move(task));
    std::future<void> done = packaged.get_future();
    const std::scoped_lock lock(mutex_);
    task_ = std::move(packaged);
    changed_.notify_all();
    return done;
  }

 private:
  MpiThread() : thread_([this](const std::stop_token& stop) { serve(stop); }) {}
  ~MpiThread() {
    thread_.request_stop();
    changed_.notify_all();
  }

  void serve(const std::stop_token& stop) {
    comm::MpiSession mpi;
    while (true) {
      std::packaged_task<void(comm::Communicator&)> task;
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [&] { return task_.valid(); })) return;
        task = std::exchange(task_, {});
      }
      const std::unique_ptr<comm::Communicator> world = comm::make_mpi_communicator();
      task(*world);
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::packaged_task<void(comm::Communicator&)> task_;
  bool taken_ = false;
  std::jthread thread_;
};

class SharedThread final : public JobThread {
 public:
  SharedThread() {
    if (!MpiThread::instance().take())
      throw InvalidInput("an engine of this process has the MPI job already; close and destroy it first");
  }
  SharedThread(const SharedThread&) = delete;
  SharedThread& operator=(const SharedThread&) = delete;
  ~SharedThread() override { MpiThread::instance().give_back(); }
  void start(Task task) override { done_ = MpiThread::instance().run(std::move(task)); }
  void join() override {
    if (done_.valid()) done_.get();
  }

 private:
  std::future<void> done_;
};

}  // namespace

std::unique_ptr<JobThread> make_job_thread() {
  switch (comm::mpi_state()) {
    case comm::MpiState::ended:
      throw InvalidInput("MPI was ended in this process, and cannot be started again");
    case comm::MpiState::theirs_for_one_thread:
      throw InvalidInput(
          "this program started MPI for one thread; it must ask MPI_Init_thread for MPI_THREAD_MULTIPLE, or let the "
          "engine start MPI");
    case comm::MpiState::ours:
    case comm::MpiState::theirs_for_any_thread:
      return std::make_unique<SharedThread>();
    case comm::MpiState::not_started:
      break;
  }
  if (comm::launched_by_mpi()) return std::make_unique<SharedThread>();
  return std::make_unique<OwnThread>();
}

}  // namespace strake::api
