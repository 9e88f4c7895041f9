"""What is seen of a long text, by a text of which the lines are as high as their numbers say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupytui.ui.widgets.window import Place, Window

HEIGHT = 5


class Text:
    """Lines `first` to `end`, only those with `step`."""

    def __init__(self, end: int, first: int = 0) -> None:
        self.first, self.end = first, end

    def after(self, number: int) -> int | None:
        found = max(number + 1, self.first)
        return found if found < self.end else None

    def before(self, number: int) -> int | None:
        found = min(number, self.end) - 1
        return found if found >= self.first else None


def window(text: Text) -> Window:
    return Window(text, lambda number: 1 + number % 3)


def everything(text: Text) -> list[Place]:
    return [Place(number, part) for number in range(text.first, text.end) for part in range(1 + number % 3)]


def test_it_follows_the_end_until_it_is_scrolled_up() -> None:
    text = Text(10)
    seen = window(text)
    assert seen.seen(HEIGHT) == everything(text)[-HEIGHT:]
    text.end = 20
    assert seen.seen(HEIGHT) == everything(text)[-HEIGHT:]
    seen.scroll(-1, HEIGHT)
    assert not seen.follows
    there = seen.seen(HEIGHT)
    text.end = 30
    assert seen.seen(HEIGHT) == there


def test_scrolled_down_to_the_end_it_follows_again() -> None:
    seen = window(Text(10))
    seen.scroll(-3, HEIGHT)
    seen.scroll(2, HEIGHT)
    assert not seen.follows
    seen.scroll(1, HEIGHT)
    assert seen.follows


def test_what_was_dropped_while_somebody_reads_it_gives_way_to_the_oldest_that_is_left() -> None:
    text = Text(50)
    seen = window(text)
    seen.go_first()
    text.first = 20
    assert seen.seen(HEIGHT) == everything(text)[:HEIGHT]


def test_a_line_looked_for_has_some_lines_before_it() -> None:
    seen = window(Text(50))
    seen.reveal(30, 9)
    places = seen.seen(9)
    assert places.index(Place(30)) == 3
    seen.reveal(49, 9)
    assert Place(49) in seen.seen(9)
    assert len(seen.seen(9)) == 9


def test_nothing_is_nothing() -> None:
    seen = window(Text(0))
    seen.scroll(3, HEIGHT)
    seen.go_first()
    assert seen.seen(HEIGHT) == []


@given(st.integers(1, 30), st.lists(st.integers(-12, 12), max_size=20), st.integers(1, 12))
def test_however_it_is_scrolled_a_whole_screen_without_gap_is_seen(count: int, moves: list[int], height: int) -> None:
    text = Text(count)
    seen, every = window(text), everything(text)
    for move in moves:
        seen.scroll(move, height)
        places = seen.seen(height)
        start = every.index(places[0])
        assert places == every[start : start + height]
        assert len(places) == min(height, len(every))
