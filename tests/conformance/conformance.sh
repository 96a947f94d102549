#!/bin/sh
# conformance.sh PROGRAM FOLDER RANKS LOG OPERATORS [OPTION...]: all cases below the folder; what is said stays in LOG for
# scripts/test. With several ranks also: the file OPERATORS, unless it is -, says what the run saw. Exit code 77 means
# left out.
program=$1 folder=$2 ranks=$3 log=$4 docs=$5
shift 5
if [ ! -d "$folder" ]; then
  echo "left out: no ONNX backend tests in $folder (Debian: libonnx-testdata)"
  exit 77
fi
${STRAKE_EMULATOR:-} "$program" "$folder" --ranks "$ranks" --table "$log.md" "$@" >"$log" 2>&1
status=$?
grep '^FAILED' "$log"
tail -n 2 "$log"
if [ "$docs" != - ] && [ "$ranks" -gt 1 ] && ! cmp -s "$log.md" "$docs"; then
  echo "FAILED: docs/operators.md does not say what holds; strake-conformance $folder --ranks $ranks --table docs/operators.md"
  diff "$docs" "$log.md" | head -20
  status=1
fi
exit $status
