"""What a log reader hands on: raw bytes of lines, and remarks of ours between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Marker:
    """A remark of ours that stands between two lines: skipped, rotated, truncated, missing."""

    text: str


Event = bytes | Marker
Batch = Sequence[Event]


class Tail(Protocol):
    """One source's side of the conversation, without IO: what to run, and what the answer means.

    It remembers how far it came, so `begin` always asks for exactly what is missing.
    """

    @property
    def again(self) -> bool:
        """Whether what runs is of no use any more, and `begin` must be asked anew."""
        ...

    def begin(self, live: bool) -> tuple[str, tuple[str, ...]]:
        """Return the script and its arguments for a new stream; `live`: go on for ever, else to the end as it is."""
        ...

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes of the stream; return what is new in them."""
        ...

    def ended(self, host: str, status: int, stderr: bytes) -> None:
        """The script has ended by itself with `status`. Raises CommandError unless that is well, or sets `again`."""
        ...

    def silent(self, stderr: bytes) -> list[Event]:
        """Nothing has come for a while after the beginning; return what there is to say about it."""
        ...
