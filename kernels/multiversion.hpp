// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `core/multiversion.hpp` does, and the same for files that are compiled with contraction.

#include "core/multiversion.hpp"

// Fused multiply-adds are worth more than equal bits there.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define STRAKE_MULTIVERSION_FMA __attribute__((target_clones("avx512f", "fma", "default")))
#else
#define STRAKE_MULTIVERSION_FMA
#endif
