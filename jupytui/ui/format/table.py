"""Columns that make room for each other: pure, from a model and a width to a line.

As a terminal gets narrower the least important columns go, the important ones never. A text that is too long for its
column runs on over empty cells to its right, as in a spreadsheet; that is how a sentence stands in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct

from jupytui.ui.format.line import Line, Span, cut_line, length, merge, plain
from jupytui.ui.format.look import Look

Cell = Callable[[Any, Look], Line]


class Column(Struct, frozen=True, eq=False):
    """One column, at least `width` cells wide, with `grow` shares of the room that is left, up to `most` cells.

    Columns of `rank` 0 are always there, others go from the highest rank on; `gap` is the least number of blanks
    before it. A `firm` text that has no room to its right starts further left, over the blanks of the cell before, if
    that saves it from being cut.
    """

    title: str
    width: int
    cell: Cell
    rank: int = 0
    right: bool = False
    grow: int = 0
    most: int = 1000
    firm: bool = False
    gap: int = 2


class Place(NamedTuple):
    """Where a column stands: cells from the left, and how wide."""

    column: Column
    x: int
    width: int


class Table(Struct, frozen=True, eq=False):
    """Some columns; `tone` may give a whole row one style (`dim` for what is old)."""

    columns: tuple[Column, ...]
    tone: Callable[[Any, Look], str] = lambda _model, _look: ""

    def row(self, model: Any, look: Look, width: int) -> Line:
        """Return the line of `model`."""
        places = place(self.columns, width)
        line = _lay(places, [spot.column.cell(model, look) for spot in places], width)
        tone = self.tone(model, look)
        return merge(Span(span.text, tone) for span in line) if tone else line

    def header(self, width: int, accent: str = "") -> Line:
        """Return the line of titles; the title `accent` stands out (the rows are sorted by it)."""
        places = place(self.columns, width)
        titles = [(Span(spot.column.title, "accent" if spot.column.title == accent else "dim"),) for spot in places]
        return _lay(places, [title if title[0].text else () for title in titles], width)


@lru_cache(maxsize=64)
def place(columns: tuple[Column, ...], width: int) -> tuple[Place, ...]:
    """Choose the columns that `width` has room for and say where they stand."""
    chosen: list[Column] = []
    spare = width
    for column in sorted(columns, key=lambda column: column.rank):
        need = column.width + (column.gap if column is not columns[0] else 0)
        if column.rank == 0 or need <= spare:
            chosen.append(column)
            spare -= need
    kept = [column for column in columns if column in chosen]
    return _positions(kept, _widths(kept, spare))


def _positions(columns: Sequence[Column], widths: Sequence[int]) -> tuple[Place, ...]:
    places: list[Place] = []
    x = 0
    for column, width in zip(columns, widths, strict=True):
        x += column.gap if places else 0
        places.append(Place(column, x, width))
        x += width
    return tuple(places)


def _widths(columns: Sequence[Column], spare: int) -> list[int]:
    widths = [column.width for column in columns]
    if spare < 0:  # nothing is left to drop: the first column, the name, gives way
        widths[0] = max(4, widths[0] + spare)
        return widths
    while spare > 0:
        growing = [i for i, column in enumerate(columns) if column.grow and widths[i] < column.most]
        if not growing:
            break
        shares = sum(columns[i].grow for i in growing)
        for i in growing:
            extra = min(-(-spare * columns[i].grow // shares), columns[i].most - widths[i], spare)
            shares -= columns[i].grow
            widths[i] += extra
            spare -= extra
    return widths


_Filled = tuple[Place, Line, int]  # where it stands, what is in it, how many cells that takes


def _lay(places: Sequence[Place], row: Sequence[Line], width: int) -> Line:
    filled = [(spot, cell, length(cell)) for spot, cell in zip(places, row, strict=True) if cell]
    starts = _starts(filled, width)
    spans: list[tuple[str, str]] = []
    end = 0
    for (_spot, cell, long), start, after in zip(filled, starts, [*starts[1:], width + 1], strict=True):
        room = max(0, after - 1 - start)
        if long > room:
            cell = cut_line(cell, room)
            long = length(cell)
        spans += ((" " * (start - end), ""), *cell)
        end = start + long
    return merge(spans)


def _starts(filled: Sequence[_Filled], width: int) -> list[int]:
    starts = [max(0, spot.x + spot.width - long) if spot.column.right else spot.x for spot, _cell, long in filled]
    for index in range(len(filled) - 1, 0, -1):
        spot, _cell, long = filled[index]
        limit = starts[index + 1] - 1 if index + 1 < len(filled) else width
        if spot.column.firm and starts[index] + long > limit:
            before, _cell, taken = filled[index - 1]
            floor = before.x + min(taken, before.column.width) + 1
            starts[index] = limit - long if limit - long >= floor else starts[index]
    return starts


def beside(left: Line, right: Line, width: int) -> Line:
    """Return `left` at the left and `right` at the right end of one line; the left one is cut when they meet."""
    left = cut_line(left, max(0, width - length(right) - (2 if right else 0)))
    gap = width - length(left) - length(right)
    return merge((*left, *plain(" " * gap), *right)) if right else left


def flow(items: Sequence[Line], width: int, gap: int = 4) -> list[Line]:
    """Return `items` as lines of equal columns, as many beside each other as `width` has room for."""
    wide = min(width, max((length(item) for item in items), default=0))
    per_line = max(1, (width + gap) // (wide + gap))
    return [_join(items[i : i + per_line], wide, gap) for i in range(0, len(items), per_line)]


def _join(items: Sequence[Line], wide: int, gap: int) -> Line:
    spans: list[Span] = []
    for number, item in enumerate(items):
        spans += plain(" " * (number * (wide + gap) - length(tuple(spans))))
        spans += cut_line(item, wide)
    return merge(spans)
