from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.events import MouseMove, MouseScrollDown

from jupytui.ui.format.line import Line, Span, plain
from jupytui.ui.widgets.rows import Rows
from tests.ui.fleets import HOSTILE
from tests.ui.host_app import BareApp
from tests.ui.terminal import on_terminal

SIZE = (120, 24)


class Item(Struct, frozen=True):
    key: str
    text: str = ""
    number: int = 0


class ListApp(BareApp):
    def __init__(self, rows: Sequence[Item], note: str = "") -> None:
        super().__init__()
        self.rows = Rows(self.draw)
        self.first = rows
        self.note = note
        self.drawn: list[str] = []
        self.opened: list[object] = []
        self.moved: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.rows

    def on_mount(self) -> None:
        self.rows.focus()
        self.rows.set_rows(self.first, self.note)

    def on_rows_opened(self, event: Rows.Opened) -> None:
        self.opened.append(event.key)

    def on_rows_moved(self, event: Rows.Moved) -> None:
        self.moved.append(event.key)

    def draw(self, item: Item, _width: int) -> Line:
        self.drawn.append(item.key)
        return (Span((item.text or item.key).ljust(30), "title"), Span("● up", "good"), Span(f"{item.number:>80}"))

    def line(self, y: int) -> str:
        return self.rows.render_line(y).text


def key_of(app: ListApp) -> object:
    return app.rows.key


def items(count: int) -> list[Item]:
    return [Item(f"row {i:05}") for i in range(count)]


async def test_cursor_stays_on_its_row_while_rows_come_go_and_change_places() -> None:
    app = ListApp(items(10))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("j", "down", "down")
        assert app.rows.key == "row 00003"
        app.rows.set_rows([Item("new"), *reversed(items(10))])
        assert app.rows.key == "row 00003"
        app.rows.set_rows([item for item in items(10) if item.key != "row 00001"])
        assert app.rows.key == "row 00003"


async def test_cursor_goes_to_the_neighbour_when_its_row_goes_and_says_so() -> None:
    app = ListApp(items(4))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("G")
        app.rows.set_rows(items(3))
        await pilot.pause()
        assert key_of(app) == "row 00002"
        app.rows.set_rows([])
        await pilot.pause()
        assert app.moved[-2:] == ["row 00002", None]
        app.rows.set_rows(items(2))
        assert key_of(app) == "row 00000"


async def test_a_row_that_comes_back_gets_the_cursor_back_unless_somebody_moved_it() -> None:
    app = ListApp(items(4))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("j", "j")
        app.rows.set_rows([item for item in items(4) if item.key != "row 00002"])
        assert key_of(app) == "row 00003"
        app.rows.set_rows([])
        app.rows.set_rows(list(reversed(items(4))))
        assert key_of(app) == "row 00002"
        app.rows.set_rows([item for item in items(4) if item.key != "row 00002"])
        await pilot.press("k")
        chosen = key_of(app)
        app.rows.set_rows(items(4))
        assert key_of(app) == chosen != "row 00002"


async def test_a_filter_takes_the_cursor_to_what_is_left_for_good() -> None:
    app = ListApp(items(4))
    async with app.run_test(size=SIZE):
        app.rows.let_go()
        app.rows.set_rows(items(4)[2:])
        app.rows.let_go()
        app.rows.set_rows(items(4))
        assert key_of(app) == "row 00002"


@pytest.mark.parametrize(
    ("keys", "index"),
    [("jjk", 1), ("G", 99), ("Gg", 0), (("end", "up"), 98), (("pagedown",), 23), (("pagedown", "pageup"), 0)],
)
async def test_keys_move_the_cursor(keys: Sequence[str], index: int) -> None:
    app = ListApp(items(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(*keys)
        assert app.rows.key == f"row {index:05}"
        assert any("›" in app.line(y) and f"{index:05}" in app.line(y) for y in range(SIZE[1]))


async def test_marks_follow_their_rows_and_go_with_them() -> None:
    app = ListApp(items(5))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("space", "space", "j", "space")
        assert app.rows.marked == ["row 00000", "row 00001", "row 00003"]
        app.rows.set_rows(list(reversed(items(3))))
        assert app.rows.marked == ["row 00001", "row 00000"]
        app.rows.clear_marks()
        assert app.rows.marked == []
        assert "✓" not in "".join(app.line(y) for y in range(5))


async def test_only_visible_rows_are_formatted_and_a_move_formats_two() -> None:
    app = ListApp(items(10_000))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        assert len(set(app.drawn)) == SIZE[1]
        app.drawn.clear()
        await pilot.press("j")
        assert sorted(app.drawn) == ["row 00000", "row 00001"]
        app.drawn.clear()
        await pilot.press("G")
        assert len(app.drawn) == SIZE[1]


async def test_nothing_is_written_when_nothing_differs() -> None:
    app = ListApp(items(50))
    async with on_terminal(app, SIZE) as terminal:
        app.rows.set_rows(items(50))
        app.rows.redraw()
        assert await terminal.written() == ""


async def test_one_changed_row_writes_at_most_300_bytes() -> None:
    rows = items(50)
    app = ListApp(rows)
    async with on_terminal(app, SIZE) as terminal:
        app.rows.set_rows([replace(row, number=7) if row.key == "row 00009" else row for row in rows])
        written = await terminal.written()
        assert "7" in written
        assert len(written.encode()) <= 300


async def test_the_selected_row_has_one_style_that_can_be_read() -> None:
    app = ListApp(items(2))
    async with app.run_test(size=SIZE):
        selected, other = (list(app.rows.render_line(y)) for y in (0, 1))
        assert len({segment.style for segment in other}) > 1
        assert len(selected) == 1


async def test_a_change_out_of_sight_writes_nothing() -> None:
    rows = items(50)
    app = ListApp(rows)
    async with on_terminal(app, SIZE) as terminal:
        app.rows.set_rows([replace(row, number=7) if row.key == "row 00049" else row for row in rows])
        assert await terminal.written() == ""


async def test_moving_the_mouse_about_writes_nothing() -> None:
    app = ListApp(items(50))
    async with on_terminal(app, SIZE) as terminal:
        await terminal.pilot.hover(offset=(1, 1))
        await terminal.written()
        for y in range(SIZE[1]):
            app.screen._forward_event(MouseMove(app.rows, 5, y, 0, 0, 0, False, False, False, 5, y))
        assert await terminal.written() == ""


async def test_a_click_selects_and_a_double_click_opens() -> None:
    app = ListApp(items(10))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.click(offset=(10, 4))
        assert key_of(app) == "row 00004"
        assert app.opened == []
        await pilot.click(offset=(10, 2), times=2)
        assert app.opened == ["row 00002"]
        await pilot.click(offset=(10, 15))
        assert key_of(app) == "row 00002"


async def test_the_wheel_moves_the_view_and_takes_the_cursor_along() -> None:
    app = ListApp(items(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot._post_mouse_events([MouseScrollDown], offset=(3, 3))
        assert "row 00003" in app.line(0)
        assert app.rows.key == "row 00003"


async def test_the_terminals_own_cursor_is_where_the_selection_is() -> None:
    app = ListApp(items(100))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("j", "j")
        assert app.cursor_position == (0, 2)
        await pilot.press("G")
        assert app.cursor_position == (0, SIZE[1] - 1)


async def test_a_thumb_shows_where_in_a_long_list_one_is() -> None:
    app = ListApp(items(100))
    async with app.run_test(size=SIZE) as pilot:
        assert app.line(0).endswith("┃")
        await pilot.press("G")
        assert app.line(SIZE[1] - 1).endswith("┃")
        assert not app.line(0).endswith("┃")


@pytest.mark.parametrize("width", [45, 80, 120])
async def test_hostile_names_are_drawn_as_they_are_and_keep_the_width(width: int) -> None:
    rows = [Item(str(i), name) for i, name in enumerate(HOSTILE)]
    app = ListApp(rows)
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.click(offset=(6, 1))
        await pilot.pause()
        assert app.is_running
        assert "[/]" in app.line(0)
        assert "[@click=app.quit]x[/]" in app.line(1)
        assert {cell_len(app.line(y)) for y in range(24)} == {width}


async def test_no_control_byte_reaches_the_terminal_even_if_it_came_this_far() -> None:
    app = ListApp([Item("a", "evil \x1b]52;c;Zm9v\x07\x9b31m\r\n\u202e end")])
    async with on_terminal(app, SIZE) as terminal:
        app.rows.set_rows([Item("b", "bad \x1b]52;c;Zm9v\x07\x9b31m\r\n\u202e end")])
        written = await terminal.written()
        assert "bad" in written
        assert "\x1b]52" not in written
        assert not set("\x07\x9b\r\u202e") & set(written)


async def test_text_below_the_rows_is_wrapped_and_cannot_be_selected() -> None:
    app = ListApp(items(1), "No Jupyter server runs here. " * 3)
    async with app.run_test(size=(45, 24)) as pilot:
        await pilot.press("down", "down")
        assert key_of(app) == "row 00000"
        assert "No Jupyter server runs here." in app.line(2)
        assert "No Jupyter server" in app.line(3)


async def test_ascii_terminals_get_ascii_signs() -> None:
    app = ListApp(items(1))
    app.add_class("-ascii")
    async with app.run_test(size=SIZE):
        assert app.line(0).startswith(">")
        assert "* up" in app.line(0)
        assert app.line(0).isascii()


async def test_lines_are_drawn_in_the_colours_of_the_theme_that_is_chosen() -> None:
    app = ListApp(items(2))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        before = list(app.rows.render_line(1))
        app.theme = "textual-light"
        await pilot.pause()
        assert list(app.rows.render_line(1)) != before


def test_plain_text_of_nothing_is_no_line() -> None:
    assert plain("") == ()
