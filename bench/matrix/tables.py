# SPDX-License-Identifier: Apache-2.0
"""The tables of the report, once for HTML and Markdown, and the files for other programs."""

import csv
import io
import json
from dataclasses import dataclass, field

import figures
from cells import Result
from options import Matrix
from platforms import host


@dataclass
class Table:
    """Cells are texts; marked cells are where auto loses, or where something failed."""

    title: str
    note: str
    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    marked: set[tuple[int, int]] = field(default_factory=set)  # (row, column)
    text_columns: int = 1  # the first columns, which are no numbers

    def add(self, row: list[str], marked_columns=()) -> None:
        self.marked.update((len(self.rows), column) for column in marked_columns)
        self.rows.append(row)


def means_table(found: list[figures.Ratio]) -> Table:
    """A line for each strategy, a column for each platform where there are several."""
    means = {(mean.strategy, mean.platform): mean for mean in figures.means(found)}
    platforms = [*dict.fromkeys(platform for _, platform in means if platform), None]
    table = Table("auto over the other strategies",
                  "Geometric mean of (time of a frame under auto / under the strategy): below 1, auto is faster.",
                  ["strategy", *(platform or "all" for platform in platforms), "cells", "auto slower in"])
    for strategy in dict.fromkeys(strategy for strategy, _ in means):
        here = [means.get((strategy, platform)) for platform in platforms]
        table.add([strategy, *(f"{mean.ratio:.3f}" if mean else "-" for mean in here), str(here[-1].count),
                   str(here[-1].lost)], [1 + place for place, mean in enumerate(here) if mean and mean.ratio > 1])
    return table


def ratios_table(found: list[figures.Ratio]) -> Table:
    strategies = list(dict.fromkeys(ratio.strategy for ratio in found))
    table = Table("auto over each strategy, cell by cell",
                  "Time of a frame under auto over that under the strategy of the column. Marked: auto was slower.",
                  ["network", "platform", "ranks", "auto ms", *strategies], text_columns=2)
    rows: dict[tuple, dict[str, figures.Ratio]] = {}
    for ratio in found:
        rows.setdefault((ratio.network, ratio.platform, ratio.ranks), {})[ratio.strategy] = ratio
    for (network, platform, ranks), by_strategy in rows.items():
        marked = [4 + place for place, name in enumerate(strategies)
                  if name in by_strategy and by_strategy[name].auto_loses]
        auto_ms = next(iter(by_strategy.values())).auto_ms
        table.add([network, platform, str(ranks), _ms(auto_ms),
                   *(f"{by_strategy[name].value:.3f}" if name in by_strategy else "-" for name in strategies)], marked)
    return table


def speedup_table(results: list[Result]) -> Table:
    """Of auto, beside the bounds."""
    bounds = figures.bounds_of(results)
    table = Table("Speedup of auto", "Over the best single rank, with the bounds that docs/benchmarks.md defines.",
                  ["network", "platform", "ranks", "single ms", "cluster ms", "speedup", "ideal", "whole rows",
                   "communication", "of ideal"], text_columns=2)
    for result in results:
        cell = result.cell
        if not result.measured or cell.strategy != figures.REFERENCE:
            continue
        bound = bounds[cell.network, cell.platform, cell.ranks]
        efficiency = result.number("efficiency")
        table.add([cell.network, cell.platform, str(cell.ranks), _ms(result.number("best_single_ms")),
                   _ms(result.number("cluster_ms")), _times(result.number("speedup")),
                   _times(result.number("ideal_speedup")), _times(bound.whole_rows), _times(bound.communication),
                   "-" if efficiency is None else f"{100 * efficiency:.1f} %"])
    return table


def errors_table(found: list[figures.Prediction]) -> Table:
    table = Table("Predicted against measured",
                  "|predicted / measured - 1| over the cells whose plan had a prediction before its first frame.",
                  ["platform", "cells", "median", "95th percentile", f"within {100 * figures.BAND:.0f} %"])
    platforms = list(dict.fromkeys(one.result.cell.platform for one in found))
    for platform in [*platforms, *(["all"] if len(platforms) > 1 else [])]:
        summary = figures.error_summary([one for one in found if platform in ("all", one.result.cell.platform)])
        table.add([platform, str(summary.count), f"{100 * summary.median:.1f} %", f"{100 * summary.p95:.1f} %",
                   f"{100 * summary.in_band:.0f} %"])
    return table


def failures_table(results: list[Result]) -> Table:
    table = Table("Cells without a result", "They count nowhere above; --retry tries failed ones again.",
                  ["network", "platform", "strategy", "ranks", "status", "reason"], text_columns=6)
    for result in results:
        if not result.measured:
            cell = result.cell
            table.add([cell.network, cell.platform, cell.strategy, str(cell.ranks), result.status, result.reason], [4])
    return table


def cells_table(results: list[Result]) -> Table:
    table = Table("All measured cells", "Latencies are those of one frame: its median and 90th percentile.",
                  ["network", "platform", "strategy", "plan", "ranks", "used", "p50 ms", "p90 ms", "speedup",
                   "predicted ms", "error"], text_columns=4)
    for result in results:
        if not result.measured:
            continue
        cell, bench = result.cell, result.bench
        error = [one.error for one in figures.predictions([result])]
        latency = bench.get("latency_ms") or {}
        table.add([cell.network, cell.platform, cell.strategy, str(bench.get("strategy", "-")), str(cell.ranks),
                   str(bench.get("ranks_used", "-")), _ms(result.number("cluster_ms")), _ms(latency.get("p90")),
                   _times(result.number("speedup")), _ms(result.number("predicted_ms")),
                   f"{100 * error[0]:+.1f} %" if error else "-"])
    return table


def overview(results: list[Result]) -> list[Table]:
    """What a reader wants to know first; tables that have rows."""
    return _filled([means_table(figures.ratios(results)), errors_table(figures.predictions(results)),
                    failures_table(results)])


def by_cell(results: list[Result]) -> list[Table]:
    """What is behind it; tables that have rows."""
    return _filled([speedup_table(results), ratios_table(figures.ratios(results))])


def _filled(tables: list[Table]) -> list[Table]:
    return [table for table in tables if table.rows]


CSV_NUMBERS = ["frames", "ranks_used", "cluster_ms", "best_single_ms", "speedup", "ideal_speedup", "efficiency",
               "whole_rows_bound_ms", "communication_bound_ms", "predicted_ms"]


def csv_text(results: list[Result]) -> str:
    """A line for each cell; what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["network", "platform", "strategy", "ranks", "status", "plan", *CSV_NUMBERS, "prediction_error",
                     "reason"])
    for result in results:
        cell, bench = result.cell, result.bench or {}
        error = [one.error for one in figures.predictions([result])]
        writer.writerow([cell.network, cell.platform, cell.strategy, cell.ranks, result.status,
                         bench.get("strategy", ""), *(_or_empty(bench.get(key)) for key in CSV_NUMBERS),
                         *(error or [""]), result.reason])
    return out.getvalue()


def json_text(matrix: Matrix, results: list[Result]) -> str:
    found = figures.ratios(results)
    summary = figures.error_summary(figures.predictions(results))
    content = {
        "command": matrix.words,
        "build": matrix.build,
        "host": host(),
        "frames": matrix.tools.frames,
        "cells": [{**vars(one.cell), "status": one.status, "reason": one.reason, "seconds": one.seconds,
                   "command": one.command, "bench": one.bench} for one in results],
        "ratios": [{**vars(one), "ratio": one.value} for one in found],
        "geometric_means": [vars(one) for one in figures.means(found)],
        "prediction_error": vars(summary) if summary else None,
    }
    return json.dumps(content, indent=1) + "\n"


def _or_empty(value):
    return "" if value is None else value


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
