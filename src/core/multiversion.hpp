// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Compiles a hot function once for each instruction set and picks at load time: binaries stay portable.

// The resolvers run before sanitizers are set up, so those builds have one version only. Contraction is off,
// so that all versions give the same bits, except in the files that kernels/CMakeLists.txt names.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define STRAKE_MULTIVERSION __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define STRAKE_MULTIVERSION
#endif
