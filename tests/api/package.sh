#!/bin/sh
# package.sh BUILD SOURCE: the installed package, as a program finds it that knows nothing of this tree.
set -eu
build=$1
source=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME="$scratch/cache" OMP_NUM_THREADS=1
prefix=$scratch/prefix
fail() {
  echo "package.sh: $*" >&2
  exit 1
}

cmake --install "$build" --prefix "$prefix" >"$scratch/install.log" || { cat "$scratch/install.log"; exit 1; }
cp -r "$source/examples" "$scratch/examples"
cmake -S "$scratch/examples" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release \
  >"$scratch/cmake.log" 2>&1 && cmake --build "$scratch/build" -j2 >>"$scratch/cmake.log" 2>&1 ||
  { cat "$scratch/cmake.log"; exit 1; }

# Nothing but the public interface is to be seen.
library=$prefix/lib*/libstrake.so
[ -e $library ] || library=$(find "$prefix" -name libstrake.so)
foreign=$(nm -DC --defined-only $library | awk '$2 ~ /[TDB]/' | cut -d' ' -f3- |
  grep -vE '^(strake::(Client|Engine|Tensor|Result|InvalidInput|PeerLost|QueueFull|DeadlineMissed|set_log|version|size_of|name_of)|strake_)' || true)
[ -z "$foreign" ] || fail "the library shows: $foreign"

# The program that was installed beside it says what the examples must say.
net=$scratch/net.onnx
"$prefix/bin/strake" zoo squeezenet1_1 -q -o "$net" --size 64x64
run="$scratch/build"
one=$("$run/first_steps" "$net" | sed 's/,.*//')
[ -n "$one" ] || fail "first_steps says nothing"
[ "$("$run/first_steps_c" "$net" | sed 's/,.*//')" = "$one" ] || fail "first_steps_c says something else than $one"
three=$("$STRAKE_MPIRUN" 3 "$run/first_steps" "$net") || fail "first_steps on three ranks"
[ "${three%%,*}" = "$one" ] || fail "three ranks: $three; one: $one"
three=$("$STRAKE_MPIRUN" 3 "$run/first_steps_c" "$net") || fail "first_steps_c on three ranks"
[ "${three%%,*}" = "$one" ] || fail "three ranks in C: $three; one: $one"

# Every frame of the stream is accounted for.
"$STRAKE_MPIRUN" 2 "$run/deadline" "$net" 1000 40 >"$scratch/deadline" || fail "deadline"
awk '{ exit !($1 + $3 + $5 == 40 && $1 > 0) }' "$scratch/deadline" || fail "deadline: $(cat "$scratch/deadline")"

"$STRAKE_MPIRUN" 2 "$run/saved_plan" "$net" "$scratch/plan.json" | grep -q 'for 2 ranks, made now' || fail "no plan made"
"$STRAKE_MPIRUN" 2 "$run/saved_plan" "$net" "$scratch/plan.json" | grep -q 'for 2 ranks, from the file' ||
  fail "the plan was not taken"

# Against a running cluster.
port=$((20000 + $$ % 10000))
"$prefix/bin/strake" serve "$net" --local 127.0.0.1:$port --http off --threads 1 >"$scratch/serve" 2>&1 &
server=$!
"$run/client" 127.0.0.1:$port 30 60000 >"$scratch/client" || { cat "$scratch/serve" "$scratch/client"; kill $server; fail "client"; }
"$run/client_c" 127.0.0.1:$port 5 >"$scratch/client_c" || fail "client_c"
kill $server
wait $server || true
grep -qx '5 answered, 0 missed' "$scratch/client_c" || fail "client_c: $(cat "$scratch/client_c")"
grep -qx '30 answered, 0 missed' "$scratch/client" || fail "client: $(cat "$scratch/client")"

# A wrong model ends all ranks with 2 and one message.
status=0
"$STRAKE_MPIRUN" 3 "$run/first_steps" "$scratch/none.onnx" >"$scratch/out" 2>&1 || status=$?
[ "$status" -eq 2 ] || { cat "$scratch/out"; fail "a wrong model gave exit code $status"; }
[ "$(grep -c 'none.onnx.*' "$scratch/out")" -ge 1 ] || { cat "$scratch/out"; fail "nobody names the model"; }

# Without CMake.
if command -v pkg-config >/dev/null; then
  PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name strake.pc)")
  export PKG_CONFIG_PATH
  cc "$source/examples/first_steps_c.c" -o "$scratch/by_pkg_config" $(pkg-config --cflags --libs strake) ||
    fail "pkg-config's flags do not build the example"
  LD_LIBRARY_PATH=$(pkg-config --variable=libdir strake) "$scratch/by_pkg_config" "$net" | grep -q "^$one" ||
    fail "built with pkg-config it says something else"
fi
