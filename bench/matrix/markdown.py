# SPDX-License-Identifier: Apache-2.0
"""Tables as Markdown, in a file of their own or in a place of another one."""

from pathlib import Path

from errors import WrongInput
from store import write_whole
from tables import Table

_BEGIN, _END = "<!-- matrix: begin -->", "<!-- matrix: end -->"


def check_place(file: Path) -> None:
    """@throws WrongInput if the file is there, and has no place for tables"""
    _around(file)


def write(file: Path, origin: str, tables: list[Table]) -> None:
    before, after = _around(file)
    write_whole(file, before + origin + "\n\n" + "\n".join(map(_text, tables)) + after)


def _around(file: Path) -> tuple[str, str]:
    """What stays of the file, before and behind the tables."""
    if not file.exists():
        return "", ""
    before, begin, rest = file.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        raise WrongInput(f"--markdown: '{file}' exists, and has no lines '{_BEGIN}' and '{_END}' with a place between")
    return f"{before}{begin}\n", f"{end}{after}"


def _text(table: Table) -> str:
    def line(cells):
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    rule = line(["---" if column < table.text_columns else "--:" for column in range(len(table.header))])
    rows = [line(f"**{cell}**" if (row, column) in table.marked else cell for column, cell in enumerate(cells))
            for row, cells in enumerate(table.rows)]
    return "\n".join([f"**{table.title}.** {table.note}", "", line(table.header), rule, *rows]) + "\n"
