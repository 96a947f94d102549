# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts here and by .ci/run: headings with times, builds, tests and their count.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Open MPI refuses root unless told twice; in a container there is nobody else.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

n_passed=0 n_failed=0 n_skipped=0

heading() {
  printf '\n== %s (at %d:%02d)\n' "$*" $((SECONDS / 60)) $((SECONDS % 60))
}

die() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# configure PRESET [CMAKE ARGUMENT...]; quiet unless it fails. With ccache where it is installed, which does not know
# precompiled headers.
configure() {
  local preset=$1 log
  shift
  command -v ccache >/dev/null && set -- -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON "$@"
  log=$(mktemp)
  if ! cmake --preset "$preset" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# build FOLDER [TARGET...]: on all cores. On a terminal ninja shows its progress; a log gets problems only.
build() {
  local folder=$1 quiet=()
  shift
  [ -t 1 ] || quiet=(-- --quiet)
  cmake --build "$folder" ${1:+--target "$@"} "${quiet[@]}"
}

# run_tests FOLDER [CTEST ARGUMENT...]: adds to the counts, lists what failed and what was left out; false on failure.
run_tests() {
  local folder=$1 report status=0
  shift
  report=$(mktemp)
  ctest --test-dir "$folder" -j "$(nproc)" --output-on-failure --no-tests=error --output-junit "$report" "$@" \
    </dev/null | grep -Ev '^( *[0-9]+/[0-9]+ Test .* Passed | +Start )' || status=1
  count_tests "$report" || status=1
  rm -f "$report"
  return "$status"
}

# count_tests JUNIT: a test that says why it skips is skipped; one that was not run for another reason has failed.
count_tests() {
  local line kind name failed=0
  [ -s "$1" ] || { n_failed=$((n_failed + 1)) && return 1; }
  while read -r kind name; do
    case $kind in
      passed) n_passed=$((n_passed + 1)) ;;
      skipped) n_skipped=$((n_skipped + 1)) && echo "left out: $name" ;;
      failed) n_failed=$((n_failed + 1)) && failed=1 && echo "FAILED: $name" ;;
    esac
  done < <(awk '
    /<testcase / { name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name)
                   kind = /status="run"/ ? "passed" : /status="disabled"/ ? "skipped" : "failed" }
    /<skipped message="SKIP_/ { kind = "skipped" }
    /<failure/ { kind = "failed" }
    /<\/testcase>/ { print kind, name }' "$1")
  return "$failed"
}

summary() {
  echo "$n_passed passed, $n_failed failed, $n_skipped skipped"
}
