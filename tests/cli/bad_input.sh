#!/bin/sh
# Whatever a user gets wrong: one clear line on stderr, exit code 2, no hang, under mpirun too.
. "$(dirname "$0")/common.sh" "$1"
net=$scratch/edges.onnx
"$strake" zoo edges -o "$net" --size 32x48 || fail "zoo edges"

# The program itself.
expect 2 'subcommand' "$strake"
expect 2 'nonsense' "$strake" nonsense
expect 2 'strategy' "$strake" run "$net" --strategy best
expect 2 'threads' "$strake" run "$net" --threads 0
expect 2 'emulate-slowdown' "$strake" run "$net" --emulate-slowdown 1,x
expect 2 'emulate-slowdown' "$strake" run "$net" --emulate-slowdown 0.5
expect 2 'frames' "$strake" run "$net" --frames 0
expect 0 'Examples' "$strake" run --help

# Models.
expect 2 'no-such.onnx' "$strake" run "$scratch/no-such.onnx"
: >"$scratch/empty.onnx"
expect 2 'empty.onnx' "$strake" run "$scratch/empty.onnx"
echo 'this is no model' >"$scratch/text.onnx"
expect 2 'text.onnx' "$strake" info "$scratch/text.onnx"
head -c 2000 "$net" >"$scratch/cut.onnx"
expect 2 'cut.onnx' "$strake" run "$scratch/cut.onnx"
expect 2 "$scratch" "$strake" run "$scratch"
mkfifo "$scratch/pipe"
expect 2 'no regular file' "$strake" info "$scratch/pipe"

# Inputs.
expect 2 "input 'image' was not given" "$strake" run "$net"
expect 2 'no-such.npy' "$strake" run "$net" --input "$scratch/no-such.npy"
expect 2 "no input 'picture'" "$strake" run "$net" --input picture=x.npy
expect 2 'x.txt' "$strake" run "$net" --input "$scratch/x.txt"
echo 'not a picture' >"$scratch/bad.png"
expect 2 'bad.png' "$strake" run "$net" --input "$scratch/bad.png"
echo 'not an array' >"$scratch/bad.npy"
expect 2 'bad.npy' "$strake" run "$net" --input "$scratch/bad.npy"
expect 2 'mean' "$strake" run "$net" --input "$scratch/picture.png" --mean 1,2
printf 'P' >"$scratch/picture.png"
expect 2 'no regular file' "$strake" run "$net" --input "$scratch/pipe"
expect 2 'is a directory' "$strake" run "$net" --input "$scratch"

# Outputs.
expect 2 'json' "$strake" info "$net" --json ''
expect 2 'output' "$strake" run "$net" --output ''
: >"$scratch/file"
cp "$(dirname "$0")/../data/small.png" "$scratch/good.png"
expect 2 'file' "$strake" run "$net" --input "$scratch/good.png" --output "$scratch/file"
expect 2 'json' "$strake" run "$net" --input "$scratch/good.png" --json "$scratch/none/x.json"

# Plans.
expect 2 'plan.json' "$strake" run "$net" --input "$scratch/good.png" --plan "$scratch/plan.json"
echo '{"strake_plan": 1' >"$scratch/plan.json"
expect 2 'plan.json' "$strake" run "$net" --input "$scratch/good.png" --plan "$scratch/plan.json"
expect 0 'ranks used' "$strake" plan "$net" --input "$scratch/good.png" --ranks 2 --strategy equal -o "$scratch/plan2.json"
expect 2 'rank' "$strake" run "$net" --input "$scratch/good.png" --plan "$scratch/plan2.json"
"$strake" zoo edges -o "$scratch/other.onnx" --size 40x40
expect 2 'model' "$mpirun" 2 "$strake" run "$scratch/other.onnx" --input "$scratch/good.png" --plan "$scratch/plan2.json"
expect 0 'frame' "$mpirun" 2 "$strake" run "$net" --input "$scratch/good.png" --plan "$scratch/plan2.json"
# Rank 0 alone has the files.
expect 0 'frame' "$mpirun" 2 sh -c 'cd "$1"; [ "$OMPI_COMM_WORLD_RANK" = 0 ] || cd /; shift; exec "$@"' \
  in-folder "$scratch" "$strake" run edges.onnx --input good.png --plan plan2.json
sed 's/"ranks": 2,/"ranks": 7, "ranks": 2,/' "$scratch/plan2.json" >"$scratch/twice.json"
expect 2 "'ranks' is there twice" "$mpirun" 2 "$strake" run "$net" --input "$scratch/good.png" --plan "$scratch/twice.json"
expect 2 'no regular file' "$strake" run "$net" --input "$scratch/good.png" --plan "$scratch/pipe"
expect 2 'link' "$strake" plan "$scratch/no-such.onnx" --ranks 2 --link fast
expect 2 'link' "$strake" plan "$net" --link 1gbit

# Files that would be lost.
cp "$net" "$scratch/copy.onnx"
expect 2 'overwritten' "$strake" info "$scratch/copy.onnx" --json "$scratch/copy.onnx"
cmp "$net" "$scratch/copy.onnx" || fail 'the model was overwritten'
expect 2 'overwritten' "$strake" run "$net" --input "$scratch/good.png" --json "$scratch/good.png"
expect 2 'overwritten' "$strake" run "$net" --input "$scratch/good.png" --draw-strips "$scratch/good.png"
expect 2 'overwritten' "$strake" plan "$net" --input "$scratch/good.png" -o "$scratch/good.png"
expect 2 'overwritten' "$strake" bench "$net" --plan "$scratch/plan2.json" --json "$scratch/plan2.json"
expect 2 'overwritten' "$strake" plan "$net" -o "$scratch/new.json" --json "$scratch/../$(basename "$scratch")/new.json"

# The same under mpirun: every rank ends, and soon.
start=$(date +%s)
expect 2 'no-such.onnx' "$mpirun" 3 "$strake" run "$scratch/no-such.onnx"
expect 2 "input 'image' was not given" "$mpirun" 3 "$strake" run "$net"
expect 2 'strategy' "$mpirun" 3 "$strake" run "$net" --strategy best
expect 2 'bad.png' "$mpirun" 2 "$strake" run "$net" --input "$scratch/bad.png"
grep -q MPI_ABORT "$scratch/stderr" && fail "ranks were aborted although all of them could leave in order"
[ $(($(date +%s) - start)) -le 20 ] || fail "four failing jobs took more than 5 seconds each"

# More ranks than rows is no error.
"$strake" zoo edges -o "$scratch/flat.onnx" --size 5x64 && expect 0 'frame' \
  "$mpirun" 8 "$strake" run "$scratch/flat.onnx" --axis h --strategy equal --exact --input "$scratch/good.png"

# A rank of another build.
# One command for both: the mpirun of Debian 13 crashes when it is given two.
expect 2 'another-build' "$mpirun" 2 sh -c \
  'if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then strake=$0-other-build; else strake=$0; fi; exec "$strake" "$@"' \
  "$strake" run "$net" --input "$scratch/good.png"
finish
