// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Recorded frames in Chrome's trace event format, for Perfetto and chrome://tracing.

#include <CLI/App.hpp>
#include <iosfwd>
#include <string>

#include "cli/context.hpp"
#include "engine/trace.hpp"

namespace strake::cli {

/// `--trace FILE`.
void add_trace_option(CLI::App& app, CommonOptions& options);

/// Writes a trace as JSON. Ranks are processes (of number rank + 1, since viewers keep 0 for the system's idle one)
/// with three threads: frames, kernels, messages. Slices of a thread follow each other or lie within each other. Each
/// message is a flow from the slice of its send to that of its receive, which both tell its number in the frame, bytes
/// and box.
/// @param graph  the program's: of a cycle of frames the unrolled one, and its plan
void write_trace_events(std::ostream& stream, const Graph& graph, const Plan& plan, const engine::Trace& trace);

/// Collective where `--trace` was given, and before the frames that it is about.
void begin_trace(const CommonOptions& options, engine::Session& session, int frames);

/// Collective where `--trace` was given. Gives what was recorded on rank 0; no ranks on the others, or without the
/// option.
[[nodiscard]] engine::Trace end_trace(const CommonOptions& options, engine::Session& session);

/// Rank 0: writes `--trace FILE`, if given, and gives a line that says what is in it, else "".
/// @throws InvalidInput if it cannot be written
[[nodiscard]] std::string write_trace(const CommonOptions& options, const engine::Session& session,
                                      const engine::Trace& trace);

}  // namespace strake::cli
