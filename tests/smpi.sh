#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/smpi.sh STRAKE SIMULATED_STRAKE: simulated ranks give the bits of one real rank; from recorded costs, frames on
# every platform take what plans predict, the same each time, and no more than one node.
set -euo pipefail
strake=$1
simulated=$2
root=$(dirname "${BASH_SOURCE[0]}")/..
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "smpi: $*" >&2
  exit 1
}

# Three ranks with real kernels.
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

# simulate NAME OPTION...: a run from recorded costs; what it tells is in NAME.json.
simulate() {
  local name=$1
  shift
  "$root/bench/simulate" --strake "$strake" --simulator "$simulated" --work "$scratch" --model mobilenet_v2 \
    --json "$scratch/$name.json" "$@" >"$scratch/log" 2>&1
}

# number NAME KEY: of the JSON.
number() {
  sed -n "s/^  \"$2\": \([0-9.e+-]*\),\{0,1\}$/\1/p" "$scratch/$1.json"
}

# holds NAME EXPRESSION: with keys of the JSON as variables.
holds() {
  awk -v cluster="$(number "$1" cluster_ms)" -v predicted="$(number "$1" predicted_ms)" \
    -v single="$(number "$2" cluster_ms)" -v alone="$(number "$1" best_single_ms)" \
    "BEGIN { exit !(cluster > 0 && predicted > 0 && single > 0 && alone > 0 && $3) }" ||
    fail "$1: not $3: cluster $(number "$1" cluster_ms), predicted $(number "$1" predicted_ms) ms," \
      "one node $(number "$2" cluster_ms) ms"
}

for file in "$root"/bench/platforms/*.xml; do
  platform=$(basename "$file" .xml)
  for strategy in single auto; do
    simulate "$platform.$strategy" --platform "$platform" --strategy "$strategy" ||
      { cat "$scratch/log" >&2; fail "$platform, $strategy: exit code $?"; }
    # Several messages that leave a port together share it there; predictions let one go after the other. The faster the
    # kernels that were recorded, the more that is of a frame.
    late=1.1 && [ "$strategy" = single ] || late=1.25
    holds "$platform.$strategy" "$platform.single" "cluster < $late * predicted && predicted < 1.1 * cluster"
  done
  holds "$platform.auto" "$platform.single" 'cluster <= single * 1.000001'
done

simulate again --platform mixed8
for name in again mixed8.auto; do
  grep -v '_mb"' "$scratch/$name.json" >"$scratch/$name.figures"
done
cmp "$scratch/again.figures" "$scratch/mixed8.auto.figures"

# Exit codes are passed on, and real ranks have nothing to replay on.
expect_2() {
  local code=0
  "$@" >"$scratch/log" 2>&1 || code=$?
  [ "$code" -eq 2 ] || { cat "$scratch/log" >&2; fail "exit code $code in place of 2: $*"; }
}
expect_2 simulate wrong --platform four_equal --profile "$scratch/mixed8.auto.json"
expect_2 simulate wrong --platform four_equal --strategy unknown
expect_2 simulate wrong --platform nowhere
expect_2 "$strake" bench "$scratch/mobilenet_v2.onnx" --replay "$scratch/mobilenet_v2.profile.json"
grep -q 'needs simulated ranks' "$scratch/log"
