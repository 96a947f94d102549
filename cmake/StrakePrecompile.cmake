# A quarter of the time of a build was spent reading the same headers of the standard library and of others again.
# strake_precompile(TARGET [HEADER...]) reads the common ones once for the target, and those that it names.
# A source still includes what it uses: .ci/run builds and checks once without (CMAKE_DISABLE_PRECOMPILE_HEADERS).
set(STRAKE_COMMON_HEADERS
  <algorithm> <array> <cmath> <cstdint> <cstring> <functional> <limits> <map> <memory> <numeric> <optional> <set> <span>
  <string> <string_view> <utility> <variant> <vector>)

function(strake_precompile target)
  target_precompile_headers(${target} PRIVATE ${STRAKE_COMMON_HEADERS} ${ARGN})
endfunction()

# Templates of one kind are instantiated in most sources of a folder. With STRAKE_UNITY these are compiled as one, and a
# whole build takes half as long, a change of one file longer.
# -Wshadow would tell of names in other sources then; the build with clang has it.
# strake_unity(TARGET [PREFIX...]): the sources that begin with each prefix, and all others together. Names in unnamed
# namespaces have to differ within a group.
option(STRAKE_UNITY "Compile the sources of a library together" OFF)

function(strake_unity target)
  if(NOT STRAKE_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    set(group main)
    foreach(prefix IN LISTS ARGN)
      if(source MATCHES "^${prefix}")
        string(MAKE_C_IDENTIFIER ${prefix} group)
      endif()
    endforeach()
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
  endforeach()
endfunction()
