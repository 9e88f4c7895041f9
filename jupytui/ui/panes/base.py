"""What every pane is: something with a digit and a title that shows a part of the fleet and says what is selected."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import ClassVar

from textual.message import Message
from textual.widget import Widget

from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject


class Pane(Widget):
    """One of the digits' places. The app calls `show_store` at most once a tick, with the hosts that changed."""

    DIGIT: ClassVar[str]
    TITLE: ClassVar[str]
    HINTS: ClassVar[tuple[str, ...]] = ()  # ids of the actions its footer shows first
    FILTER: ClassVar[str] = "filter"  # what `/` does
    TAKEN: ClassVar[frozenset[str]] = frozenset()  # keys that mean something of its own in here
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (  # what the list itself does, for the help page
        ("↑ ↓ j k", "Move"),
        ("g G", "First, last"),
        ("enter", "In"),
        ("space", "Mark"),
        ("s", "Sort by the next column"),
    )

    class Selected(Message):
        """The cursor moved to another thing; what is selected is the scope everywhere."""

        def __init__(self, subject: Subject) -> None:
            super().__init__()
            self.subject = subject

    class Opened(Message):
        """Enter was pressed on a thing."""

        def __init__(self, subject: Subject) -> None:
            super().__init__()
            self.subject = subject

    def show_store(self, store: Store, changed: Set[str] | None = None) -> None:
        """Draw what is known; `changed` names the hosts that differ since the last call, None means everything."""
        raise NotImplementedError

    @property
    def subject(self) -> Subject:
        """What the cursor is on; the whole fleet where there is nothing."""
        return Subject()

    @property
    def own_hints(self) -> Sequence[tuple[str, str]]:
        """Return keys of the pane's own, each with a word, for the last line."""
        return ()

    @property
    def chosen(self) -> Sequence[Subject]:
        """What an action is about: everything marked, else what the cursor is on."""
        return (self.subject,)

    def narrow_to(self, subject: Subject) -> None:
        """Show only what lies within `subject` (a pane without scope ignores it)."""

    def put_away(self) -> None:
        """Another pane is shown instead."""

    def work_ended(self) -> None:
        """An action is over: what it did may be seen now."""

    def clear_marks(self) -> None:
        """Mark nothing."""

    def filter_by(self, text: str) -> int | None:
        """Keep only rows that match `text` (empty: all); return how many are left, None if the pane says so itself."""
        raise NotImplementedError
