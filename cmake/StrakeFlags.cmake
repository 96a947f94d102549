# One target carries the flags of every target of ours: language, warnings, floating-point rules, sanitizers.
add_library(strake_flags INTERFACE)
target_compile_features(strake_flags INTERFACE cxx_std_20)
target_compile_options(strake_flags INTERFACE
  -Wall -Wextra $<$<NOT:$<BOOL:${STRAKE_UNITY}>>:-Wshadow> -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  # g++ 12 sees overlaps and overruns in strings that are appended to each other (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
  # a*b+c must give the same bits wherever it stands, vectorised or not: see "exact" in docs/architecture.md
  -ffp-contract=off
  $<$<BOOL:${STRAKE_WERROR}>:-Werror>)
if(STRAKE_SANITIZE)
  target_compile_options(strake_flags INTERFACE -fsanitize=${STRAKE_SANITIZE} -fno-omit-frame-pointer
                                                -fno-sanitize-recover=all)
  target_link_options(strake_flags INTERFACE -fsanitize=${STRAKE_SANITIZE})
endif()
if(STRAKE_FUZZ)
  target_compile_options(strake_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(STRAKE_SANITIZE MATCHES address)
  add_library(strake_sanitizer_rules OBJECT ${CMAKE_CURRENT_LIST_DIR}/sanitizer_rules.cpp)
  target_link_libraries(strake_flags INTERFACE $<TARGET_OBJECTS:strake_sanitizer_rules>)
endif()
# strake_runs_once(TARGET): what runs once per start and not once per frame. Its sources compile in two thirds of the
# time that -O3 takes.
function(strake_runs_once target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

set(CMAKE_CXX_EXTENSIONS OFF)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()
