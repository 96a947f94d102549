#!/bin/sh
# --trace: what is in the file on 1 and 3 ranks, how many frames, and which files it does not overwrite.
. "$(dirname "$0")/common.sh" "$1"
picture=$(dirname "$0")/../data/small.png
check=$build/tests/check-trace
net=$scratch/net.onnx
trace=$scratch/trace.json
report=$scratch/report.json
"$strake" zoo squeezenet1_1 -q -o "$net" --size 64x64 || fail "zoo"

# traced FRAMES: the file that was written last is sound.
traced() {
  "$check" "$trace" "$report" "$1" >"$scratch/complaints" 2>&1 ||
    { fail "$trace"; head -20 "$scratch/complaints" | sed 's/^/    /'; }
  rm -f "$trace" "$report"
}

expect 0 "trace: 4 of 4 frames in '.*trace.json'" \
  "$strake" run "$net" --input "$picture" --frames 4 --trace "$trace" --json "$report"
traced 4
expect 0 'trace: 4 of 4 frames in .* clocks agree' \
  "$mpirun" 3 "$strake" run "$net" --input "$picture" --frames 4 --strategy equal --trace "$trace" --json "$report"
traced 4
# Frames that warm up do not count.
expect 0 'trace: 6 of 6 frames' "$strake" bench "$net" --frames 6 --trace "$trace" --json "$report"
traced 6
expect 0 'trace: 6 of 6 frames in .* clocks agree' \
  "$mpirun" 3 "$strake" bench "$net" --frames 6 --strategy equal --trace "$trace" --json "$report"
traced 6

# Ranks whose clocks are hours apart, where the system lets us have such: no message arrives before it leaves.
cat >"$scratch/apart" <<'END'
#!/bin/sh
rank=$OMPI_COMM_WORLD_RANK
if [ "$rank" = 0 ]; then exec "$@"; else exec unshare --time --fork --monotonic $((rank * 5000)) "$@"; fi
END
chmod +x "$scratch/apart"
if unshare --time --fork --monotonic 5000 true 2>/dev/null; then
  expect 0 'trace: 4 of 4 frames in .* clocks agree' "$mpirun" 3 "$scratch/apart" \
    "$strake" run "$net" --input "$picture" --frames 4 --strategy equal --trace "$trace" --json "$report"
  traced 4
fi

# Of many frames the last are kept; they make some 200,000 events.
"$strake" zoo edges -q -o "$scratch/edges.onnx" --size 32x48 || fail "zoo edges"
expect 0 'trace: [0-9]+ of 5000 frames' \
  "$strake" run "$scratch/edges.onnx" --input "$picture" --threads 1 --frames 5000 --trace "$trace" --json "$report"
kept=$(sed -n 's/^trace: \([0-9]*\) of .*/\1/p' "$scratch/stdout")
[ "${kept:-0}" -gt 1000 ] && [ "$kept" -lt 5000 ] || fail "$kept of 5000 frames are kept"
grep -q "\"frame $((5000 - kept))\"" "$trace" && grep -q '"frame 4999"' "$trace" || fail "not the last frames are kept"
grep -q "\"frame $((4999 - kept))\"" "$trace" && fail "more frames are kept than it said"
[ "$(grep -c '"ph"' "$trace")" -le 200100 ] || fail "too many events"
rm -f "$trace"

# Nothing that is read or written otherwise is overwritten, and nothing is measured for a place that cannot be written.
"$strake" plan "$net" --strategy equal -q -o "$scratch/plan.json" || fail "plan"
cp "$picture" "$scratch/input.png"
for file in "$net" "$scratch/input.png" "$scratch/plan.json" "$report"; do
  [ -e "$file" ] && cp "$file" "$scratch/copy"
  expect 2 'would be overwritten' "$strake" run "$net" --input "$scratch/input.png" --plan "$scratch/plan.json" \
    --json "$report" --trace "$file"
  [ ! -e "$file" ] || cmp -s "$file" "$scratch/copy" || fail "$file was overwritten"
done
expect 2 'would be overwritten' "$mpirun" 3 "$strake" bench "$net" --trace "$net"
expect 2 'would be overwritten' "$strake" bench "$net" --input "$scratch/input.png" --trace "$scratch/input.png"
expect 2 'would be overwritten' "$strake" run "$net" --input "$picture" --draw-strips "$trace" --trace "$trace"
name=$("$strake" run "$net" -q --input "$picture" --output "$scratch/out" && ls "$scratch/out")
expect 2 'would be overwritten' \
  "$strake" run "$net" --input "$picture" --output "$scratch/out" --trace "$scratch/out/$name"
expect 2 "cannot write '.*none/t.json': No such file" "$strake" bench "$net" --trace "$scratch/none/t.json"
grep -q 'frames on' "$scratch/stdout" && fail "bench ran before it found that --trace cannot be written"
expect 2 "cannot write '.*none/t.json': No such file" \
  "$mpirun" 3 "$strake" run "$net" --input "$picture" --strategy equal --trace "$scratch/none/t.json"
expect 2 "cannot write '.*out': Is a directory" "$strake" run "$net" --input "$picture" --trace "$scratch/out"
expect 2 "expected the name of a file, got ''" "$strake" run "$net" --input "$picture" --trace ''
finish
