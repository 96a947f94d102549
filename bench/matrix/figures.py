# SPDX-License-Identifier: Apache-2.0
"""The figures of the report, computed from measured cells: bounds, prediction errors, ratios of strategies."""

import statistics
from dataclasses import dataclass

from cells import ONE_RANK_STRATEGY, Result

REFERENCE = "auto"
BAND = 0.08  # of predictions that count as good


@dataclass(frozen=True)
class Bounds:
    """Speedups that a cluster could reach; None where no cell tells."""

    ideal: float | None
    whole_rows: float | None
    communication: float | None


def bounds_of(results: list[Result]) -> dict[tuple[str, str, int], Bounds]:
    """[network, platform, ranks]: medians over the strategies, each of which measured the same ranks again."""
    groups: dict[tuple[str, str, int], list[Result]] = {}
    for result in results:
        if result.measured:
            groups.setdefault((result.cell.network, result.cell.platform, result.cell.ranks), []).append(result)
    return {place: Bounds(_median([one.number("ideal_speedup") for one in group]),
                          _median([_bound_speedup(one, "whole_rows_bound_ms") for one in group]),
                          _median([_bound_speedup(one, "communication_bound_ms") for one in group]))
            for place, group in groups.items()}


def _bound_speedup(result: Result, key: str) -> float | None:
    """The best single rank over the least time of a frame; None where the cell does not tell."""
    single, bound = result.number("best_single_ms"), result.number(key)
    return single / bound if single is not None and bound else None


def speedups(results: list[Result], network: str, platform: str, strategy: str) -> list[tuple[int, float]]:
    """(ranks, speedup) of one strategy, ranks rising; the cell of one rank belongs to every strategy."""
    points = []
    for result in results:
        cell = result.cell
        of_strategy = cell.strategy == (ONE_RANK_STRATEGY if cell.ranks == 1 else strategy)
        speedup = result.number("speedup")
        if (cell.network, cell.platform) == (network, platform) and of_strategy and speedup is not None:
            points.append((cell.ranks, speedup))
    return sorted(points)


@dataclass(frozen=True)
class Prediction:
    result: Result
    predicted_ms: float
    measured_ms: float

    @property
    def error(self) -> float:
        """Relative; above 0 where the prediction was too long."""
        return self.predicted_ms / self.measured_ms - 1


def predictions(results: list[Result]) -> list[Prediction]:
    """Of the cells that predicted something."""
    found = [(result, result.number("predicted_ms"), result.number("cluster_ms")) for result in results]
    return [Prediction(result, predicted, measured) for result, predicted, measured in found
            if predicted is not None and predicted > 0 and measured is not None]


@dataclass(frozen=True)
class ErrorSummary:
    count: int
    median: float   # of the sizes of the errors
    p95: float
    in_band: float  # part of the predictions, 0 to 1


def error_summary(found: list[Prediction]) -> ErrorSummary | None:
    """None without predictions."""
    if not found:
        return None
    sizes = [abs(one.error) for one in found]
    return ErrorSummary(len(sizes), statistics.median(sizes), percentile(sizes, 95),
                        sum(size <= BAND for size in sizes) / len(sizes))


def percentile(numbers: list[float], percent: float) -> float:
    """Linear between the two nearest of the sorted numbers; the least is percentile 0, the greatest 100."""
    ordered = sorted(numbers)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@dataclass(frozen=True)
class Ratio:
    """How long a frame takes under `auto`, over how long it takes under another strategy: below 1, auto is faster."""

    network: str
    platform: str
    ranks: int
    strategy: str
    auto_ms: float
    other_ms: float

    @property
    def value(self) -> float:
        return self.auto_ms / self.other_ms

    @property
    def auto_loses(self) -> bool:
        return self.value > 1


def ratios(results: list[Result]) -> list[Ratio]:
    """Of every cell of more than one rank for which `auto` was measured too, in the order of the cells."""
    auto = {(one.cell.network, one.cell.platform, one.cell.ranks): one.number("cluster_ms") for one in results
            if one.measured and one.cell.strategy == REFERENCE}
    found = []
    for result in results:
        cell = result.cell
        auto_ms = auto.get((cell.network, cell.platform, cell.ranks))
        if result.measured and cell.ranks > 1 and cell.strategy != REFERENCE and auto_ms is not None:
            found.append(Ratio(cell.network, cell.platform, cell.ranks, cell.strategy, auto_ms,
                               result.number("cluster_ms")))
    return found


@dataclass(frozen=True)
class Mean:
    strategy: str
    platform: str | None  # None for all platforms together
    ratio: float          # geometric mean
    count: int
    lost: int             # of them, where auto was slower


def means(found: list[Ratio]) -> list[Mean]:
    """Geometric means per strategy, over all platforms and for each, in the order in which they appear."""
    platforms = list(dict.fromkeys(ratio.platform for ratio in found))
    groups = []
    for strategy in dict.fromkeys(ratio.strategy for ratio in found):
        for platform in [None, *(platforms if len(platforms) > 1 else [])]:
            group = [one for one in found if one.strategy == strategy and platform in (None, one.platform)]
            if group:
                groups.append(Mean(strategy, platform, statistics.geometric_mean(one.value for one in group),
                                   len(group), sum(one.auto_loses for one in group)))
    return groups


def _median(numbers: list[float | None]) -> float | None:
    present = [number for number in numbers if number is not None]
    return statistics.median(present) if present else None
