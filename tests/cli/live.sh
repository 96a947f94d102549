#!/bin/sh
# --live over MPI: a slowdown in the middle of a run changes the plan, the end of it changes the plan again, and the
# bits are those of one rank. How fast that goes is for a quiet machine (docs/live-balance.md).
. "$(dirname "$0")/common.sh" "$1"
picture=$(dirname "$0")/../data/small.png
net=$scratch/net.onnx
"$strake" zoo squeezenet1_1 -q -o "$net" --size 160x160 || fail "zoo"
"$strake" run "$net" -q --exact --input "$picture" -o "$scratch/one" || fail "one rank"
output=$(ls "$scratch/one")

# of EVENT: how many there were.
of() {
  grep -c "\"event\": \"$1\"" "$scratch/report.json"
}

for ranks in 2 3; do
  expect 0 'live balance, frame [0-9]+: switched' "$mpirun" $ranks "$strake" run "$net" --exact --input "$picture" \
    --frames 3000 --live -v --emulate-slowdown 1,20@100:350 --json "$scratch/report.json" -o "$scratch/live"
  cmp -s "$scratch/one/$output" "$scratch/live/$output" || fail "$ranks ranks: not the bits of one rank"
  [ "$(of switched)" -ge 2 ] || fail "$ranks ranks: $(of switched) switches for a slowdown and its end"
  ends=$(sed -n '/"frame_end_ms"/,/\]/p' "$scratch/report.json" | grep -c '^ *[0-9]')
  [ "$ends" = 3000 ] || fail "$ranks ranks: $ends frames instead of 3000"
  rm -rf "$scratch/live" "$scratch/report.json"
done

# A link that becomes slow between hosts; left out where hosts cannot be emulated.
edge_lab=$(dirname "$0")/../../scripts/edge-lab
export STRAKE_EDGE_LAB=live$$
if "$edge_lab" check >/dev/null 2>&1; then
  trap '"$edge_lab" down; rm -rf "$scratch"' EXIT
  "$edge_lab" up --hosts 2 --rate 1gbit >/dev/null || fail "up"
  set -- "$edge_lab" run -- "$strake" run "$net" --exact --input "$picture" --live -v --threads 1
  "$@" --frames 1 >/dev/null 2>&1 || fail "the first run, which measures"
  "$@" --frames 1500 --json "$scratch/report.json" -o "$scratch/live" >"$scratch/log" 2>&1 &
  for _ in $(seq 600); do
    grep -q 'predicted' "$scratch/log" && break
    sleep 0.1
  done
  sleep 1
  for place in "$STRAKE_EDGE_LAB-edge2 eth0" "$STRAKE_EDGE_LAB-switch edge2"; do
    tc -n "strake-${place% *}" qdisc replace dev "${place#* }" root handle 1: tbf rate 1mbit burst 12500 limit 1000000
  done
  wait $! || fail "the run with a slow link: $(tail -5 "$scratch/log")"
  cmp -s "$scratch/one/$output" "$scratch/live/$output" || fail "a slow link: not the bits of one rank"
  if grep -q 'links: a message between ranks 0 and 1 takes' "$scratch/log"; then
    [ "$(of switched)" -ge 1 ] || fail "a slow link changed no plan"
  elif grep -q 'on 1 of 2 ranks' "$scratch/log"; then
    echo "left out: a link that becomes slow (the best plan here left the other host out before)"
  else
    fail "nobody noticed the slow link"
  fi
  "$edge_lab" down
else
  echo "left out: a link that becomes slow (no emulated hosts here)"
fi

# The trace begins with the last plan and is sound.
expect 0 'trace: [0-9]+ of 300 frames' "$mpirun" 2 "$strake" run "$net" --input "$picture" --frames 300 --live \
  --emulate-slowdown 1,20@50 --trace "$scratch/trace.json" --json "$scratch/report.json"
kept=$(sed -n 's/^trace: \([0-9]*\) of .*/\1/p' "$scratch/stdout")
"$build/tests/check-trace" "$scratch/trace.json" "$scratch/report.json" "$kept" >"$scratch/complaints" 2>&1 ||
  { fail "the trace"; head -20 "$scratch/complaints" | sed 's/^/    /'; }
finish
