# SPDX-License-Identifier: Apache-2.0
"""Results on disk: a file for each cell, written whole or not at all, so that a run can end at any moment."""

import fcntl
import json
import os
import re
import sys
from pathlib import Path

from cells import Cell, Result
from errors import WrongInput


class Store:
    """The folder of one matrix; a second run that wants it at the same time is refused."""

    def __init__(self, work: Path):
        self._folder = work / "cells"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = open(work / "lock", "w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise WrongInput(f"--work: another run uses '{work}'") from None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._lock.close()

    def get(self, cell: Cell, key: str) -> Result | None:
        """What is kept of the cell; None if it was not run, or if the file is no longer what was written."""
        file = self._file(cell, key)
        try:
            kept = json.loads(file.read_text())
            if kept["status"] not in ("measured", "failed"):
                raise ValueError(kept["status"])
            return Result(cell, kept["status"], kept["bench"], kept["reason"], kept["seconds"], kept["command"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            print(f"matrix: warning: {file} is damaged ({error!r}), its cell is measured again", file=sys.stderr)
            return None

    def put(self, result: Result, key: str, identity: dict) -> None:
        kept = {"cell": vars(result.cell), "identity": identity, "status": result.status, "reason": result.reason,
                "seconds": result.seconds, "command": result.command, "bench": result.bench}
        write_whole(self._file(result.cell, key), json.dumps(kept, indent=1) + "\n")

    def _file(self, cell: Cell, key: str) -> Path:
        readable = re.sub("[^A-Za-z0-9_.-]+", "-", str(cell))[-100:]
        return self._folder / f"{readable}-{key}.json"


def write_whole(file: Path, text: str) -> None:
    """A reader sees the old file or the new one, never a part."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open(beside, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)
