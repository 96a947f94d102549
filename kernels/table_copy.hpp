// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Copies in which each axis has a table of its own: what pads borders, enlarges maps and shuffles blocks.

#include <vector>

#include "core/view.hpp"
#include "kernels/makers.hpp"

namespace strake::kernels {

/// dst[i0, i1, ...] = src[t0[i0], t1[i1], ...] for elements of any type.
///
/// @param tables  for each axis the index in whole-tensor coordinates of the source, one entry for each index of the
///                destination's box; all lie in the source's box
[[nodiscard]] KernelPtr make_table_copy(const View& src, const View& dst, const std::vector<std::vector<Index>>& tables,
                                        const std::string& implementation);

}  // namespace strake::kernels
