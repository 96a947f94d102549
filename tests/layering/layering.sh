#!/bin/sh
# layering.sh ROOT: reads the #include lines of every source and refuses those against the arrows of
# docs/architecture.md: folders may include only what stands below them, and each library has one home.
cd "$1" || exit 2
bad=$(mktemp)
trap 'rm -f "$bad"' EXIT

# refuse WHY PATTERN FOLDER...: no file of these folders may have an include that matches.
refuse() {
  why=$1 pattern=$2
  shift 2
  for folder in "$@"; do
    [ -d "$folder" ] || continue
    find "$folder" -name '*.[ch]pp' | sort | xargs -r grep -HnE "^ *# *include *[<\"]($pattern)" |
      sed "s|\$|    ($why)|" >>"$bad"
  done
}

refuse "core knows the standard library only" \
  '(onnx|io|engine|cli|partition|kernels|comm|cluster|bench)/|mpi\.h|oneapi|dnnl|nlohmann|CLI/|spdlog|fmt/|google|stb_|Eigen' \
  src/core
refuse "partition, kernels, comm and cluster are strangers" '(kernels|comm|cluster|engine|cli|onnx|io|bench)/' partition
refuse "partition, kernels, comm and cluster are strangers" '(partition|comm|cluster|engine|cli|onnx|io|bench)/' kernels
refuse "partition, kernels, comm and cluster are strangers" '(partition|kernels|cluster|engine|cli|onnx|io|bench)/' comm
refuse "partition, kernels, comm and cluster are strangers" '(partition|kernels|comm|engine|cli|io|bench)/' cluster
refuse "files know graphs, nothing else" '(partition|kernels|comm|cluster|engine|cli|bench)/' src/onnx src/io
refuse "the engine does not know who drives it" '(cli|bench|onnx|io)/' src/engine
refuse "oneDNN lives in kernels" 'oneapi/|dnnl' src partition comm cluster bench
refuse "MPI lives in comm" 'mpi\.h|mpi-ext' src partition kernels cluster bench
refuse "protobuf lives in src/onnx" 'google/protobuf|onnx/onnx' src/core src/io src/engine src/cli partition kernels comm bench
refuse "stb lives in src/io" 'stb_' src/core src/onnx src/engine src/cli partition kernels comm cluster
refuse "JSON lives in partition, cli and bench" 'nlohmann/' src/core src/onnx src/io src/engine kernels comm
refuse "CLI11 and spdlog live in cli" 'CLI/|spdlog/' src/core src/onnx src/io src/engine partition kernels comm cluster

n=$(wc -l <"$bad")
cat "$bad"
echo "$n includes break the layers"
[ "$n" -eq 0 ]
