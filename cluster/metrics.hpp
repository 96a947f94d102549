// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A supervisor's state in Prometheus' text format, version 0.0.4.

#include <string>

#include "cluster/state.hpp"

namespace strake::cluster {

/// Counters end with _total, times are in seconds, sizes in bytes; docs/cluster.md lists the names.
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
[[nodiscard]] std::string metrics_text(const State& state);

}  // namespace strake::cluster
