"""Text in columns: aligned, and no wider than the terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import combining, east_asian_width

from jupytui.text import clean_line

GAP = "  "
NARROWEST = 8  # cells below which a column is not cut any further


@dataclass(frozen=True, slots=True)
class Column:
    """`right` for figures; `elastic` for text that may be cut, at its end, where there is no room."""

    title: str
    right: bool = False
    elastic: bool = False


def room() -> int | None:
    """Return the cells there are in a line of stdout, None when it is no terminal: what is piped is never cut."""
    return shutil.get_terminal_size().columns if sys.stdout and sys.stdout.isatty() else None


def render(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Return the table, its titles first; empty columns are left out. Cells are cleaned here."""
    cells = [[clean_line_kept(cell) for cell in row] for row in rows]
    used = [number for number in range(len(columns)) if any(row[number].strip() for row in cells)]
    columns = [columns[number] for number in used]
    lines = [[column.title for column in columns], *([row[number] for number in used] for row in cells)]
    widths = _fit([max(cells_of(line[n]) for line in lines) for n in range(len(columns))], columns, width)
    return "\n".join(_line(line, widths, columns) for line in lines)


def clean_line_kept(cell: str) -> str:
    """Return `cell` cleaned, its indentation kept."""
    return " " * (len(cell) - len(cell.lstrip(" "))) + clean_line(cell)


def _fit(widths: list[int], columns: Sequence[Column], width: int | None) -> list[int]:
    while width is not None and sum(widths) + len(GAP) * (len(widths) - 1) > width:
        widest = max(
            (n for n, column in enumerate(columns) if column.elastic and widths[n] > NARROWEST),
            key=lambda n: widths[n],
            default=None,
        )
        if widest is None:
            return widths
        widths[widest] -= 1
    return widths


def _line(line: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    parts = (_pad(text, width, column.right) for text, width, column in zip(line, widths, columns, strict=True))
    return GAP.join(parts).rstrip()


def _pad(text: str, width: int, right: bool) -> str:
    if cells_of(text) > width:
        while cells_of(text) > width - 1:
            text = text[:-1]
        text += "…"
    space = " " * (width - cells_of(text))
    return space + text if right else text + space


def cells_of(text: str) -> int:
    """Return how many cells of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
