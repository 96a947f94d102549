// SPDX-License-Identifier: Apache-2.0
#pragma once
/// NumPy's .npy files.

#include <filesystem>

#include "core/host_tensor.hpp"

namespace strake::io {

/// Versions 1 to 3; floats, integers and booleans, little-endian; C and Fortran order.
/// @throws InvalidInput naming the file, what was expected and what came
[[nodiscard]] HostTensor read_npy(const std::filesystem::path& file);

/// Version 1, C order; bfloat16, which NumPy does not have, becomes float32. Written beside its place and renamed, so
/// that no partial file stays.
/// @throws InvalidInput if it cannot be written (no such directory, no permission, disk full)
void write_npy(const std::filesystem::path& file, const HostTensor& tensor);

}  // namespace strake::io
