// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the sources of `Session` share: control messages of plain values, and units.

#include <chrono>
#include <cstring>

#include "comm/communicator.hpp"
#include "comm/simulation.hpp"
#include "core/errors.hpp"
#include "engine/measure.hpp"

namespace strake::engine {

using Clock = comm::Clock;

/// Ranks prepare at very different speeds (a slow one measures kernels while a fast one waits), so the deadline of a
/// frame's messages says nothing about set-up.
inline constexpr std::chrono::nanoseconds set_up_timeout = std::chrono::minutes(10);

inline constexpr double bytes_per_mb = 1024 * 1024;

inline double microseconds_since(Clock::time_point begin) { return microseconds(Clock::now() - begin); }

/// A value without pointers, as it travels.
template <class T>
comm::Bytes bytes_of(const T& value) {
  comm::Bytes bytes(sizeof(T));
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// @throws Bug if the message has another size
template <class T>
T value_of(const comm::Bytes& bytes) {
  T value{};
  ensure(bytes.size() == sizeof(T), "a control message has the size of its type");
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

}  // namespace strake::engine
