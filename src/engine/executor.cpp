// SPDX-License-Identifier: Apache-2.0
#include "engine/executor.hpp"

#include "comm/simulation.hpp"
#include "engine/measure.hpp"
#include "kernels/copy_clock.hpp"

namespace strake::engine {

namespace {

using Clock = comm::Clock;

void spin_until(Clock::time_point end) {
  while (Clock::now() < end) {
  }
}

}  // namespace

void Executor::run_step(const Step& step) {
  switch (step.kind) {
    case StepKind::compute: {
      const Clock::time_point begin = Clock::now();
      step.kernel->run();
      if (options_.slowdown > 1) {
        const auto taken = std::chrono::duration<double>(Clock::now() - begin);
        spin_until(begin + std::chrono::duration_cast<Clock::duration>(taken * options_.slowdown));
      }
      if (step.poke != nullptr) step.poke->poke();
      break;
    }
    case StepKind::start_messages:
      step.messages->start();
      break;
    case StepKind::finish_receives:
      step.messages->finish_receives(options_.timeout);
      break;
    case StepKind::finish_sends:
      step.messages->finish_sends(options_.timeout);
      break;
  }
}

FrameTimes Executor::run(std::span<Clock::time_point> moments) {
  FrameTimes times;
  const std::vector<Step>& steps = program_->steps();
  const Clock::time_point begin = Clock::now();
  Clock::time_point now = begin;
  if (!moments.empty()) moments.front() = begin;
  (void)kernels::take_copy_us();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    run_step(steps[i]);
    const Clock::time_point end = Clock::now();
    if (!moments.empty()) moments[i + 1] = end;
    step_us_[i] = microseconds(end - now);
    (steps[i].kind == StepKind::compute ? times.compute_us : times.wait_us) += step_us_[i];
    now = end;
  }
  times.copy_us = kernels::take_copy_us();
  times.total_us = microseconds(now - begin);
  return times;
}

}  // namespace strake::engine
