# SPDX-License-Identifier: Apache-2.0
"""The cells of the matrix, what came of each, and the key under which that is kept."""

import hashlib
import json
import math
from dataclasses import dataclass

# At one rank there is nothing to divide, so that one cell stands for all strategies.
ONE_RANK_STRATEGY = "single"


@dataclass(frozen=True)
class Cell:
    """One measurement."""

    network: str
    platform: str
    strategy: str
    ranks: int

    def __str__(self) -> str:
        return f"{self.network} {self.platform} {self.strategy} {self.ranks}"


@dataclass(frozen=True)
class Result:
    """What came of a cell: the JSON of the benchmark, or why there is none."""

    cell: Cell
    status: str  # "measured", "failed" or "missing"
    bench: dict | None = None
    reason: str = ""
    seconds: float = 0.0
    command: str = ""

    @property
    def measured(self) -> bool:
        return self.status == "measured"

    def number(self, key: str) -> float | None:
        """A number of the benchmark's JSON; None where it is absent or null."""
        value = (self.bench or {}).get(key)
        return float(value) if is_number(value) else None


def is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def cells_of(networks, platforms, strategies, ranks_of) -> list[Cell]:
    """All cells, those that are compared with each other in a row: a machine's speed drifts.

    ranks_of  platform -> list of rank counts
    """
    cells = []
    for network in networks:
        for platform in platforms:
            for ranks in ranks_of(platform):
                for strategy in [ONE_RANK_STRATEGY] if ranks == 1 else strategies:
                    cells.append(Cell(network, platform, strategy, ranks))
    return cells


def key_of(identity: dict) -> str:
    """A name for everything that decides a cell's result."""
    text = json.dumps(identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
