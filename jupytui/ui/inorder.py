"""Keys and pastes take effect in the order in which they came, also when many come at once."""

from __future__ import annotations

from collections import deque
from typing import TypeVar

from textual import events
from textual.app import App
from textual.message import Message

T = TypeVar("T")
LOST = 0.3  # seconds, or twice that, after which a key whose widget has gone with it keeps no other waiting


class Taken(Message):
    """Follows a key up through the widgets: when it comes to the program, all of them have seen that key."""

    def __init__(self, event: events.Event) -> None:
        super().__init__()
        self.event = event


class InOrder(App[T], inherit_bindings=False):
    """An App that gives a key to a widget when the one before it has done all that it does.

    Textual gives each at once to what has the focus, but asks what a key means only when it comes back from there:
    of "name", tab, "word" typed while the machine was busy, all letters would be in the first field, and an enter would
    take what was typed after it. A key that was pressed before a dialog was seen is not meant for it.
    """

    _under_way: events.Event | None = None
    _watched: events.Event | None = None  # one timer for however many wait

    def __init__(self, *, ansi_color: bool | None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._waiting: deque[events.Key | events.Paste] = deque()

    async def on_event(self, event: events.Event) -> None:
        """Take a key now or in its turn; everything else as it comes."""
        if not isinstance(event, events.Key | events.Paste):
            await super().on_event(event)
        elif event.is_forwarded:
            await super().on_event(event)
            await self._done(event)
        elif self._under_way:
            self._waiting.append(event)
            self._watch()
        else:
            await self._take(event)

    async def _take(self, event: events.Key | events.Paste) -> None:
        if isinstance(event, events.Key) and event.time < getattr(self.screen, "seen_at", 0.0):
            return
        target = self.focused or self.screen
        await super().on_event(event)
        # A widget may keep it to itself: then only what follows it tells.
        if event.is_forwarded and target.post_message(Taken(event)):
            self._under_way = event

    async def on_taken(self, taken: Taken) -> None:
        """Go on with the next one."""
        await self._done(taken.event)

    async def _done(self, event: events.Event) -> None:
        if event is not self._under_way:
            return
        self._under_way = None
        while self._waiting and not self._under_way:
            await self._take(self._waiting.popleft())
        if self._waiting:
            self._watch()

    def _watch(self) -> None:
        if self._watched is None:
            self._watched = self._under_way
            self.set_timer(LOST, self._look)

    async def _look(self) -> None:
        event, self._watched = self._watched, None
        if event and event is self._under_way:
            await self._done(event)
        elif self._waiting:
            self._watch()
