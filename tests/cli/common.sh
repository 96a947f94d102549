# Sourced by the shell tests: paths, a scratch folder, and checks that say what they expected.
set -u
build=$1
strake=$build/strake
compare=$build/tests/compare-npy
data=${STRAKE_TEST_DATA:-}
mpirun=$STRAKE_MPIRUN
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
failures=0
error_prefix='strake: error:'

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# expect CODE PATTERN COMMAND...: the exit code, one line of error where it is not 0, a line that matches, and an end
# within a minute, which is long, since machines that test are busy.
expect() {
  code=$1 pattern=$2
  shift 2
  timeout 60 "$@" >"$scratch/stdout" 2>"$scratch/stderr"
  got=$?
  lines=$(grep -c "^$error_prefix" "$scratch/stderr")
  if [ "$got" != "$code" ]; then
    fail "exit code $got instead of $code: $*"
    sed 's/^/    /' "$scratch/stderr" | head -20
  elif [ "$code" != 0 ] && [ "$lines" != 1 ]; then
    fail "$lines lines of error instead of one: $*"
    sed 's/^/    /' "$scratch/stderr" | head -20
  elif ! grep -Eq -- "$pattern" "$scratch/stderr" "$scratch/stdout"; then
    fail "no line matches '$pattern': $*"
    sed 's/^/    /' "$scratch/stderr" "$scratch/stdout" | head -20
  fi
}

finish() {
  if [ "$failures" = 0 ]; then echo "all as expected"; else echo "$failures unexpected"; exit 1; fi
}
