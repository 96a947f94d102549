#!/bin/sh
# layering.sh ROOT: reads the #include lines of every source and refuses those against docs/architecture.md: a folder
# includes only folders below it, and each library has one home. What is not in the table is forbidden.
cd "$1" || exit 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# folder, folders of ours that it may include, headers in angle brackets beside those of the standard library
posix='unistd.h|sched.h|malloc.h|fcntl.h|sys/[a-z]+.h'
network='arpa/inet.h|netinet/in.h|netdb.h|ifaddrs.h|net/if.h'
json='nlohmann/json.hpp|nlohmann/json_fwd.hpp'
table="
include    strake                                                 -
src/core   core|strake                                            -
src/onnx   core|io|onnx                                           $posix|google/protobuf/.*|onnx/.*
src/io     core|io                                                $posix|stb_[a-z_]+.h
partition  core|partition                                         $json|Eigen/.*
kernels    core|kernels                                           immintrin.h|omp.h|sys/mman.h|unistd.h|oneapi/dnnl/.*|Eigen/.*
comm       core|comm                                              $posix|emmintrin.h|mpi.h|simgrid/s4u.hpp|xbt/config.hpp
cluster    core|cluster                                           $posix|$network|dlfcn.h|zmq.hpp|httplib.h|wire.pb.h|google/protobuf/.*|$json
src/engine core|partition|kernels|comm|cluster|engine             $posix|omp.h|xxhash.h
src/cli    core|onnx|io|partition|comm|cluster|engine|cli         $posix|$network|$json|CLI/.*|spdlog/.*|fmt/.*
src/api    core|onnx|io|partition|comm|cluster|engine|api|strake  -
bench      core|onnx|io|partition|kernels|comm|cluster|engine|cli $posix|$json|CLI/.*|fmt/.*|benchmark/benchmark.h
"

# Tests may include everything, and neither cmake/ nor examples/ holds code of the program.
find . \( -name build -o -path ./tests -o -path ./cmake -o -path ./examples -o -name '.?*' \) -prune -o -name '*.[ch]pp' -print |
  sed 's|^\./||' | sort >"$scratch/sources"
[ -s "$scratch/sources" ] || { echo "no sources below $1"; exit 2; }

cp "$scratch/sources" "$scratch/unknown"
echo "$table" | while read -r folder ours theirs; do
  [ -n "$folder" ] || continue
  grep "^$folder/" "$scratch/sources" | xargs -r grep -HnE '^[[:space:]]*#[[:space:]]*include' |
    grep -vE "include *(\"(($ours)/)[a-z0-9_/]+\.(hpp|h)\"|<[a-z_]+>|<($(echo "$theirs" | sed 's/\.\([^*]\)/\\.\1/g'))>)" |
    # A file beside the includer, where a folder is no library.
    if [ "$folder" = bench ]; then grep -vE 'include "[a-z0-9_]+\.hpp"'; else cat; fi
  grep -v "^$folder/" "$scratch/unknown" >"$scratch/rest"
  mv "$scratch/rest" "$scratch/unknown"
done >"$scratch/bad"
sed 's|$|: a folder that the table of layering.sh does not know|' "$scratch/unknown" >>"$scratch/bad"

n=$(wc -l <"$scratch/bad")
cat "$scratch/bad"
echo "$n lines break the layers of $(wc -l <"$scratch/sources") files"
[ "$n" -eq 0 ]
