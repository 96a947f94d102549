# Every header of ours compiles alone: option STRAKE_CHECK_HEADERS builds a source file for each that includes nothing
# else, with what the library of its folder is built with. Included last, when all libraries are known.
option(STRAKE_CHECK_HEADERS "Compile every header alone" OFF)

# strake_check_headers(<folder> <libraries>...): all headers below the folder.
function(strake_check_headers folder)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/${folder}/*.hpp)
  set(sources)
  foreach(header IN LISTS headers)
    string(MAKE_C_IDENTIFIER ${header} name)
    set(source ${PROJECT_BINARY_DIR}/headers/${name}.cpp)
    # Twice: a header without `#pragma once` does not pass.
    file(CONFIGURE OUTPUT ${source} @ONLY
         CONTENT "#include \"@PROJECT_SOURCE_DIR@/@header@\"\n#include \"@PROJECT_SOURCE_DIR@/@header@\"\n")
    list(APPEND sources ${source})
  endforeach()
  string(MAKE_C_IDENTIFIER strake_headers_${folder} target)
  if(sources)
    add_library(${target} OBJECT ${sources})
    target_link_libraries(${target} PRIVATE ${ARGN} strake_flags)
    add_dependencies(strake_headers ${target})
  endif()
endfunction()

if(STRAKE_CHECK_HEADERS)
  add_custom_target(strake_headers)
  # Headers that stay within a library may include what only its sources link.
  foreach(library core onnx io partition kernels comm cluster engine cli)
    get_target_property(source_dir strake_${library} SOURCE_DIR)
    file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${source_dir})
    get_target_property(links strake_${library} LINK_LIBRARIES)
    strake_check_headers(${folder} strake_${library} ${links})
  endforeach()
  if(STRAKE_BUILD_BENCH)
    strake_check_headers(bench strake::io)
  endif()
  if(STRAKE_BUILD_TESTS)
    strake_check_headers(tests strake_cli strake_test_support GTest::gtest ONNX::onnx ONNX::onnx_proto protobuf::libprotobuf)
  endif()
endif()
