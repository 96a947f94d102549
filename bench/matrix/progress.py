# SPDX-License-Identifier: Apache-2.0
"""How far the run is, on stderr: a bar with the time left on a terminal, a line for each cell elsewhere."""

import os
import shutil
import sys

from cells import Cell, Result

_BAR_WIDTH = 24


class Progress:
    def __init__(self, cells: list[Cell], results: list[Result | None]):
        self._left = [cell for cell, result in zip(cells, results) if result is None]
        self._total = len(cells)
        self._known = [result for result in results if result is not None and result.seconds > 0]
        self._bar = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        print(f"matrix: {self._total} cells, {self._total - len(self._left)} kept from before", file=sys.stderr)

    def begin(self, cell: Cell) -> None:
        self._draw(f"{cell.network} {cell.platform} {cell.strategy}, {_ranks(cell.ranks)}")

    def end(self, result: Result) -> None:
        self._known.append(result)
        self._left.remove(result.cell)
        cell = result.cell
        self._clear()
        what = f"{cell.network} {cell.platform} {cell.strategy}, {_ranks(cell.ranks)}: {_outcome(result)}"
        left = f", {_time(self._seconds_left())} left" if self._left else ""
        print(f"[{self._total - len(self._left)}/{self._total}] {what} ({result.seconds:.0f} s{left})", file=sys.stderr,
              flush=True)

    def close(self) -> None:
        self._clear()

    def _draw(self, what: str) -> None:
        if not self._bar:
            return
        done = self._total - len(self._left)
        filled = _BAR_WIDTH * done // self._total
        line = f"[{'#' * filled}{' ' * (_BAR_WIDTH - filled)}] {done}/{self._total} {self._left_text()}{what}"
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\033[K{line[:width]}", end="", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._bar:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def _left_text(self) -> str:
        return f"{_time(self._seconds_left())} left, " if self._known else ""

    def _seconds_left(self) -> float:
        """Cells of the same network and platform take about as long; where there is none yet, the mean of all."""
        return sum(self._expected(cell) for cell in self._left)

    def _expected(self, cell: Cell) -> float:
        alike = [result.seconds for result in self._known
                 if (result.cell.network, result.cell.platform) == (cell.network, cell.platform)]
        some = alike or [result.seconds for result in self._known]
        return sum(some) / len(some) if some else 0


def _outcome(result: Result) -> str:
    if not result.measured:
        return f"FAILED: {result.reason}"
    speedup, ideal = result.number("speedup"), result.number("ideal_speedup")
    text = f"{result.number('cluster_ms'):.3f} ms"
    if speedup is not None:
        text += f", speedup {speedup:.2f}" + (f" of {ideal:.2f}" if ideal is not None else "")
    return text


def _ranks(n: int) -> str:
    return f"{n} rank{'' if n == 1 else 's'}"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
