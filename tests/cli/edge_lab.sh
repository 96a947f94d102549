#!/bin/sh
# scripts/edge-lab: wrong arguments are refused; ranks on emulated hosts compute what one rank computes, their messages
# pass the emulated links, and nothing is left afterwards. Left out where the machine does not let hosts be made.
. "$(dirname "$0")/common.sh" "$1"
edge_lab=$(dirname "$0")/../../scripts/edge-lab
picture=$(dirname "$0")/../data/small.png
error_prefix='edge-lab:'
export STRAKE_EDGE_LAB=test$$
spaces=strake-$STRAKE_EDGE_LAB

# Wrong arguments; no root is needed for this.
expect 2 "expected up, status, run, ssh, down or check, got 'on'" "$edge_lab" on
expect 2 "up: expected --hosts, .* got '4'" "$edge_lab" up 4
for value in 0 -1 251 2.5 x ''; do
  expect 2 "--hosts: expected a whole number from 1 to 250, got '$value'" "$edge_lab" up --hosts "$value"
done
expect 2 '--hosts: expected a value, got none' "$edge_lab" up --hosts
for value in 0gbit 1 -1mbit 1Gbit 1gbps ''; do
  expect 2 "--rate: expected a rate such as 1gbit or 62.5mbit, got '$value'" "$edge_lab" up --rate "$value"
done
expect 2 "--rate: .* got '' in '1gbit,'" "$edge_lab" up --rate 1gbit,
expect 2 "--rate: expected 1 to 2 values, at most one a host, got 3" "$edge_lab" up --rate 1gbit,2gbit,3gbit
for value in 0 nan -1 1e3; do
  expect 2 "--cpu: expected a number of cores .* got '$value'" "$edge_lab" up --cpu 0.5,"$value"
done
expect 2 "--cpu: expected numbers from 0.01 to the [0-9]+ cores of this machine, got '99999'" "$edge_lab" up --cpu 99999
expect 2 "--latency: expected a time such as 500us or 2ms, or - for none, got '1'" "$edge_lab" up --latency 1
expect 2 "run: expected --hosts, or -- and a command, got 'strake'" "$edge_lab" run strake
expect 2 'run: expected -- and a command, got nothing' "$edge_lab" run --
expect 2 "status: expected no arguments, got 'all'" "$edge_lab" status all
expect 2 "STRAKE_EDGE_LAB: expected .* got 'a/b'" env STRAKE_EDGE_LAB=a/b "$edge_lab" down
expect 1 'is not up|needs root' "$edge_lab" run -- true
expect 1 'is not up|needs root' "$edge_lab" status

if ! "$edge_lab" check >"$scratch/means" 2>&1; then
  [ "$failures" = 0 ] || finish
  echo "left out: $(cat "$scratch/means")"
  exit 77
fi
trap '"$edge_lab" down; rm -rf "$scratch"' EXIT

# Everything that carries the lab's name; processes carry it in their environment.
left() {
  ip netns list | grep "^$spaces-"
  find /sys/fs/cgroup -type d -name "$spaces" 2>/dev/null
  find /run/strake-edge-lab -maxdepth 1 -name "$STRAKE_EDGE_LAB" 2>/dev/null
  grep -lz "^STRAKE_EDGE_LAB=$STRAKE_EDGE_LAB\$" /proc/[0-9]*/environ 2>/dev/null
}
expect_nothing_left() {
  found=$(left)
  [ -z "$found" ] || fail "$1 leaves: $found"
}
expect_down_to_remove_all() {
  "$edge_lab" down || fail "down, after $1"
  expect_nothing_left "down, after $1,"
}
bytes_sent() {
  ip -n "$spaces-$1" -s link show dev eth0 | awk '/TX:/ { getline; print $1 }'
}
# until COMMAND...: within ten seconds.
until_true() {
  for _ in $(seq 200); do
    "$@" && return
    sleep 0.05
  done
  fail "in vain: $*"
}
has_hosts() { ip netns list 2>/dev/null | grep -q "^$spaces-edge1"; }
works_on() { [ -n "$(ip netns pids "$spaces-$1")" ]; }

# Three hosts, and the bytes of one rank on them.
cpu=''
grep -q 'cgroup v' "$scratch/means" && cpu=0.5,0.25,0.2
expect 0 '^edge3 +10.77.0.3 +100mbit' "$edge_lab" up --hosts 3 --rate 200mbit,100mbit ${cpu:+--cpu $cpu}
expect 0 '^edge3 +10.77.0.3 +100mbit' "$edge_lab" up --hosts 3 --rate 200mbit,100mbit ${cpu:+--cpu $cpu}
net=$scratch/net.onnx
"$strake" zoo squeezenet1_1 -q -o "$net" --size 64x64 || fail "zoo"
"$strake" run "$net" -q --input "$picture" --exact --output "$scratch/one" || fail "one rank"
expect 0 '20 frames on 3 of 3 ranks' "$edge_lab" run -- "$strake" run "$net" --input "$picture" --exact \
  --strategy equal --threads 1 --frames 20 --output "$scratch/three" --json "$scratch/three.json"
cmp "$scratch/one/output.npy" "$scratch/three/output.npy" || fail "three hosts compute other bytes than one"
[ "$(grep -o '"host": "[^"]*"' "$scratch/three.json" | tr -d '\n')" = '"host": "edge1""host": "edge2""host": "edge3"' ] ||
  fail "ranks are on other hosts: $(grep '"host"' "$scratch/three.json")"
# What ranks count as sent in a frame has passed their interfaces twenty times, and the queues on them.
rank=0
for sent in $(grep -o '"sent_bytes": [0-9]*' "$scratch/three.json" | cut -d' ' -f2); do
  rank=$((rank + 1))
  passed=$(bytes_sent "edge$rank")
  queued=$(tc -n "$spaces-edge$rank" -s qdisc show dev eth0 | awk '/tbf/ { getline; sent = $2 } END { print sent + 0 }')
  { [ "$sent" -gt 0 ] && [ "$passed" -ge $((20 * sent)) ] && [ "$queued" -ge $((20 * sent)) ]; } ||
    fail "edge$rank sent 20 times $sent bytes, but $passed passed its interface and $queued its queue"
done
[ "$rank" = 3 ] || fail "$rank ranks instead of 3 in three.json"
tc -n "$spaces-edge1" qdisc show dev eth0 | grep -q 'tbf .* rate 200Mbit ' || fail "edge1 has no link of 200 Mbit/s"
tc -n "$spaces-switch" qdisc show dev edge3 | grep -q 'tbf .* rate 100Mbit ' || fail "edge3 has no link of 100 Mbit/s"

expect 0 "^/run/strake-edge-lab/$STRAKE_EDGE_LAB/edge3/" "$edge_lab" run -- printenv XDG_CACHE_HOME TMPDIR

# Hosts cannot see each other's processes, whose memory Strake would share.
expect 0 'pid:' "$edge_lab" run -- readlink /proc/self/ns/pid
[ "$(sort -u "$scratch/stdout" | grep -c 'pid:')" = 3 ] || fail "hosts share process numbers: $(cat "$scratch/stdout")"

# A part of the hosts, exit codes, and what a host knows of itself.
expect 0 '^edge2$' "$edge_lab" run --hosts 2 -- cat /proc/sys/kernel/hostname
grep -q edge3 "$scratch/stdout" && fail "run --hosts 2 uses edge3"
expect 2 "--hosts: expected a whole number from 1 to 3, got '4'" "$edge_lab" run --hosts 4 -- true
expect 2 "ssh: expected one of edge1 edge2 edge3 as the host, got 'edge4'" "$edge_lab" ssh edge4 true
"$edge_lab" ssh edge1 'exit 7'
[ $? = 7 ] || fail "ssh has another exit code than its command"
if [ -n "$cpu" ]; then
  expect 0 "/$spaces/edge2\$" "$edge_lab" ssh edge2 cat /proc/self/cgroup
  # 0.25 of 4 ms are 1 ms, the least that kernels allow, so that 0.2 has periods of 5 ms.
  for quota in 'edge1 2000 4000' 'edge2 1000 4000' 'edge3 1000 5000'; do
    host=${quota%% *}
    group=$(find /sys/fs/cgroup -type d -path "*/$spaces/$host")
    if [ -e "$group/cpu.max" ]; then found=$(cat "$group/cpu.max")
    else found="$(cat "$group/cpu.cfs_quota_us") $(cat "$group/cpu.cfs_period_us")"; fi
    [ "$host $found" = "$quota" ] || fail "quota and period of $host are $found instead of ${quota#* }"
  done
  # Three hosts count as three processes: a process has a weight of 1024 (v1) or 100 (v2).
  group=$(dirname "$group")
  weight=$(cat "$group/cpu.weight" "$group/cpu.shares" 2>/dev/null)
  case $weight in 300 | 3072) ;; *) fail "the lab has a weight of $weight" ;; esac
fi

# Hosts in use stay, until they are taken down, which ends what runs there.
"$edge_lab" ssh edge2 'sleep 1000' &
until_true works_on edge2
expect 1 'in use' "$edge_lab" up
expect_down_to_remove_all 'work'
wait $!
expect_down_to_remove_all 'down'

# Hosts share the cores by the time that they have: on two cores 0.7 gets one, the others together have 0.9.
two=$(taskset --cpu-list --pid $$ | sed 's/.*: //' | tr ',' '\n' |
  awk -F- '{ for (core = $1; core <= $NF; core++) print core }' | head -2 | tr '\n' ' ')
if [ -n "$cpu" ] && [ "$(echo "$two" | wc -w)" = 2 ]; then
  expect 0 'edge4' taskset --cpu-list "$(echo $two | tr ' ' ',')" "$edge_lab" up --hosts 4 --cpu 0.7,0.4,0.25
  set -- $two
  [ "$(awk '/^edge/ { printf "%s ", $6 }' "$scratch/stdout")" = "$1 $2 $2 $2 " ] ||
    fail "hosts are on other cores than $1 $2 $2 $2: $(cat "$scratch/stdout")"
  expect 0 '^1$' "$edge_lab" ssh edge2 nproc
  expect_down_to_remove_all 'up'
fi

# An `up` that is interrupted, and one that is killed.
"$edge_lab" up --hosts 40 >/dev/null 2>&1 &
until_true has_hosts
kill -TERM $!
wait $!
[ $? = 143 ] || fail "an interrupted up has another exit code than 143"
expect_nothing_left 'an interrupted up'
"$edge_lab" up --hosts 40 >/dev/null 2>&1 &
until_true has_hosts
kill -KILL $!
wait $! 2>/dev/null
expect_down_to_remove_all 'an up that was killed'

# Without root.
if setpriv --reuid=65534 --regid=65534 --clear-groups test -r "$edge_lab" 2>/dev/null; then
  for verb in up down check status; do
    expect 1 'needs root' setpriv --reuid=65534 --regid=65534 --clear-groups "$edge_lab" "$verb"
  done
fi

# Delay, where the kernel can.
if grep -q -- '--latency: yes' "$scratch/means"; then
  expect 0 '5ms' "$edge_lab" up --latency -,5ms
  tc -n "$spaces-edge2" qdisc show dev eth0 | grep -q 'netem .*delay 5ms' || fail "edge2 delays nothing"
  expect_down_to_remove_all 'up --latency'
else
  expect 1 'netem' "$edge_lab" up --latency 1ms
fi
expect_nothing_left 'the end'
finish
