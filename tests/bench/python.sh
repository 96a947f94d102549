#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# python.sh FILE [MODULE]: runs Python tests; left out (77) where Debian's python3, or this module of it, is missing.
if ! /usr/bin/python3 -c "import ${2:-sys}" 2>/dev/null; then
  echo "Left out: no /usr/bin/python3${2:+ with $2} (scripts/install-packages bench)."
  exit 77
fi
# No compiled files beside the sources.
PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 "$1"
