# SPDX-License-Identifier: Apache-2.0
"""Goes through the cells: takes what is kept, measures the rest, keeps every result at once."""

import json
import shlex
import tempfile
import time
from pathlib import Path

from cells import Cell, Result, is_number, key_of
from errors import Failed
from models import Model
from options import Matrix
from processes import run
from progress import Progress
from store import Store


def measure(matrix: Matrix, models: dict[str, Model], store: Store) -> list[Result]:
    """[cell], in the order of the matrix's cells."""
    identities = [_identity(matrix, cell, models[cell.network]) for cell in matrix.cells]
    kept = [store.get(cell, key_of(identity)) for cell, identity in zip(matrix.cells, identities)]
    results = [_usable(matrix, cell, result) for cell, result in zip(matrix.cells, kept)]
    progress = Progress(matrix.cells, results)
    with tempfile.TemporaryDirectory(prefix="strake-matrix-") as scratch:
        for place, (cell, identity) in enumerate(zip(matrix.cells, identities)):
            if results[place] is not None:
                continue
            progress.begin(cell)
            results[place] = _run_cell(matrix, cell, models[cell.network], Path(scratch) / "bench.json")
            store.put(results[place], key_of(identity), identity)
            progress.end(results[place])
    progress.close()
    return results


def _identity(matrix: Matrix, cell: Cell, model: Model) -> dict:
    """Everything that decides the result."""
    platform = matrix.platforms[cell.platform]
    return {"model": model.sha256, "platform": cell.platform, "platform_is": platform.identity(),
            "strategy": cell.strategy, "ranks": cell.ranks, "frames": platform.frames, "build": matrix.build}


def _usable(matrix: Matrix, cell: Cell, kept: Result | None) -> Result | None:
    """None for a cell that has to be run."""
    if matrix.report_only:
        return kept or Result(cell, "missing", reason="not run")
    return None if kept is None or (matrix.retry and not kept.measured) else kept


def _run_cell(matrix: Matrix, cell: Cell, model: Model, json_file: Path) -> Result:
    platform = matrix.platforms[cell.platform]
    words = platform.command(cell, model.file, json_file)
    json_file.unlink(missing_ok=True)
    begin = time.monotonic()
    try:
        run(words, platform.environment(cell), matrix.timeout_s)
        bench, status, reason = _read_bench(json_file, cell), "measured", ""
    except Failed as error:
        bench, status, reason = None, "failed", str(error)
    return Result(cell, status, bench, reason, round(time.monotonic() - begin, 3), shlex.join(words))


def _read_bench(json_file: Path, cell: Cell) -> dict:
    """What every report needs is there and makes sense; the rest may be absent."""
    try:
        bench = json.loads(json_file.read_text())
    except (OSError, ValueError) as error:
        raise Failed(f"ended with 0, but wrote no JSON: {error}") from None
    if not isinstance(bench, dict) or not is_number(bench.get("cluster_ms")) or bench["cluster_ms"] <= 0:
        raise Failed("its JSON has no cluster_ms above 0")
    ranks = bench.get("ranks")
    if not isinstance(ranks, list) or len(ranks) != cell.ranks:
        got = len(ranks) if isinstance(ranks, list) else "no list of ranks"
        raise Failed(f"expected {cell.ranks} ranks in its JSON, got {got}")
    return bench
