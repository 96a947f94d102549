#!/bin/sh
# Options that make no sense are refused before anything is measured; files that are no files are written as they are;
# `run` and `bench` write the same keys.
. "$(dirname "$0")/common.sh" "$1"
picture=$(dirname "$0")/../data/small.png
net=$scratch/edges.onnx
"$strake" zoo edges -q -o "$net" --size 32x48 || fail "zoo edges"

# Numbers. Each message says what was expected and what came.
for value in nan inf 0 1/0 a; do
  expect 2 "--scale.* got '$value'" "$strake" run "$net" --input "$picture" --scale $value
done
for value in nan -1 0 a 1,,2; do
  expect 2 "--std: expected a number above 0, .* got '$value'" "$strake" run "$net" --input "$picture" --std $value
done
expect 2 "--mean: expected a number, .* got 'nan'" "$strake" run "$net" --input "$picture" --mean nan
expect 2 "--mean: expected a number, .* got 'a'" "$strake" run "$net" --input "$picture" --mean a
expect 2 'range of float32' "$strake" run "$net" --input "$picture" --std 1e-300
for value in nan 0 -1; do
  expect 2 "--timeout: expected a number from 0.001 to 1000000, got '$value'" "$strake" run "$net" --timeout $value
  [ $value = 0 ] && continue
  expect 2 "--absolute: expected a number of 0 or more, got '$value'" "$strake" verify "$net" --absolute $value
  expect 2 "--relative: expected a number of 0 or more, got '$value'" "$strake" verify "$net" --relative $value
done
for value in -1 18446744073709551616 x; do
  expect 2 "--seed: expected a whole number from 0 .* got '$value'" "$strake" zoo edges -o "$scratch/z" --seed $value
done
for value in '' 5x5x5 5 0x5 nanx5; do
  expect 2 "--size: expected HxW in whole pixels .* got '$value'" "$strake" zoo edges -o "$scratch/z" --size "$value"
done
expect 2 "'image' was given twice" "$strake" info "$net" --shape 1,1,32,48 --shape image=1,1,32,48
expect 2 'at most 1, got 2' "$strake" run "$net" --input "$picture" --emulate-slowdown 1,3
expect 0 'predicted' "$strake" plan "$net" --ranks 2 --emulate-slowdown 1,3

for value in 1,0.5@3 1,2@x 1,2@5:5 1,2@5:3 1,2@-1 1,@3 2@3:4:5; do
  expect 2 '--emulate-slowdown: expected .*, got' "$mpirun" 2 "$strake" run "$net" --input "$picture" \
    --emulate-slowdown "$value"
done
expect 2 'for verbs that run frames' "$strake" plan "$net" --ranks 2 --emulate-slowdown 1,3@5

expect 2 '--live: .*--plan' "$strake" run "$net" --input "$picture" --live --plan "$scratch/none.json"
expect 2 '--live: .*--max-memory' "$strake" bench "$net" --live --max-memory 500
expect 2 '--live: .*strategy equal makes one' "$strake" bench "$net" --live --strategy equal
expect 2 '--live: .*--objective latency' "$strake" bench "$net" --live --objective throughput
expect 0 'frames on' "$strake" bench "$net" --live --frames 3 --json "$scratch/live.json"
grep -q '"events": \[\]' "$scratch/live.json" || fail "--live writes no events"

expect 2 '--kernels: winograd has other bits than --exact' "$strake" run "$net" --input "$picture" --exact --kernels winograd
for option in '--scale 1/255' '--mean 3' '--std 2' '--channels bgr' '--resize letterbox'; do
  expect 2 'no --input is a picture' "$strake" bench "$net" $option
done

expect 2 '--format requires --output' "$strake" run "$net" --input "$picture" --format pb

# Plans.
"$strake" plan "$net" --ranks 2 --strategy equal -o "$scratch/floats.json" >"$scratch/log" 2>&1 || fail "plan -o"
expect 2 'with numbers, no picture, as --input, but this --input is a picture' \
  "$mpirun" 2 "$strake" run "$net" --input "$picture" --plan "$scratch/floats.json"
expect 2 '--strategy: .*--plan' "$strake" run "$net" --input "$picture" --plan "$scratch/floats.json" --strategy equal
expect 2 '--axis: .*--plan' "$strake" verify "$net" --plan "$scratch/floats.json" --axis w

# Tensors that travel in fewer bytes.
expect 2 '--transfer-dtype: bf16 rounds what travels, .* --exact' \
  "$strake" run "$net" --input "$picture" --exact --transfer-dtype bf16
expect 2 '--transfer-dtype: f16 not in' "$strake" bench "$net" --transfer-dtype f16
expect 2 '--transfer-dtype: .*--plan' \
  "$strake" verify "$net" --plan "$scratch/floats.json" --transfer-dtype int8
expect 0 'f32 tensors travel between hosts as bf16' \
  "$strake" plan "$net" --ranks 2 --strategy equal --transfer-dtype bf16 -o "$scratch/bf16.json"
grep -q '"transfer_dtype": "bf16"' "$scratch/bf16.json" || fail "plan -o does not say as what tensors travel"
expect 2 'travel as bf16, which rounds them; --exact needs f32' \
  "$mpirun" 2 "$strake" verify "$net" --exact --plan "$scratch/bf16.json"
expect 0 'all ranks share this host: nothing travels as bf16' "$mpirun" 2 \
  "$strake" verify "$net" --kernels direct --plan "$scratch/bf16.json" --json "$scratch/with-bf16.json"
expect 0 'equal' "$mpirun" 2 \
  "$strake" verify "$net" --kernels direct --plan "$scratch/floats.json" --json "$scratch/with-f32.json"
cmp -s "$scratch/with-bf16.json" "$scratch/with-f32.json" || fail "cells were rounded between ranks of one host"

# Unsupported operators: one line that names all. A file of protobuf's wire format, written by hand: two nodes of types X and Y.
printf '\10\10\72\34\12\14\12\1i\22\1t\32\1a\42\1X\12\14\12\1t\22\1o\32\1b\42\1Y\102\2\20\15' >"$scratch/odd.onnx"
expect 2 "2 operators are not supported: node 'a' \(X\), node 'b' \(Y\)" "$strake" run "$scratch/odd.onnx"
[ "$(wc -l <"$scratch/stderr")" = 1 ] || fail "unsupported operators take more than one line"
expect 2 "2 operators are not supported: node 'a' \(X\), node 'b' \(Y\)" "$strake" info "$scratch/odd.onnx"

# Outputs are asked for their place before anything is measured.
mkdir "$scratch/taken"
expect 2 "cannot write '.*none/x.json': No such file" "$strake" bench "$net" --json "$scratch/none/x.json"
grep -q 'frames on' "$scratch/stdout" && fail "bench ran before it found that --json cannot be written"
expect 2 "cannot write '.*taken': Is a directory" "$strake" plan "$net" -o "$scratch/taken"
expect 2 "cannot write '.*none/z': No such file" "$strake" zoo edges -o "$scratch/none/z"

# Links, pipes and descriptors stay what they are.
ln -s target.json "$scratch/link.json"
expect 0 '' "$strake" info "$net" --json "$scratch/link.json"
[ -L "$scratch/link.json" ] && [ -s "$scratch/target.json" ] || fail "--json replaced a link"
mkfifo "$scratch/pipe"
cat "$scratch/pipe" >"$scratch/through" &
"$strake" zoo edges -o "$scratch/pipe" --size 32x48 || fail "zoo into a pipe"
wait $!
[ -p "$scratch/pipe" ] && cmp -s "$scratch/through" "$net" || fail "zoo -o replaced a pipe"
"$strake" info "$net" -q --json /proc/self/fd/1 | grep -q operators || fail "--json to a descriptor wrote nothing"

# A full device. A node of our own: a defect must not replace the machine's.
if mknod "$scratch/full" c 1 7 2>/dev/null && (exec 3>"$scratch/full") 2>/dev/null; then
  expect 2 "cannot write '.*full': No space left on device" "$strake" zoo edges -o "$scratch/full"
  [ -c "$scratch/full" ] || fail "zoo -o replaced a device"
  for arguments in "info $net" '--help' '--version'; do
    "$strake" $arguments >"$scratch/full" 2>"$scratch/stderr"
    [ $? = 1 ] && grep -q 'stdout: No space left on device' "$scratch/stderr" || fail "'$arguments' with a full stdout"
  done
fi

# Bytes of others that are no text.
expect 2 'no-\\xffsuch' "$strake" run "$scratch/$(printf 'no-\377such')"

# The same keys from run and bench; what was not measured is null.
keys() { grep -o '"[a-z0-9_]*":' "$1" | sort -u; }
expect 0 'frame' "$mpirun" 2 "$strake" run "$net" --input "$picture" --strategy equal --json "$scratch/run.json"
expect 0 'efficiency' "$mpirun" 2 "$strake" bench "$net" --input "$picture" --frames 2 --json "$scratch/bench.json"
[ "$(keys "$scratch/run.json")" = "$(keys "$scratch/bench.json")" ] || fail "run and bench write other keys"
for key in predicted_ms best_single_ms speedup ideal_speedup efficiency; do
  grep -q "\"$key\": null" "$scratch/run.json" || fail "run --json: '$key' is not null"
done
grep -Eq '"(sent|received)_bytes": [0-9]+\.' "$scratch/run.json" "$scratch/bench.json" && fail "byte counts have fractions"
expect 0 'whole model' "$strake" profile "$net" --input "$picture"

# What verify says of equal bits.
expect 0 'equal, bit for bit' "$mpirun" 2 "$strake" verify "$net" --exact --strategy equal
finish
