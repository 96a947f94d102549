# SPDX-License-Identifier: Apache-2.0
"""The plots, each as the text of one SVG that refers to nothing outside of it. Needs matplotlib."""

import io
import re
from dataclasses import dataclass

import matplotlib

matplotlib.use("svg")

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

import figures
from cells import Result

# Paul Tol's colours, which readers with any colour vision tell apart; auto stands out.
_AUTO = "#004488"
_OTHERS = ["#cc6677", "#117733", "#ddaa33", "#88ccee", "#882255", "#44aa99", "#999933", "#aa4499", "#bb5533", "#777777"]
_MARKERS = "osD^vP<>X*"
_COMPUTE, _WAIT, _LINE, _BAND = "#4477aa", "#ddcc77", "#333333", "#cfe2cf"
_MOST_RANKS = 8  # of timelines of all strategies; where there are more, those of auto only

_STYLE = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "axes.titlesize": 10,
    "axes.titleweight": "bold", "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#666666",
    "axes.axisbelow": True, "axes.grid": True, "grid.color": "#e4e4e4", "grid.linewidth": 0.7, "legend.frameon": False,
    "legend.fontsize": 8, "figure.constrained_layout.use": True,
}


@dataclass(frozen=True)
class Plot:
    name: str  # of its file, without ending
    says: str  # to those who cannot see it
    svg: str


def speedup_plots(results: list[Result], strategies: list[str]) -> list[Plot]:
    """One for each network and platform: speedup against ranks, with the bounds."""
    bounds = figures.bounds_of(results)
    plots = []
    for network, platform in _places(results):
        lines = {strategy: figures.speedups(results, network, platform, strategy) for strategy in strategies}
        # The cell of one rank alone tells nothing of a strategy.
        lines = {strategy: points for strategy, points in lines.items() if any(ranks > 1 for ranks, _ in points)}
        if not lines:
            continue
        bound_of = {ranks: bound for (*place, ranks), bound in bounds.items() if place == [network, platform]}
        with plt.rc_context(_STYLE):
            figure, axes = plt.subplots(figsize=(4.6, 4.4))
            _draw_bounds(axes, bound_of)
            for strategy, points in lines.items():
                axes.plot(*zip(*points), label=strategy, **_line_style(strategy, strategies))
            _rank_axis(axes, sorted(bound_of))
            axes.set(title=f"{network}, {platform}", xlabel="ranks", ylabel="speedup over the best single rank")
            axes.set_ylim(bottom=0)
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=3)
            plots.append(_plot(figure, _name("speedup", network, platform),
                               f"Speedup of {network} on {platform} against the number of ranks."))
    return plots


def timeline_plots(results: list[Result]) -> list[Plot]:
    """One for each network and platform, at its greatest number of ranks: what each rank does in a frame."""
    plots = []
    for network, platform in _places(results):
        here = [one for one in results if (one.cell.network, one.cell.platform) == (network, platform) and one.measured]
        ranks = max((one.cell.ranks for one in here), default=1)
        shown = [one for one in here if one.cell.ranks == ranks and _has_times(one)
                 and (ranks <= _MOST_RANKS or one.cell.strategy == figures.REFERENCE)]
        if ranks == 1 or not shown:
            continue
        with plt.rc_context(_STYLE):
            height = (ranks + 1) * len(shown) * 0.14
            figure, axes = plt.subplots(figsize=(4.6, 1.2 + height))
            _draw_timelines(axes, shown)
            axes.legend(*_timeline_legend(), loc="upper center", bbox_to_anchor=(0.5, -0.42 / height), ncol=3)
            axes.set(title=f"{network}, {platform}, {ranks} ranks", xlabel="ms of a frame (medians)")
            plots.append(_plot(figure, _name("ranks", network, platform),
                               f"Computing and waiting of each rank for {network} on {platform}."))
    return plots


def prediction_plot(results: list[Result]) -> Plot | None:
    """Predicted against measured time of a frame, and below it the errors, where the band of good ones can be seen."""
    found = figures.predictions(results)
    summary = figures.error_summary(found)
    if summary is None:
        return None
    with plt.rc_context(_STYLE):
        figure, (times, errors) = plt.subplots(2, 1, figsize=(5.4, 7.2), sharex=True, height_ratios=[3, 2])
        all_ms = [one.measured_ms for one in found] + [one.predicted_ms for one in found]
        ends = [0.8 * min(all_ms), 1.25 * max(all_ms)]
        band, label = figures.BAND, f"± {100 * figures.BAND:.0f} %"
        times.fill_between(ends, [end * (1 - band) for end in ends], [end * (1 + band) for end in ends], color=_BAND,
                           label=label)
        times.plot(ends, ends, color=_LINE, linewidth=0.8)
        errors.axhspan(-100 * band, 100 * band, color=_BAND, label=label)
        errors.axhline(0, color=_LINE, linewidth=0.8)
        for place, platform in enumerate(dict.fromkeys(one.result.cell.platform for one in found)):
            here = [one for one in found if one.result.cell.platform == platform]
            style = {"linestyle": "", "marker": _MARKERS[place % len(_MARKERS)], "markersize": 4, "alpha": 0.7,
                     "color": [_AUTO, *_OTHERS][place % (1 + len(_OTHERS))], "label": platform}
            times.plot([one.measured_ms for one in here], [one.predicted_ms for one in here], **style)
            errors.plot([one.measured_ms for one in here], [100 * one.error for one in here], **style)
        times.set(xscale="log", yscale="log", xlim=ends, ylim=ends, ylabel="predicted ms",
                  title=f"{summary.count} cells: median error {100 * summary.median:.1f} %, "
                  f"95th percentile {100 * summary.p95:.1f} %")
        errors.set(xlabel="measured ms (median)", ylabel="predicted / measured - 1, in %")
        for axis in (times.xaxis, times.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_locator(NullLocator())
        times.legend(loc="upper left")
        return _plot(figure, "predicted", "Predicted against measured time of a frame, and the errors.")


def ratio_plot(results: list[Result]) -> Plot | None:
    """All ratios of auto to the other strategies, with their geometric means."""
    found = figures.ratios(results)
    if not found:
        return None
    all_platforms = [mean for mean in figures.means(found) if mean.platform is None]
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(figsize=(6.4, 1.4 + 0.36 * len(all_platforms)))
        axes.axvline(1, color=_LINE, linewidth=0.9)
        for lost, color, label in ((False, _AUTO, "auto faster"), (True, "#bb2222", "auto slower")):
            cells = [one for one in found if one.auto_loses == lost]
            rows = [[mean.strategy for mean in all_platforms].index(one.strategy) for one in cells]
            axes.plot([one.value for one in cells], rows, "o", markersize=4.5, alpha=0.55, color=color, label=label)
        axes.plot([mean.ratio for mean in all_platforms], range(len(all_platforms)), "|", markersize=16,
                  markeredgewidth=2.2, color=_LINE, label="geometric mean")
        axes.set_yticks(range(len(all_platforms)), [f"{mean.strategy} ({mean.ratio:.2f})" for mean in all_platforms])
        axes.set(xscale="log", ylim=(len(all_platforms) - 0.4, -0.6),
                 xlabel="time of a frame under auto / under the strategy (log scale)")
        axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.5 / (0.6 + 0.36 * len(all_platforms))), ncol=3)
        return _plot(figure, "ratios", "Each point is a cell; left of 1 auto is faster.")


def _draw_bounds(axes, bound_of):
    for kind, label, style in (("ideal", "ideal", "--"), ("whole_rows", "whole rows", "-."),
                               ("communication", "communication", ":")):
        points = [(ranks, getattr(bound, kind)) for ranks, bound in sorted(bound_of.items())
                  if getattr(bound, kind) is not None]
        if points:
            axes.plot(*zip(*points), style, color=_LINE, linewidth=1.2, label=label, zorder=2)


def _line_style(strategy: str, strategies: list[str]) -> dict:
    if strategy == figures.REFERENCE:
        return {"color": _AUTO, "linewidth": 2.2, "marker": "o", "markersize": 5, "zorder": 4}
    place = [name for name in strategies if name != figures.REFERENCE].index(strategy)
    return {"color": _OTHERS[place % len(_OTHERS)], "linewidth": 1.1, "marker": _MARKERS[place % len(_MARKERS)],
            "markersize": 4, "zorder": 3}


def _rank_axis(axes, ranks: list[int]) -> None:
    if max(ranks) > 8:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ranks, [str(count) for count in ranks])


def _draw_timelines(axes, shown: list[Result]) -> None:
    row, places, labels = 0, [], []
    for result in shown:
        first = row
        for rank in result.bench["ranks"]:
            axes.barh(row, rank["compute_ms"], color=_COMPUTE, height=0.85)
            axes.barh(row, rank["wait_ms"], left=rank["compute_ms"], color=_WAIT, height=0.85)
            row += 1
        axes.plot([result.number("cluster_ms")] * 2, [first - 0.5, row - 0.5], color=_LINE, linewidth=1.5)
        places.append((first + row - 1) / 2)
        labels.append(result.cell.strategy)
        row += 1
    axes.set_yticks(places, labels)
    axes.set_ylim(row - 0.9, -0.7)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)


def _timeline_legend():
    handles = [plt.Rectangle((0, 0), 1, 1, color=_COMPUTE), plt.Rectangle((0, 0), 1, 1, color=_WAIT),
               plt.Line2D([], [], color=_LINE, linewidth=1.5)]
    return handles, ["compute", "wait", "frame"]


def _has_times(result: Result) -> bool:
    return all(isinstance(rank, dict) and isinstance(rank.get("compute_ms"), (int, float))
               and isinstance(rank.get("wait_ms"), (int, float)) for rank in result.bench["ranks"])


def _places(results: list[Result]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((one.cell.network, one.cell.platform) for one in results))


def _name(*parts: str) -> str:
    return re.sub("[^A-Za-z0-9_.]+", "-", "-".join(parts))


def _plot(figure, name: str, caption: str) -> Plot:
    """The same cells give the same text: identifiers come from the name, and nothing tells the day."""
    with plt.rc_context({"svg.hashsalt": name}):
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    plt.close(figure)
    svg = out.getvalue()
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    # Several stand in one page, where identifiers must differ.
    svg = re.sub(r'\b(id="|xlink:href="#|url\(#)', lambda match: f"{match[1]}{name}-", svg)
    return Plot(name, caption, svg)
