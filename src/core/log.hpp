// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A log interface that any module may call; the program puts a real logger behind it.

#include <functional>
#include <string>

namespace strake {

enum class LogLevel : unsigned char { debug, info, warning, error };

using LogSink = std::function<void(LogLevel, const std::string&)>;

/// Replaces the sink; without one, messages are dropped. Not to be called while other threads log.
void set_log_sink(LogSink sink);

void log(LogLevel level, const std::string& message);

}  // namespace strake
