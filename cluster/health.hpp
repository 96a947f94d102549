// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How this host is doing, as the kernel tells it.

#include <wire.pb.h>

namespace strake::cluster {

/// Load, temperature (0 without a sensor), free memory and the clock of the first core. Local; a few small reads.
[[nodiscard]] wire::Health read_health();

}  // namespace strake::cluster
