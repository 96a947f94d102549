// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `core/multiversion.hpp` does, for functions on lanes: each is a template of the kind of lane, `name_with<L>`,
/// and `STRAKE_BY_LANE` compiles it for the registers of each instruction set.

#include "core/multiversion.hpp"
#include "kernels/isa.hpp"
#include "kernels/lane.hpp"

// All callees become part of the function, and are compiled for its instruction set with it. In files that are compiled
// with contraction (kernels/CMakeLists.txt) multiplications are fused with additions there.
#if defined(__x86_64__)
#define STRAKE_AVX512 __attribute__((target("avx512f,avx512dq"), flatten))
#define STRAKE_AVX2 __attribute__((target("avx2,fma"), flatten))
#endif

/// Defines `void name parameters`, which calls `name_with<L> arguments` for the widest lanes that the processor has.
// NOLINTBEGIN(bugprone-macro-parentheses): parameters are no expression
#if defined(__x86_64__)
#define STRAKE_BY_LANE(name, parameters, arguments)                                      \
  STRAKE_AVX512 static void name##_avx512 parameters { name##_with<Lane512> arguments; } \
  STRAKE_AVX2 static void name##_avx2 parameters { name##_with<Lane256> arguments; }     \
  static void name##_any parameters { name##_with<Lane128> arguments; }                  \
  void name parameters {                                                                 \
    if (has_avx512()) return name##_avx512 arguments;                                    \
    if (has_avx2()) return name##_avx2 arguments;                                        \
    name##_any arguments;                                                                \
  }
#else
#define STRAKE_BY_LANE(name, parameters, arguments) \
  void name parameters { name##_with<Lane128> arguments; }
#endif
// NOLINTEND(bugprone-macro-parentheses)
