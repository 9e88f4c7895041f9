"""The last line: the keys that are valid now, and what is under way."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

Hint = tuple[str, str]
GAP = 3
NOTE = 26  # cells that a note has in any case


class FooterLine(Static):
    """As many hints as fit, the last ones (`always`) in any case; `note` at the right end."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._shown: object = None

    def show(self, hints: Sequence[Hint], always: Sequence[Hint], note: str) -> None:
        """Draw the line; nothing is written when it is as it was."""
        width = self.app.size.width - 2
        state = (tuple(hints), tuple(always), note, width)
        if self._shown != state:
            self._shown = state
            self.update(footer_text(*state), layout=False)


def footer_text(hints: Sequence[Hint], always: Sequence[Hint], note: str, width: int) -> Content:
    """Return the line in `width` cells."""
    gap = GAP if width >= 70 else 2
    longest = max(NOTE, width - _cells(always, gap) - gap)
    right = Content.styled(note, "$warning").truncate(longest, ellipsis=True) if note else Content("")
    room = width - (right.cell_length + gap if note else 0)
    kept = _fitting(hints, room - _cells(always, gap) - gap, gap)
    left = Content(" " * gap).join([_hint(*hint) for hint in (*kept, *always)])
    left = left.truncate(max(0, room))
    return Content.assemble(left, " " * max(0, width - left.cell_length - right.cell_length), right)


def _fitting(hints: Sequence[Hint], room: int, gap: int) -> Sequence[Hint]:
    for number in range(len(hints), 0, -1):
        if _cells(hints[:number], gap) <= room:
            return hints[:number]
    return ()


def _cells(hints: Sequence[Hint], gap: int) -> int:
    return sum(_hint(*hint).cell_length for hint in hints) + gap * max(0, len(hints) - 1)


def _hint(key: str, words: str) -> Content:
    return Content.assemble((key, "$accent"), (f" {words}", "$muted"))
