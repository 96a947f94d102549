# SPDX-License-Identifier: Apache-2.0
"""Runs one program to its end, or ends it with everything that it started."""

import os
import signal
import subprocess
import tempfile

from errors import Failed

# What mpirun needs to end its ranks.
_GRACE_S = 10
_MOST_TEXT = 400


def run(words: list[str], environment: dict[str, str] | None = None, timeout_s: float | None = None) -> str:
    """Stdout of a program that ended with 0.

    The program leads a process group of its own: a Ctrl-C of the terminal reaches this process only, which then ends
    the group.
    @throws Failed with the program's own last word
    """
    with tempfile.TemporaryFile("w+", errors="replace") as out, tempfile.TemporaryFile("w+", errors="replace") as err:
        try:
            process = subprocess.Popen(words, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=err, start_new_session=True)
        except OSError as error:
            raise Failed(f"cannot start '{words[0]}': {error.strerror}") from None
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise Failed(f"took longer than {timeout_s:g} s") from None
        finally:
            _end(process)
        if code != 0:
            raise Failed(f"{_ending(code)}: {_last_word(err)}")
        out.seek(0)
        return out.read()


def _end(process: subprocess.Popen) -> None:
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_GRACE_S)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _ending(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"exit code {code}"


def _last_word(err) -> str:
    """The program's error line, or else the last line: mpirun adds a banner of its own behind the former."""
    err.seek(0)
    lines = [line.strip() for line in err.read().splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line]
    return (errors or lines or ["it said nothing"])[0 if errors else -1][:_MOST_TEXT]
