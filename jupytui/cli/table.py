"""Text in columns, aligned, and no wider than the terminal.

Where there is no room, long texts are cut first, then the least important columns go; what must be there and has no
room beside the rest stands on lines of its own below. So names, ports, addresses and sentences stay whole.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from unicodedata import combining, east_asian_width

from jupytui.text import clean_line

GAP = "  "
INDENT = "      "  # of what stands below: further in than any name


@dataclass(frozen=True, slots=True)
class Column:
    """`right` for figures. Columns go from the highest `rank` on, those of rank 0 never; none goes for a `sentence`."""

    title: str
    right: bool = False
    rank: int = 0
    sentence: bool = False


@dataclass(frozen=True, slots=True)
class Long:
    """Text that may be cut, down to `least` cells: behind, or in `front`, as with paths, whose end tells them apart.

    Plain text may not.
    """

    text: str
    least: int = 20
    front: bool = False


Cell = str | Long


@dataclass(frozen=True, slots=True)
class _Strip:
    """A column with its cells; `full` and `least` are how wide it would be, and must be."""

    column: Column
    cells: Sequence[Long]

    @property
    def lines(self) -> Sequence[Long]:
        return [_cell(self.column.title), *self.cells]

    @property
    def full(self) -> int:
        return max(cells_of(cell.text) for cell in self.lines)

    @property
    def least(self) -> int:
        return max(min(cells_of(cell.text), cell.least) for cell in self.lines)


Band = list[_Strip]  # columns beside each other


def room() -> int | None:
    """Return the cells there are in a line of stdout, None when it is no terminal: what is piped is never cut."""
    return shutil.get_terminal_size().columns if sys.stdout and sys.stdout.isatty() else None


def render(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None = None) -> str:
    """Return the table, its titles first; empty columns are left out. Cells are cleaned here."""
    strips = [_Strip(column, [_cell(row[n]) for row in rows]) for n, column in enumerate(columns)]
    strips = [strip for strip in strips if any(cell.text.strip() for cell in strip.cells)]
    bands = [strips] if width is None else _bands(_important(strips, width), width)
    drawn = [_draw(band, None if width is None else width - _indent(number)) for number, band in enumerate(bands)]
    return "\n".join(line for parts in zip(*drawn, strict=True) for line in _below_each_other(parts))


def _cell(cell: Cell) -> Long:
    """Return it cleaned, its indentation kept; what is no `Long` may not be cut."""
    text = cell.text if isinstance(cell, Long) else cell
    text = " " * (len(text) - len(text.lstrip(" "))) + clean_line(text)
    return Long(text, cell.least, cell.front) if isinstance(cell, Long) else Long(text, cells_of(text))


def _important(strips: Band, width: int) -> Band:
    """Return the columns without those that there is no room for."""
    kept = [strip for strip in strips if not strip.column.sentence]
    while _needs(kept) > width and (last := max(kept, key=lambda strip: strip.column.rank)).column.rank:
        kept.remove(last)
    return [strip for strip in strips if strip in kept or strip.column.sentence]


def _bands(strips: Band, width: int) -> list[Band]:
    bands: list[Band] = [[]]
    for strip in strips:
        if bands[-1] and _needs([*bands[-1], strip]) > width - _indent(len(bands) - 1):
            bands.append([])
        bands[-1].append(strip)
    return bands


def _indent(band: int) -> int:
    return len(INDENT) if band else 0


def _needs(strips: Band) -> int:
    return sum(strip.least for strip in strips) + len(GAP) * (len(strips) - 1)


def _below_each_other(parts: Sequence[Sequence[str]]) -> Iterator[str]:
    first, *below = parts
    yield from first
    yield from (INDENT + line for part in below for line in part if line)


def _draw(band: Band, width: int | None) -> list[list[str]]:
    """Return the lines of each row: more than one where a column alone is wider than the terminal."""
    if width is not None and len(band) == 1 and band[0].least > width:
        return [wrap(cell.text, max(1, width)) or [""] for cell in band[0].lines]
    drawn = [
        [_pad(cell, wide, strip.column.right) for cell in strip.lines]
        for strip, wide in zip(band, _widths(band, width), strict=True)
    ]
    return [[GAP.join(line).rstrip()] for line in zip(*drawn, strict=True)]


def _widths(band: Band, width: int | None) -> list[int]:
    widths, least = [strip.full for strip in band], [strip.least for strip in band]
    while width is not None and sum(widths) + len(GAP) * (len(widths) - 1) > width:
        widest = max((n for n in range(len(band)) if widths[n] > least[n]), key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def _pad(cell: Long, width: int, right: bool) -> str:
    text = _cut(cell, width)
    space = " " * (width - cells_of(text))
    return space + text if right else text + space


def _cut(cell: Long, width: int) -> str:
    if cells_of(cell.text) <= width:
        return cell.text
    kept = cell.text.lstrip(" ")
    indent = cell.text[: len(cell.text) - len(kept)]
    while kept and cells_of(indent + kept) > width - 1:
        kept = kept[1:] if cell.front else kept[:-1]
    return f"{indent}…{kept}" if cell.front else f"{indent}{kept}…"


def cells_of(text: str) -> int:
    """Return how many cells of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
