#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/faults/hog.py KILLS USAGE LIMIT: takes memory until the kernel has ended another process for want of it, then half
of what that left, and keeps it. Arguments: files of the control group that this process is in, which count the kills, what
is used, and what may be."""

import sys
import time
from pathlib import Path

STEP = 1 << 20


def kills(file):
    return int(next(line.split()[1] for line in file.read_text().splitlines() if line.startswith("oom_kill ")))


def main():
    count, usage, limit = map(Path, sys.argv[1:4])
    before = kills(count)
    held = []
    while kills(count) == before:
        held.append(bytearray(b"x") * STEP)
    time.sleep(0.02)  # what was ended gives back what it had
    free = int(limit.read_text()) - int(usage.read_text())
    held.append(bytearray(b"x") * max(0, free // 2))
    time.sleep(3600)


if __name__ == "__main__":
    main()
