// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Copies between a view and gapless memory in canonical order, as boxes lie on the wire.

#include "core/view.hpp"

namespace strake::comm {

/// Copies the cells of `view` to `to`, past this core's caches where the processor can: whoever reads them next is
/// another core. All of it is visible to a core that learns of it afterwards.
void stream_out(const View& view, std::byte* to);

/// Copies `from` into the cells of `view`.
void copy_in(const std::byte* from, const View& view);

}  // namespace strake::comm
