// SPDX-License-Identifier: Apache-2.0
// What a session tells of its frames.

#include <algorithm>

#include "engine/machine.hpp"
#include "engine/measure.hpp"
#include "engine/session.hpp"
#include "engine/session_messages.hpp"

namespace strake::engine {

double Session::predicted_peak_mb() const {
  const auto held = static_cast<double>(running_->weights->size_bytes() + running_->program->arena_bytes() +
                                        running_->program->workspace_bytes() + running_->program->rounding_bytes());
  double kept = 0;
  for (const Blob& weight : kept_) kept += static_cast<double>(weight.size_bytes());
  return base_mb_ + (held + kept) / bytes_per_mb;
}

RankReport Session::own_report() const {
  const std::vector<double> work = multiply_adds(running_graph(), running_plan());
  double all = 0;
  for (const double one : work) all += one;
  return {.rank = rank(),
          .host = {},
          .threads = threads(),
          .share = all > 0 ? work[static_cast<std::size_t>(rank())] / all : 0,
          .compute_ms = median(compute_us_) / 1000,
          .wait_ms = median(wait_us_) / 1000,
          .sent_bytes = static_cast<double>(running_->program->sent_bytes()),
          .received_bytes = static_cast<double>(running_->program->received_bytes()),
          .peak_rss_mb = peak_rss_mb(),
          .predicted_peak_mb = predicted_peak_mb()};
}

std::vector<RankReport> Session::report() {
  RankReport mine = own_report();
  // Strings do not travel as plain bytes; hosts are known from the handshake.
  struct Numbers {
    int threads;
    double values[7];
  };
  const Numbers numbers{mine.threads,
                        {mine.share, mine.compute_ms, mine.wait_ms, mine.sent_bytes, mine.received_bytes,
                         mine.peak_rss_mb, mine.predicted_peak_mb}};
  forget_times();
  std::vector<RankReport> reports;
  for (const comm::Bytes& bytes : communicator_->gather(bytes_of(numbers), 0, set_up_timeout)) {
    const auto theirs = value_of<Numbers>(bytes);
    const int place = static_cast<int>(reports.size());
    reports.push_back({place, infos_[reports.size()].host, theirs.threads, theirs.values[0], theirs.values[1],
                       theirs.values[2], theirs.values[3], theirs.values[4], theirs.values[5], theirs.values[6]});
  }
  return reports;
}

FrameParts Session::frame_parts() const {
  const double frames = std::max<double>(static_cast<double>(compute_us_.size()), 1.0);
  FrameParts mean = parts_;
  for (double* part : {&mean.kernels_ms, &mean.copies_ms, &mean.waits_ms, &mean.tail_ms, &mean.other_ms})
    *part /= frames;
  return mean;
}

// Those of the program that runs go to those of the programs before it.
void Session::add_op_times() {
  op_sums_.resize(graph_.ops.size());
  const std::vector<Step>& steps = running_->program->steps();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const OpId op = cycle() ? cycle()->originals[static_cast<std::size_t>(steps[i].op)] : steps[i].op;
    OpTime& time = op_sums_[static_cast<std::size_t>(op)];
    time.op = op;
    (steps[i].kind == StepKind::compute ? time.compute_ms : time.wait_ms) += step_us_[i] / 1000;
    if (steps[i].kernel != nullptr) time.implementation = steps[i].kernel->implementation();
  }
  step_us_.assign(steps.size(), 0.0);
}

std::vector<OpTime> Session::op_times() {
  add_op_times();
  std::vector<OpTime> times = op_sums_;
  const double frames = std::max<double>(static_cast<double>(compute_us_.size()), 1.0);
  for (OpTime& time : times) {
    time.compute_ms /= frames;
    time.wait_ms /= frames;
  }
  std::erase_if(times, [](const OpTime& time) { return time.compute_ms == 0 && time.wait_ms == 0; });
  return times;
}

}  // namespace strake::engine
