"""How something ended: one line a step, and below what failed why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from jupytui.actions.base import Finding, Result
from jupytui.ui.dialogs.base import Dialog, words
from jupytui.ui.format.glyphs import DOWN, FAILED, UP, WARNING

_GLYPHS = {"ok": UP, "warning": WARNING, "failed": FAILED, "skipped": DOWN}


class ResultDialog(Dialog[bool]):
    """True when the person wants its address on the clipboard."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", show=False),
        Binding("enter,q", "leave", show=False),
    ]

    def __init__(self, result: Result) -> None:
        copies = "y copies the address · " if result.url else ""
        super().__init__(result.title, f"{copies}escape leaves", grave=not result.good)
        self._result = result

    def body(self) -> Iterable[Widget]:
        """The address, the steps, and what is to be read."""
        if self._result.url:
            yield words(self._result.url)
        for number, finding in enumerate(self._result.findings):
            yield words(line(finding), "gap" if self._result.url and not number else "")
            if finding.details:
                yield words("\n".join(f"  {detail}" for detail in finding.details), "hint")
        for note in self._result.notes:
            yield words(note, "gap hint")

    def action_copy(self) -> None:
        """Put the address on the clipboard."""
        if self._result.url:
            self.dismiss(True)


def line(finding: Finding) -> str:
    """Return one step: state in a glyph and, unless all is well, a word."""
    state = "" if finding.state == "ok" else f"{finding.state}: "
    return f"{_GLYPHS.get(finding.state, DOWN)} {finding.what}: {state}{finding.words}"
