// SPDX-License-Identifier: Apache-2.0
#include "kernels/isa.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>

#include "core/errors.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace strake::kernels {

namespace {

constexpr std::array<std::string_view, 5> level_names = {"baseline", "SSE4.1", "AVX", "AVX2", "AVX-512"};

// What the processor has. The library's own query would forbid every later cap.
int hardware_level() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return 4;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 3;
  if (__builtin_cpu_supports("avx")) return 2;
  if (__builtin_cpu_supports("sse4.1")) return 1;
#endif
  return 0;
}

#if defined(__x86_64__)
// Each set's bits contain those of the lower ones. What AVX-512 has beyond its core changes no f32 kernel.
int level_of(dnnl::cpu_isa isa) {
  const auto has = [isa](dnnl::cpu_isa of) {
    return (static_cast<unsigned>(isa) & static_cast<unsigned>(of)) == static_cast<unsigned>(of);
  };
  if (has(dnnl::cpu_isa::avx512_core)) return 4;
  if (has(dnnl::cpu_isa::avx2)) return 3;
  if (has(dnnl::cpu_isa::avx)) return 2;
  return has(dnnl::cpu_isa::sse41) ? 1 : 0;
}
#endif

// ONEDNN_MAX_CPU_ISA, or DNNL_MAX_CPU_ISA as it was called before.
int allowed_level() {
  const char* text = std::getenv("ONEDNN_MAX_CPU_ISA");
  if (text == nullptr) text = std::getenv("DNNL_MAX_CPU_ISA");
  if (text == nullptr) return 4;
  const std::string_view isa = text;
  if (isa.starts_with("AVX512") || isa == "ALL" || isa == "DEFAULT") return 4;
  if (isa.starts_with("AVX2")) return 3;
  if (isa == "AVX") return 2;
  return isa == "SSE41" ? 1 : 4;
}

void flush_denormals_of_this_thread() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040U);  // flush to zero, denormals are zero
#elif defined(__aarch64__)
  std::uint64_t control = 0;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" : : "r"(control | (std::uint64_t{1} << 24)));
#endif
}

}  // namespace

int instruction_set_level() { return std::min(hardware_level(), allowed_level()); }

bool has_avx512() {
  static const bool has = instruction_set_level() >= 4;
  return has;
}

bool has_avx2() {
  static const bool has = instruction_set_level() >= 3;
  return has;
}

std::string instruction_set_name(int level) { return std::string(level_names.at(static_cast<std::size_t>(level))); }

std::string instruction_set() { return instruction_set_name(instruction_set_level()); }

void cap_instruction_set(int level) {
#if defined(__x86_64__)
  constexpr std::array<dnnl::cpu_isa, 5> isas = {dnnl::cpu_isa::sse41, dnnl::cpu_isa::sse41, dnnl::cpu_isa::avx,
                                                 dnnl::cpu_isa::avx2, dnnl::cpu_isa::avx512_core};
  // Ranks that are threads of one process all come here, and the library can be capped only once.
  static std::mutex mutex;
  static int current = -1;  // guarded by mutex
  const std::scoped_lock lock(mutex);
  if (current == level) return;
  const dnnl::cpu_isa isa = isas.at(static_cast<std::size_t>(level));
  // Once the library has begun it cannot be told any more, but it may be at that level already: by nature, or because
  // another rank of a simulation told it.
  if (dnnl::set_max_cpu_isa(isa) != dnnl::status::success && level_of(dnnl::get_effective_cpu_isa()) != level)
    throw InvalidInput("the kernel library cannot be capped to " + instruction_set_name(level) +
                       " any more, without which --exact cannot promise equal bits");
  current = level;
#else
  (void)level;
#endif
}

std::string library_version() {
  const dnnl_version_t* version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

void forget_kernels() {
  int capacity = 0;
  if (dnnl_get_primitive_cache_capacity(&capacity) != dnnl_success) return;
  (void)dnnl_set_primitive_cache_capacity(0);
  (void)dnnl_set_primitive_cache_capacity(capacity);
}

void flush_denormals() {
  // GNU's OpenMP lets each thread keep what it set; LLVM's gives all of them what the calling thread has set.
  flush_denormals_of_this_thread();
#pragma omp parallel
  flush_denormals_of_this_thread();
}

}  // namespace strake::kernels
