// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Instruction sets and the kernel library, as ranks compare them.

#include <string>

namespace strake::kernels {

/// Levels that change which f32 kernels run, ascending: 0 baseline, 1 SSE4.1, 2 AVX, 3 AVX2 with FMA, 4 AVX-512 (F, BW,
/// VL and DQ). What the user allows by ONEDNN_MAX_CPU_ISA counts.
[[nodiscard]] int instruction_set_level();
[[nodiscard]] std::string instruction_set_name(int level);
/// The name of `instruction_set_level()`.
[[nodiscard]] std::string instruction_set();

/// Whether our own kernels may use it: levels 4, and 3 or 4.
[[nodiscard]] bool has_avx512();
[[nodiscard]] bool has_avx2();

/// Keeps the library's kernels to this level. Must come before the first kernel is prepared.
/// @throws InvalidInput where the library no longer lets itself be told
void cap_instruction_set(int level);

/// "oneDNN 2.6.3".
[[nodiscard]] std::string library_version();

/// Frees what the library keeps of kernels that are gone, in case they come back.
void forget_kernels();

/// Denormals count as zero from now on, for the calling thread and its OpenMP threads: they would make kernels many
/// times slower.
void flush_denormals();

}  // namespace strake::kernels
