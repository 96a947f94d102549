// SPDX-License-Identifier: Apache-2.0
// How a session records its frames.

#include <algorithm>

#include "engine/session.hpp"
#include "engine/session_messages.hpp"

namespace strake::engine {

namespace {

// Some 40 MB of JSON, which viewers in a browser still take.
constexpr double most_events = 200'000;

// Ranks that are left out of the plan wait for the end of the trace as long as the others have frames.
constexpr auto longest_run = std::chrono::hours(24 * 365);

std::vector<comm::ClockOffset> probe_clocks(comm::Communicator& communicator) {
  return comm::probe_clocks(
      communicator, [] { return nanoseconds_of(Clock::now()); }, set_up_timeout);
}

// Events that a frame becomes on one rank: itself, what surrounds the steps, the steps, and both ends of messages.
double events_of_frame(const Graph& graph, const Plan& plan, const Program& program, int rank) {
  double events = 3 + static_cast<double>(program.steps().size());
  for (OpId id = 0; id < graph.size(); ++id)
    for (const Transfer& transfer : transfers(graph, plan, id))
      if (transfer.src == rank || transfer.dst == rank) ++events;
  return events;
}

}  // namespace

void Session::begin_trace(int frames) {
  const double mine = events_of_frame(graph_, plan(), *running_->program, rank());
  double all = 0;
  for (const comm::Bytes& bytes : communicator_->gather_for_all(bytes_of(mine), set_up_timeout))
    all += value_of<double>(bytes);
  recorder_.emplace(running_->program->steps().size(),
                    static_cast<std::size_t>(std::clamp<double>(most_events / all, 1, frames)));
  clocks_before_trace_ = probe_clocks(*communicator_);
  // Whoever was asked early is not to wait for the rest in its first frame.
  communicator_->barrier(set_up_timeout);
}

Trace Session::end_trace() {
  ensure(recorder_.has_value(), "a trace begins before it ends");
  communicator_->barrier(longest_run);
  const std::vector<comm::ClockOffset> clocks = probe_clocks(*communicator_);
  Trace trace =
      gather_trace(*communicator_, *running_->program, *recorder_, clocks_before_trace_, clocks, set_up_timeout);
  trace.has_tail = has_tail();
  recorder_.reset();
  return trace;
}

}  // namespace strake::engine
