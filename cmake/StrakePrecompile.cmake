# A quarter of the time of a build was spent reading the same headers of the standard library and of others again.
# strake_precompile(TARGET [HEADER...]) reads the common ones once for the target, and those that it names.
# A source still includes what it uses: .ci/run builds and checks once without (CMAKE_DISABLE_PRECOMPILE_HEADERS).
set(STRAKE_COMMON_HEADERS
  <algorithm> <array> <cmath> <cstdint> <cstring> <functional> <limits> <map> <memory> <numeric> <optional> <set> <span>
  <string> <string_view> <utility> <variant> <vector>)

function(strake_precompile target)
  target_precompile_headers(${target} PRIVATE ${STRAKE_COMMON_HEADERS} ${ARGN})
endfunction()
