// SPDX-License-Identifier: Apache-2.0
#include "core/log.hpp"

#include <utility>

namespace strake {

namespace {

LogSink& sink() {
  static LogSink current;
  return current;
}

}  // namespace

void set_log_sink(LogSink new_sink) { sink() = std::move(new_sink); }

void log(LogLevel level, const std::string& message) {
  if (sink()) sink()(level, message);
}

}  // namespace strake
