#!/bin/bash
# strake serve, submit, status, keys and node as programs: what is refused, the bytes of `strake run`, one of each fault,
# and no process afterwards.
. "$(dirname "$0")/../cli/common.sh" "$1"
picture=$(dirname "$0")/../data/small.png
port=$((20000 + $$ % 20000))
local=127.0.0.1:$port
# With keys, on this host's second address.
keyed=tcp://127.0.0.2:$port
export STRAKE_KEYS=$scratch/keys OMP_NUM_THREADS=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_mpi_yield_when_idle=1
# Everything that this test starts carries it.
export STRAKE_SERVE_TEST=$$
server=''
trap 'kill -KILL $(left) 2>/dev/null; rm -rf "$scratch"' EXIT

left() {
  grep -lz "^STRAKE_SERVE_TEST=$$\$" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | while read -r pid; do
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qE 'strake (serve|worker|node|launch)|mpirun|orted' && echo "$pid"
  done
}
until_true() {
  for _ in $(seq 600); do
    "$@" && return
    sleep 0.05
  done
  fail "in vain: $*"
}
nothing_left() { [ -z "$(left)" ]; }
# state FIELD: of the job: "ready", or the pid of a rank that runs in it.
job() {
  "$strake" status "$local" --json 2>/dev/null | tr -d ' \n' | sed 's/.*"job":{\(.*\)},"latency_ms".*/\1/'
}
is_ready() { job | grep -q '"state":"ready"'; }
rank_pid() { job | grep -o '"pid":[0-9]*' | sed -n "$(($1 + 1))s/.*://p"; }
serve() {
  "$strake" serve "$net" --exact --strategy equal --threads 1 --input "$picture" --local-ranks 2 --local "$local" \
    --listen "$keyed" >>"$scratch/serve.log" 2>&1 &
  server=$!
}

# What is refused.
net=$scratch/net.onnx
"$strake" zoo squeezenet1_1 -q -o "$net" --size 64x64 || fail zoo
expect 2 "has no keys; strake keys init makes them" "$strake" serve "$net" --local "$local" --listen "$keyed"
expect 2 "is not of this host alone" "$strake" serve "$net" --local 0.0.0.0:$port
expect 2 "expected an address such as" "$strake" serve "$net" --local nowhere:x
expect 2 "another host, which needs a key" "$strake" submit tcp://192.0.2.1 "$picture"
expect 2 "another host, which needs a key" "$strake" status 192.0.2.1
expect 2 "a node needs a key" "$strake" node 127.0.0.1
expect 1 "nobody answers" "$strake" status "$local"
expect 1 "nobody answers" "$strake" top "$local"
# Asked to end while nobody answers, submit ends at once.
"$strake" submit "$local" "$picture" >"$scratch/nobody" 2>&1 &
client=$!
sleep 0.5
kill -INT $client
timeout 5 tail --pid=$client -f /dev/null || fail "submit to nobody does not end when asked"
wait $client
[ $? -eq 130 ] || fail "submit that was asked to end: $?"
expect 2 "cannot read" "$strake" serve "$net" --input "$scratch/none.jpg" --local "$local" --http off
expect 2 "there is no model file" "$strake" serve "$scratch/none.onnx" -q --local "$local" --http off
expect 1 "nobody answers" "$strake" submit "$local" "$picture" --timeout 0.3
expect 2 "is started by strake serve" "$strake" worker "$net" --job 1
expect 2 "is called by mpirun" "$strake" launch edge1 orted
expect 2 "is one process; start it without mpirun" "$mpirun" 2 "$strake" serve "$net"
expect 0 "keys of a new cluster" "$strake" keys init
expect 2 "has keys already" "$strake" keys init
for member in 'client camera' 'client thief' 'viewer screen' 'node edge2'; do
  expect 0 "is let in by" "$strake" keys add $member -o "$scratch/${member#* }.key"
done
expect 2 "there is a client 'camera' already" "$strake" keys add node camera -o "$scratch/other.key"
expect 2 "expected|not in" "$strake" keys add root r
expect 2 "lets in nobody of the name 'nobody'" "$strake" keys revoke nobody
expect 0 "camera +client" "$strake" keys list
expect 2 "is a client's, not a node's" "$strake" node "$keyed" --key "$scratch/camera.key"
# A model that ranks refuse ends the supervisor, with their reason.
echo no model >"$scratch/no.onnx"
timeout 60 "$strake" serve "$scratch/no.onnx" --local "$local" >"$scratch/refused" 2>&1
[ $? = 2 ] || fail "serve of no model does not end with exit code 2: $(cat "$scratch/refused")"
until_true nothing_left

# The bytes of `strake run`, to clients with and without keys.
"$strake" run "$net" -q --input "$picture" --exact --output "$scratch/one" || fail "run"
serve
expect 0 '1 frames, 0 failed' "$strake" submit "$local" "$picture" -o "$scratch/out"
cmp "$scratch/one/output.npy" "$scratch/out/small.output.npy" || fail "a served frame has other bytes"
expect 0 '1 frames, 0 failed' "$strake" submit "$keyed" "$picture" --key "$scratch/camera.key"
expect 0 'job 1 is ready' "$strake" status "$keyed" --key "$scratch/screen.key"
expect 0 'frames/s' "$strake" top "$local" --count 2 --interval 0.3
expect 2 'a viewer only looks' "$strake" submit "$keyed" "$picture" --key "$scratch/screen.key"
# Of another cluster, and one that says that it is of this.
STRAKE_KEYS=$scratch/others "$strake" keys init >/dev/null
STRAKE_KEYS=$scratch/others "$strake" keys add client camera -o "$scratch/wrong.key" >/dev/null
awk 'FNR == NR { if ($1 == "server") server = $2; next } { print $1 == "server" ? "server " server : $0 }' \
  "$scratch/camera.key" "$scratch/wrong.key" >"$scratch/forged.key" && chmod 600 "$scratch/forged.key"
expect 2 'it does not know this key' "$strake" submit "$keyed" "$picture" --key "$scratch/forged.key"
expect 1 'nobody answers' "$strake" submit "$keyed" "$picture" --key "$scratch/wrong.key" --timeout 1
expect 0 'is not let in any more' "$strake" keys revoke thief
expect 2 'it does not know this key' "$strake" submit "$keyed" "$picture" --key "$scratch/thief.key"
# A frame that does not fit the model fails alone.
"$strake" run "$net" -q --input "$picture" --output "$scratch/wrong" && expect 1 '1 failed' \
  "$strake" submit "$local" "$scratch/wrong/output.npy" "$picture"
expect 2 '/dev/full.*No space left' "$strake" submit "$local" "$picture" --log /dev/full
expect 2 'is no folder' "$strake" submit "$local" "$picture" --compare "$scratch/nowhere"
# What is no message.
for _ in 1 2 3; do head -c 3000 /dev/urandom >"/dev/tcp/127.0.0.1/$port" 2>/dev/null; done
expect 0 '1 frames, 0 failed' "$strake" submit "$local" "$picture"

# One of each fault while frames flow: none lost, doubled or wrong.
"$strake" submit "$local" "$picture" --repeat 3000 -o "$scratch/many" --json "$scratch/many.json" >"$scratch/submit.log" 2>&1 &
client=$!
fault() {
  until_true is_ready
  "$@"
  sleep 1
}
kill_rank() { kill -KILL "$(rank_pid "$1")"; }
stop_rank() { kill -STOP "$(rank_pid "$1")"; }
kill_supervisor() {
  kill -KILL "$server"
  wait "$server" 2>/dev/null
  until_true nothing_left
  serve
}
kill_client() {
  "$strake" submit "$local" "$picture" --repeat 100000 -q &
  victim=$!
  sleep 0.5
  kill -KILL "$victim"
  wait "$victim" 2>/dev/null
}
fault kill_rank 1
fault kill_rank 0
fault stop_rank 1
fault kill_supervisor
fault kill_client
wait "$client" || fail "submit: $(cat "$scratch/submit.log")"
[ "$(find "$scratch/many" -name '*.npy' | wc -l)" = 3000 ] || fail "not every frame has a result"
for file in "$scratch"/many/*.npy; do
  cmp -s "$scratch/one/output.npy" "$file" || { fail "$file has other bytes" && break; }
done
grep -q 'job lost' "$scratch/serve.log" || fail "no job was lost: faults did nothing"

kill -TERM "$server"
wait "$server"
[ $? = 0 ] || fail "serve does not end with exit code 0"
until_true nothing_left
grep -aE 'ERROR: AddressSanitizer|internal error' "$scratch/serve.log" && fail "see above"
[ "$failures" = 0 ] || cat "$scratch/serve.log"
finish
