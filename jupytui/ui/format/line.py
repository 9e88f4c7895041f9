"""Styled text by the cell: what every widget draws.

Text is taken as it is: nothing here or further on reads markup.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size

from jupytui.ui.format.span import Line, Span, plain

__all__ = [
    "ELLIPSIS",
    "Line",
    "Span",
    "cells",
    "cut",
    "cut_line",
    "length",
    "merge",
    "pad",
    "plain",
    "wrap",
    "wrap_within",
]

ELLIPSIS = "…"


def cells(text: str) -> int:
    """Return how many cells `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def length(line: Line) -> int:
    """Return how many cells `line` takes."""
    return cells(line[0].text) if len(line) == 1 else sum([cells(span.text) for span in line])


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, the cut marked by an ellipsis; never half a wide character."""
    if cells(text) <= width:
        return text
    if width < 1:
        return ""
    return set_cell_size(text, width - 1).rstrip(" ") + ELLIPSIS


def cut_line(line: Line, width: int) -> Line:
    """Return `line` in at most `width` cells."""
    if length(line) <= width:
        return line
    kept: list[Span] = []
    for span in line:
        room = width - length(tuple(kept))
        if cells(span.text) > room:
            return (*kept, span._replace(text=cut(span.text, room)))
        kept.append(span)
    return line


def merge(spans: Iterable[tuple[str, str]]) -> Line:
    """Join neighbours of one style; blanks take on their neighbour's, for every change of style costs bytes.

    Takes text and style also as bare pairs: this is what drawing a long list is made of, and a Span costs more.
    """
    merged: list[Span] = []
    texts: list[str] = []
    style, blank = "", True
    for text, own in spans:
        if not text:
            continue
        space = text.isspace()
        if blank:
            style, blank = own, space
        elif own != style and not space:
            merged.append(Span("".join(texts), style))
            texts, style = [], own
        texts.append(text)
    return (*merged, Span("".join(texts), style)) if texts else ()


def wrap(text: str, width: int) -> list[str]:
    """Break `text` at blanks into lines of at most `width` cells; a word longer than that is broken too."""
    lines: list[str] = []
    for word in text.split():
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += " " + word
        else:
            lines.extend(_pieces(word, max(2, width)))
    return lines


def wrap_within(text: str, width: int, most: int) -> list[str]:
    """Return what `wrap` does, at most so many lines; what is cut off is marked by an ellipsis."""
    lines = wrap(text, width)
    return lines if len(lines) <= most else [*lines[: most - 1], cut(" ".join(lines[most - 1 :]), width)]


def _pieces(word: str, width: int) -> list[str]:
    pieces = []
    while cells(word) > width:
        head = set_cell_size(word, width).rstrip(" ")
        pieces.append(head)
        word = word[len(head) :]
    return [*pieces, word]


def pad(text: str, width: int) -> str:
    """Return `text` in exactly `width` cells, at the left, cut if need be."""
    text = cut(text, width)
    return text + " " * (width - cells(text))
