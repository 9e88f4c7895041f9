"""Which part of a long text is seen, when its lines may take more than one line of the screen each. No drawing here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol


class Numbers(Protocol):
    """The numbers of the lines there are, in order: all of them, or those that pass a filter."""

    def after(self, number: int) -> int | None:
        """Return the next one."""
        ...

    def before(self, number: int) -> int | None:
        """Return the one before."""
        ...


class Place(NamedTuple):
    """One line of the screen: which line of the text, and which part of that."""

    number: int
    part: int = 0


class Window:
    """Stands on the end, and goes with it, or on a place, and stays there whatever comes.

    `parts` says how many lines of the screen a line takes. Nothing is kept of what is not seen, so that it does not
    matter how long the text is.
    """

    def __init__(self, numbers: Numbers, parts: Callable[[int], int]) -> None:
        self.numbers = numbers
        self._parts = parts
        self._top: Place | None = None

    @property
    def follows(self) -> bool:
        """Whether it stands on the end."""
        return self._top is None

    def follow(self) -> None:
        """Stand on the end."""
        self._top = None

    def hold(self, height: int) -> None:
        """Stay at what is seen."""
        seen = self.seen(height)
        self._top = seen[0] if seen else None

    def go_first(self) -> None:
        """Stand on the beginning."""
        first = self.numbers.after(-1)
        self._top = None if first is None else Place(first)

    def reveal(self, number: int, height: int) -> None:
        """Show `number` with a third of the screen before it."""
        place = Place(number)
        self._top = self._moved(place, -(height // 3))

    def scroll(self, by: int, height: int) -> None:
        """Move by lines of the screen; at the end it follows again."""
        seen = self.seen(height)
        if not seen:
            return
        self._top = self._moved(seen[0], by)
        if by > 0 and self.at_end(self.seen(height)):
            self._top = None

    def at_end(self, seen: Sequence[Place]) -> bool:
        """Whether the last line is among these."""
        return not seen or self._next(seen[-1]) is None

    def seen(self, height: int) -> list[Place]:
        """Return the places on a screen of that many lines; fewer when there are no more."""
        if self._top is None:
            return self._ending(self._last(), height)
        top = self._kept(self._top)
        places = [top] if top else []
        while places and len(places) < height and (place := self._next(places[-1])):
            places.append(place)
        missing = height - len(places)
        return self._ending(self._previous(places[0]), missing) + places if places and missing > 0 else places

    def _ending(self, last: Place | None, height: int) -> list[Place]:
        places: list[Place] = []
        while last and len(places) < height:
            places.append(last)
            last = self._previous(last)
        return places[::-1]

    def _last(self) -> Place | None:
        number = self.numbers.before(2**62)
        return None if number is None else Place(number, self._parts(number) - 1)

    def _kept(self, place: Place) -> Place | None:
        """Return the place itself, or the nearest one if its line is not there (any more) or is laid out anew."""
        number = self.numbers.after(place.number - 1)
        if number is None:
            return self._last()
        return Place(number, min(place.part, self._parts(number) - 1) if number == place.number else 0)

    def _moved(self, place: Place, by: int) -> Place:
        for _ in range(abs(by)):
            to = self._next(place) if by > 0 else self._previous(place)
            if to is None:
                break
            place = to
        return place

    def _next(self, place: Place) -> Place | None:
        if place.part + 1 < self._parts(place.number):
            return Place(place.number, place.part + 1)
        number = self.numbers.after(place.number)
        return None if number is None else Place(number)

    def _previous(self, place: Place) -> Place | None:
        if place.part:
            return Place(place.number, place.part - 1)
        number = self.numbers.before(place.number)
        return None if number is None else Place(number, self._parts(number) - 1)
