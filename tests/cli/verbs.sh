#!/bin/sh
# Every verb does its job once, alone and on several ranks; JSON keys that others rely on are there.
. "$(dirname "$0")/common.sh" "$1"
net=$scratch/net.onnx
"$strake" zoo squeezenet1_1 -o "$net" --size 64x64 || fail "zoo"

expect 0 'GFLOP a frame' "$strake" info "$net"
expect 0 'whole model' "$strake" profile "$net"
expect 0 'predicted' "$strake" plan "$net" --ranks 3 --link 1gbit,100us
expect 0 'bound: no plan takes less than' "$strake" plan "$net" --ranks 3 --link 1gbit,100us --json "$scratch/plan.json"
grep -q '"gap": [0-9]' "$scratch/plan.json" || fail "plan --json lacks the gap"
expect 0 'held back by: messages' "$strake" plan "$net" --ranks 3 --link 1gbit,100us --strategy equal
expect 0 'verdict: use one node: rank [01] takes' "$strake" plan "$net" --ranks 2 --link 1kbit,100ms
expect 0 'efficiency' "$mpirun" 2 "$strake" bench "$net" --frames 5 --json "$scratch/bench.json"
for key in model ranks_used latency_ms p50 p90 p99 min max mean predicted_ms best_single_ms cluster_ms speedup \
  ideal_speedup efficiency whole_rows_bound_ms communication_bound_ms ranks rank host threads share compute_ms wait_ms \
  sent_bytes received_bytes peak_rss_mb predicted_peak_mb; do
  grep -q "\"$key\":" "$scratch/bench.json" || fail "bench --json lacks '$key'"
done
expect 0 'equal' "$mpirun" 3 "$strake" verify "$net" --strategy equal
expect 0 ' 0 +0 +0 +0 ' "$mpirun" 3 "$strake" verify "$net" --strategy equal --exact
expect 0 'emulated' "$mpirun" 2 "$strake" bench "$net" --frames 3 --emulate-slowdown 1,3

# Several frames in flight.
expect 0 'compared: data-parallel, [0-9]+ in flight' "$strake" plan "$net" --ranks 3 --objective throughput -o "$scratch/cycle.json"
expect 0 'frames/s; cycles' "$mpirun" 2 "$strake" bench "$net" --frames 7 --strategy data-parallel --json "$scratch/cycles.json"
grep -Eq '"frames_in_flight": ([2-9]|1[0-6])$|"frames_in_flight": ([2-9]|1[0-6]),' "$scratch/cycles.json" ||
  fail "data-parallel has one frame in flight"
expect 0 'frame 1 +1000 +0 +0 +0 +0 ' "$mpirun" 3 "$strake" verify "$net" --strategy data-parallel --exact
# On a busy machine one stage may be the best pipeline, and one frame in flight.
expect 0 '(frame 1|output) +1000 +0 +0 +0 +0 ' "$mpirun" 3 "$strake" verify "$net" --strategy pipeline \
  --objective throughput --exact
picture=$(dirname "$0")/../data/small.png
expect 0 'in flight|for [0-9]+ frames' "$strake" plan "$net" --ranks 2 --strategy data-parallel --input "$picture" -o "$scratch/cycle.json"
expect 0 'in flight, on 2 of 2 ranks' "$mpirun" 2 "$strake" run "$net" --input "$picture" \
  --plan "$scratch/cycle.json" --frames 3 --output "$scratch/cycle-out"
expect 2 '--rate: is for --objective throughput' "$strake" plan "$net" --rate 5
expect 2 '--inflight: is for --objective throughput' "$strake" plan "$net" --inflight 5
expect 0 'compared: data-parallel, [12] in flight' "$strake" plan "$net" --ranks 3 --objective throughput --inflight 2

# Where a frame's time goes: the parts are those of the frame.
expect 0 'copies' "$strake" bench "$net" --frames 3 --profile --json "$scratch/profile.json"
for key in kernels_ms copies_ms waits_ms tail_ms other_ms; do
  grep -q "\"$key\":" "$scratch/profile.json" || fail "bench --profile --json lacks '$key'"
done

# Weights and memory. Squeezenet has no fully connected layer, so bfloat16 changes nothing.
expect 0 'equal, bit for bit' "$strake" verify "$net" --weights bf16 --kernels direct
expect 2 'needs [0-9]+ MB .* allowed are 10 MB' "$mpirun" 2 "$strake" bench "$net" --max-memory 10

# Fewer bytes between hosts: rank 1 has the name of another one.
if unshare --uts true 2>/dev/null; then
  # on_two_hosts ARGUMENT...: two ranks of the program.
  cat >"$scratch/on_two_hosts" <<'END'
#!/bin/sh
[ "$OMPI_COMM_WORLD_RANK" = 1 ] && exec unshare --uts sh -c 'echo other >/proc/sys/kernel/hostname; exec "$0" "$@"' "$@"
exec "$@"
END
  chmod +x "$scratch/on_two_hosts"
  sent_bytes() { grep -o '"sent_bytes": [0-9]*' "$1" | awk '{ sum += $2 } END { print sum }'; }
  for type in f32 bf16 fp16 int8; do
    expect 0 'frame' "$mpirun" 2 "$scratch/on_two_hosts" "$strake" run "$net" --strategy equal --frames 2 \
      --input "$(dirname "$0")/../data/small.png" --transfer-dtype $type --json "$scratch/$type.json"
    expect 0 'equal' "$mpirun" 2 "$scratch/on_two_hosts" "$strake" verify "$net" --strategy equal --kernels direct \
      --transfer-dtype $type --json "$scratch/verify-$type.json"
    [ $type = f32 ] && continue
    grep -q "of 2 ranks against one, $type between hosts" "$scratch/stdout" || fail "verify does not tell of $type"
    grep -q 'share this host' "$scratch/stderr" && fail "two hosts are taken for one"
    grep -Eq '"mean_absolute": [0-9.e-]*[1-9]' "$scratch/verify-$type.json" || fail "verify found no error of $type"
  done
  # Of each four bytes that are rounded two are left, or one and a scale of four bytes for each message; the picture and
  # the sums of the classifier travel as they are.
  f32=$(sent_bytes "$scratch/f32.json") bf16=$(sent_bytes "$scratch/bf16.json") int8=$(sent_bytes "$scratch/int8.json")
  rounded=$((2 * (f32 - bf16)))
  scales=$((rounded * 3 / 4 - (f32 - int8)))
  [ "$bf16" = "$(sent_bytes "$scratch/fp16.json")" ] && [ $((2 * rounded)) -gt "$f32" ] && [ $((scales % 4)) = 0 ] &&
    [ "$scales" -gt 0 ] && [ "$scales" -le 400 ] || fail "ranks sent $f32 bytes, bf16 $bf16, int8 $int8"
fi

# The planner minds memory.
expect 0 'memory: [0-9]+ MB' "$strake" plan "$net" --ranks 3 --objective memory --json "$scratch/lean.json"
grep -q '"memory_mb":' "$scratch/lean.json" || fail "plan --json lacks memory_mb"
expect 2 'one plan|makes one' "$strake" plan "$net" --ranks 3 --objective memory --strategy equal
expect 2 'objective' "$strake" plan "$net" --ranks 3 --objective beauty

# A rank that is thirty times slower is left out.
"$mpirun" 2 "$strake" bench "$net" --frames 3 --emulate-slowdown 1,30 --json "$scratch/slow.json" >/dev/null 2>&1
grep -q '"ranks_used": 1' "$scratch/slow.json" || fail "a rank 30 times slower was not left out"

# A frozen rank is noticed.
expect 1 'rank' "$mpirun" 2 sh -c \
  'if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then "$0" "$@" & pid=$!; sleep 4; kill -STOP $pid; wait; else exec "$0" "$@"; fi' \
  "$strake" run "$net" --input "$(dirname "$0")/../data/small.png" --frames 1000000 --strategy equal --timeout 2
pkill -KILL -f "$net" 2>/dev/null

# -q prints nothing, --json still writes.
"$strake" run "$net" -q --input "$(dirname "$0")/../data/small.png" --output "$scratch/out" --json "$scratch/q.json" \
  >"$scratch/quiet" 2>&1
[ -s "$scratch/quiet" ] && fail "run -q printed something"
[ -s "$scratch/q.json" ] && [ -s "$scratch/out/output.npy" ] || fail "run -q wrote no files"
finish
