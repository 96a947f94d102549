# SPDX-License-Identifier: Apache-2.0
"""Writes the reports: results.json, results.csv, report.html, and on demand plots and Markdown."""

import html
import shlex
import sys
from pathlib import Path
from string import Template

import markdown
import tables
from cells import Result
from options import Matrix
from platforms import host
from store import write_whole
from tables import Table


def write_reports(matrix: Matrix, results: list[Result]) -> None:
    write_whole(matrix.work / "results.json", tables.json_text(matrix, results))
    write_whole(matrix.work / "results.csv", tables.csv_text(results))
    if matrix.markdown:
        origin = f"`{_command(matrix)}`: {_count(results)}, {matrix.tools.frames} frames; {matrix.build}; {_host()}."
        markdown.write(matrix.markdown, origin, tables.overview(results) + tables.by_cell(results))
    drawn = _draw(matrix, results) if matrix.draw else {}
    write_whole(matrix.work / "report.html", _page(matrix, results, drawn))
    if matrix.plots:
        matrix.plots.mkdir(parents=True, exist_ok=True)
        for plot in sum(drawn.values(), []):
            write_whole(matrix.plots / f"{plot.name}.svg", plot.svg)
    print(f"matrix: {_count(results)}; {matrix.work}/report.html, results.json, results.csv", file=sys.stderr)


def _draw(matrix: Matrix, results: list[Result]) -> dict:
    """[title]: plots, as far as there is something to draw."""
    import plots  # which loads matplotlib

    drawn = {
        "Speedup against ranks": plots.speedup_plots(results, matrix.strategies),
        "auto against the other strategies": [plots.ratio_plot(results)],
        "Predicted against measured": [plots.prediction_plot(results)],
        "What the ranks do in a frame": plots.timeline_plots(results),
    }
    return {title: [plot for plot in group if plot] for title, group in drawn.items()}


_NOTES = {
    "Speedup against ranks": "Black: the bounds. Solid: measured, the time of a frame on the best single rank over "
    "that on all ranks.",
    "auto against the other strategies": "Each point is a cell of more than one rank; left of 1 auto is faster. In "
    "brackets: the geometric mean.",
    "Predicted against measured": "By what the plan predicted before its first frame; below, the errors.",
    "What the ranks do in a frame": "At the greatest number of ranks, rank 0 on top. What is missing up to the line is "
    "neither computing nor waiting.",
}


def _page(matrix: Matrix, results: list[Result], drawn) -> str:
    cells = tables.cells_table(results)
    details = f"<details><summary>{html.escape(cells.title)}</summary>{_table(cells)}</details>" if cells.rows else ""
    return Template((Path(__file__).parent / "page.html").read_text()).substitute(
        count=html.escape(_count(results)), command=html.escape(_command(matrix)), build=html.escape(matrix.build),
        host=html.escape(_host()), frames=matrix.tools.frames,
        overview="".join(map(_table_section, tables.overview(results))),
        plots="".join(_section(title, _NOTES.get(title, ""), _figures(some)) for title, some in drawn.items() if some),
        by_cell="".join(map(_table_section, tables.by_cell(results))) + details)


def _section(title: str, note: str, content: str) -> str:
    paragraph = f"<p>{html.escape(note)}</p>" if note else ""
    return f"<section><h2>{html.escape(title)}</h2>{paragraph}{content}</section>\n"


def _table_section(table: Table) -> str:
    return _section(table.title, table.note, _table(table))


def _figures(plots) -> str:
    return '<div class="plots">' + "".join(
        f'<figure role="img" aria-label="{html.escape(one.says)}">{one.svg}</figure>' for one in plots) + "</div>"


def _table(table: Table) -> str:
    def kind(row, column):
        kinds = ["text"] if column < table.text_columns else []
        kinds += ["marked"] if (row, column) in table.marked else []
        return f' class="{" ".join(kinds)}"' if kinds else ""

    def line(tag, row, cells):
        return "<tr>" + "".join(f"<{tag}{kind(row, column)}>{html.escape(cell)}</{tag}>"
                                for column, cell in enumerate(cells)) + "</tr>"

    body = "\n".join(line("td", row, cells) for row, cells in enumerate(table.rows))
    head = line("th", -1, table.header)
    return f'<div class="wide"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def _command(matrix: Matrix) -> str:
    return shlex.join(["bench/matrix/run", *matrix.words])


def _host() -> str:
    machine = host()
    return f"{machine['cpu']}, {machine['cores']} core{'' if machine['cores'] == 1 else 's'}"


def _count(results: list[Result]) -> str:
    parts = [f"{sum(one.status == status for one in results)} {status}" for status in ("measured", "failed", "missing")]
    return f"{len(results)} cells: " + ", ".join(part for part in parts if not part.startswith("0 "))
