// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Boxes of f32 cells in the fewer bytes in which they travel between hosts.
///
/// On the wire: the cells in canonical order, each as `TransferType` says; for int8 the scale before them, an f32.
/// - bf16, fp16: rounded to nearest even. NaN stays NaN, infinities stay; what fp16 cannot hold becomes an infinity.
/// - int8: the scale is the largest finite magnitude of the box over 127 (0 where that is no normal number, and then
///   all cells are 0); a cell is cell / scale rounded to nearest even, in [-127, 127], so that infinities become the
///   largest finite magnitude. -128 stands for NaN.

#include "core/transfer_type.hpp"

namespace strake::comm {

/// Rounds the f32 cells of `view` and writes `travelling_bytes(view.box, type)` bytes to `to`, which begins at a
/// multiple of 4. `type` is not f32.
void encode(const View& view, TransferType type, std::byte* to);

/// Writes cells that were encoded at `from` to `view`.
void decode(const std::byte* from, TransferType type, const View& view);

}  // namespace strake::comm
