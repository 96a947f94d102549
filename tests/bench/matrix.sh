#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# matrix.sh: the tests of bench/matrix, with programs that only pretend; left out (77) where Debian's matplotlib is not.
if ! /usr/bin/python3 -c 'import matplotlib' 2>/dev/null; then
  echo "Left out: no python3 with matplotlib (scripts/install-packages bench)."
  exit 77
fi
# No compiled files beside the sources.
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 "$(dirname "$0")/matrix_test.py" "$@"
