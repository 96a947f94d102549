#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/smpi.sh STRAKE SIMULATED_STRAKE: three simulated ranks of SimGrid's SMPI give the bits of one real rank.
set -euo pipefail
strake=$1
simulated=$2
root=$(dirname "${BASH_SOURCE[0]}")/..
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

printf 'node%d\n' 0 1 2 3 >"$scratch/hosts"
"$strake" zoo edges --size 135x240 -o "$scratch/edges.onnx"
frame=(run "$scratch/edges.onnx" --input "image=$root/docs/harbour.png" --exact --threads 1)
"$strake" "${frame[@]}" --output "$scratch/one"
smpirun -np 3 -platform "$root/bench/platforms/four_equal.xml" -hostfile "$scratch/hosts" \
  "$simulated" "${frame[@]}" --strategy equal --output "$scratch/three" >"$scratch/log" 2>&1 ||
  { cat "$scratch/log" >&2; exit 1; }
grep -q 'on 3 of 3 ranks' "$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
for output in "$scratch"/one/*.npy; do
  cmp "$output" "$scratch/three/$(basename "$output")"
done
