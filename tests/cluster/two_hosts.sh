#!/bin/bash
# The five commands of docs/cluster.md, as they stand there, on two emulated hosts: from nothing to a distributed result.
. "$(dirname "$0")/../cli/common.sh" "$1"
edge_lab=$(cd "$(dirname "$0")/../../scripts" && pwd)/edge-lab
docs=$(cd "$(dirname "$0")/../../docs" && pwd)/cluster.md
picture=$(cd "$(dirname "$0")/../data" && pwd)/small.png
export STRAKE_EDGE_LAB=hosts$$ OMPI_MCA_mpi_yield_when_idle=1 OMP_NUM_THREADS=1
if ! "$edge_lab" check >"$scratch/means" 2>&1; then
  echo "left out: $(cat "$scratch/means")"
  exit 77
fi
trap '"$edge_lab" down; rm -rf "$scratch"' EXIT
"$edge_lab" up --hosts 2 --rate 1gbit >/dev/null || fail up

cd "$scratch" || exit 1
"$strake" zoo squeezenet1_1 -q -o model.onnx --size 64x64 || fail zoo
cp "$picture" photo.jpg && mkdir home
"$strake" run model.onnx -q --exact --input photo.jpg --output one || fail run
mapfile -t commands < <(sed -n '/^## Five commands/,/^## Keys/s/^\(edge[12]\)\$ \(strake .*\)/\1 \2/p' "$docs" | sed 's/ *#.*//')
[ ${#commands[@]} = 5 ] || fail "docs/cluster.md has ${#commands[@]} commands instead of five"
for line in "${commands[@]}"; do
  host=${line%% *}
  command=${line#* strake }
  # So that the bits can be compared, and both hosts have something to do, however busy the machine is.
  [ "${command%% *}" = serve ] && command="$command --exact --strategy equal --threads 1 --beat-timeout 3000"
  set -- "$edge_lab" ssh "$host" "cd $scratch; HOME=$scratch/home $strake $command"
  case ${command%% *} in
    serve | node) "$@" >>"$scratch/cluster.log" 2>&1 & ;;
    *) timeout 100 "$@" || fail "exit code $? of: $command" ;;
  esac
done
cmp one/output.npy results/photo.output.npy || fail "the cluster computes other bytes than one rank"
"$edge_lab" ssh edge1 "$strake status 127.0.0.1" >status
grep -qE '^1 +edge2 +[1-9]' status || fail "edge2 computed nothing: $(cat status)"

# listening HOST: addresses at which somebody there listens by TCP, as hexadecimal digits of the kernel.
listening() { "$edge_lab" ssh "$1" "cat /proc/net/tcp /proc/net/tcp6" | awk '$4 == "0A" { sub(/:.*/, "", $2); print $2 }' | sort -u; }

# What the doctor says depends on the machine; that it has looked at both hosts does not.
"$edge_lab" ssh edge1 "$strake doctor 127.0.0.1 --json $scratch/doctor.json" >doctor
[ $? -le 1 ] || fail doctor
[ "$(grep -cE '^[01] +edge[12] .* [0-9]' doctor)" = 2 ] || fail "the doctor saw other hosts: $(cat doctor)"
grep -q '"findings":' doctor.json || fail "no JSON of the doctor"

# Open MPI's ports too are on the cluster's interface alone.
loopback='0100007F|00000000000000000000000001000000'
for i in 1 2; do
  listening edge$i >ports
  grep -qx "0${i}004D0A" ports || fail "nobody listens at 10.77.0.$i"
  ! grep -vxE "0${i}004D0A|$loopback" ports || fail "edge$i listens elsewhere"
done

# Without others to listen to nobody listens but to this host.
"$edge_lab" ssh edge2 "cd $scratch; HOME=$scratch/alone $strake serve model.onnx --local 127.0.0.1:7301 --http off \
  --local-ranks 2 --threads 1" >>cluster.log 2>&1 &
for ((i = 0; i < 100; ++i)); do
  "$edge_lab" ssh edge2 "$strake status 127.0.0.1:7301" 2>/dev/null | grep -q '^1 ' && break
  sleep 0.1
done
[ "$i" -lt 100 ] || fail "no job on edge2 alone"
listening edge2 | grep -vxE "02004D0A|$loopback" && fail "edge2 listens elsewhere, for itself"

# Nobody listens beyond loopback without keys.
expect 2 'has no keys' "$edge_lab" ssh edge2 "HOME=$scratch/nobody $strake serve $scratch/model.onnx --listen tcp://10.77.0.2:7300"
[ "$failures" = 0 ] || cat cluster.log
finish
