# Builds for arm64 on another machine: g++-aarch64-linux-gnu over the Debian packages that STRAKE_SYSROOT holds, tests
# under qemu-user. `scripts/port-check arm64` makes such a folder; preset `arm64` names it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES STRAKE_SYSROOT)
if(NOT IS_DIRECTORY "${STRAKE_SYSROOT}")
  message(FATAL_ERROR "STRAKE_SYSROOT names no folder: '${STRAKE_SYSROOT}' (scripts/port-check arm64 makes one)")
endif()
get_filename_component(CMAKE_SYSROOT "${STRAKE_SYSROOT}" ABSOLUTE)

set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# A processor without SVE, as edge nodes have; -DSTRAKE_QEMU_CPU=max has it.
set(STRAKE_QEMU_CPU cortex-a72 CACHE STRING "Processor that qemu-user imitates")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -cpu ${STRAKE_QEMU_CPU} -L ${CMAKE_SYSROOT})

# Programs are the host's: protoc has to be of the version of the sysroot's libprotobuf.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# Libraries of libraries, which the linker looks for as well.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath-link,${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu:${CMAKE_SYSROOT}/lib/aarch64-linux-gnu")

# The sysroot's mpicxx cannot be asked here.
set(openmpi ${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu/openmpi)
set(MPI_CXX_SKIP_MPICXX ON)
set(MPI_CXX_LIB_NAMES mpi CACHE STRING "")
set(MPI_mpi_LIBRARY ${openmpi}/lib/libmpi.so CACHE FILEPATH "")
set(MPI_CXX_HEADER_DIR ${openmpi}/include CACHE PATH "")
