#!/bin/sh
# conformance.sh PROGRAM FOLDER RANKS LOG: all cases below the folder; what is said stays in LOG for scripts/test.
# With several ranks also: docs/operators.md says what the run saw. Exit code 77 means left out.
program=$1 folder=$2 ranks=$3 log=$4
if [ ! -d "$folder" ]; then
  echo "left out: no ONNX backend tests in $folder (Debian: libonnx-testdata)"
  exit 77
fi
"$program" "$folder" --ranks "$ranks" --table "$log.md" >"$log" 2>&1
status=$?
grep '^FAILED' "$log"
tail -n 2 "$log"
docs=$(dirname "$0")/../../docs/operators.md
if [ "$ranks" -gt 1 ] && ! cmp -s "$log.md" "$docs"; then
  echo "FAILED: docs/operators.md does not say what holds; strake-conformance $folder --ranks $ranks --table docs/operators.md"
  diff "$docs" "$log.md" | head -20
  status=1
fi
exit $status
