#!/bin/bash
# One fault of each kind while frames flow, by bench/faults: on emulated hosts where the machine lets them be made, else
# on this host only. Machines that test are busy, and silence has to be long to mean something.
. "$(dirname "$0")/../cli/common.sh" "$1"
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v python3 >/dev/null || { echo "left out: no python3"; exit 77; }
hosts=0
"$root/scripts/edge-lab" check >/dev/null 2>&1 && hosts=4
"$root/bench/faults/run" --build "$build" --each 1 --beat-timeout 3000 --hosts $hosts --fps 10 || fail "see above"
finish
