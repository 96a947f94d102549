// SPDX-License-Identifier: Apache-2.0
#pragma once
/// MPI datatypes from views: no packing code anywhere.

#include "comm/mpi_handles.hpp"
#include "core/view.hpp"

namespace strake::comm {

/// A committed datatype of all cells of `view`, relative to `view.data`, in canonical order (row, column, channel for a
/// feature map), whatever the view's strides and channel blocks. The view is not empty.
[[nodiscard]] OwnedType type_of(const View& view);

}  // namespace strake::comm
