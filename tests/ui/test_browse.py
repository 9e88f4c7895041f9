"""A field that is browsed on the host: what is shown, where keys lead, what is filled in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from jupytui.actions.base import Answers, Field, Form
from jupytui.errors import CommandError
from jupytui.ui.dialogs.browse import BrowseDialog, parent
from jupytui.ui.dialogs.form import FormDialog
from jupytui.ui.program import Program
from tests.ui.program import running, text

SIZES = [(45, 30), (40, 12), (120, 40)]
TREE = {
    "/": ("home",),
    "~/..": ("me",),
    "~": (".cache", "[/]", "data", "work"),
    "~/[/]": (),
    "~/work": ("deep", "dull"),
    "~/work/deep": (),
}


class Tree:
    """Directories that answer when `open` is set."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, path: str) -> Sequence[str]:
        await self.open.wait()
        if path not in TREE:
            raise CommandError(f"{path} on h1 may not be read.")
        return TREE[path]


class Filled:
    """A form on the screen of the real program, and what became of it."""

    def __init__(self, program: Program, pilot: Pilot[int], tree: Tree) -> None:
        self.program, self.pilot, self.tree = program, pilot, tree
        self.answers: list[Answers | None] = []

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()
        await self.pilot.pause()

    @property
    def text(self) -> str:
        return text(self.program)

    @property
    def value(self) -> str:
        assert isinstance(self.program.screen, FormDialog)
        return self.program.screen.query_one(Input).value


@asynccontextmanager
async def form(home: Path, size: tuple[int, int] = (80, 24), value: str = "~") -> AsyncIterator[Filled]:
    tree = Tree()
    async with running(home, size) as (program, pilot):
        filled = Filled(program, pilot, tree)
        fields = (Field("root_dir", "Directory", value, help="what is shown", browse=tree), Field("port", "Port"))
        await program.push_screen(FormDialog(Form("New server", fields)), filled.answers.append)
        await pilot.pause()
        yield filled


@pytest.mark.parametrize("size", SIZES)
async def test_the_form_names_the_key_and_the_directories_are_all_seen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with form(tmp_path, size) as shown:
        assert "ctrl+o browses" in " ".join(shown.text.split())
        await shown.press("ctrl+o")
        for seen in ("~", "..", "[/]", "data", "work", "ctrl+s takes", "← up", "esc leaves", "1 hidden: type a dot."):
            assert seen in shown.text
        assert ".cache" not in shown.text


async def test_enter_goes_in_and_what_is_taken_is_filled_in(tmp_path: Path) -> None:
    async with form(tmp_path) as shown:
        await shown.press("ctrl+o", *"work", "enter")
        assert "~/work" in shown.text
        assert "dull" in shown.text
        await shown.press("enter", "ctrl+s")
        assert shown.value == "~/work/deep"
        assert shown.answers == []
        await shown.press("enter", "enter")
        assert shown.answers == [{"root_dir": "~/work/deep", "port": ""}]


@pytest.mark.parametrize("up", ["left", "backspace"])
async def test_up_goes_up_with_the_cursor_where_one_was(tmp_path: Path, up: str) -> None:
    async with form(tmp_path, value="~/work") as shown:
        await shown.press("ctrl+o", up)
        await shown.press("enter", "ctrl+s")
        assert shown.value == "~/work"


@pytest.mark.parametrize("up", ["left", "backspace"])
async def test_in_what_is_typed_these_keys_do_not_go_up(tmp_path: Path, up: str) -> None:
    async with form(tmp_path, value="~/work") as shown:
        await shown.press("ctrl+o", "d", "u", up, "ctrl+s")
        assert shown.value == "~/work"


async def test_the_two_dots_go_up_too(tmp_path: Path) -> None:
    async with form(tmp_path, value="~/work") as shown:
        await shown.press("ctrl+o", "up", "enter", "ctrl+s")
        assert shown.value == "~"


async def test_hidden_directories_are_there_for_who_types_the_dot(tmp_path: Path) -> None:
    async with form(tmp_path) as shown:
        await shown.press("ctrl+o", "full_stop")
        assert ".cache" in shown.text
        assert "data" not in shown.text


async def test_a_name_full_of_markup_is_only_a_name(tmp_path: Path) -> None:
    async with form(tmp_path) as shown:
        await shown.press("ctrl+o", "enter")
        assert "~/[/]" in shown.text
        assert "No directories in here." in shown.text
        await shown.press("ctrl+s")
        assert shown.value == "~/[/]"


@pytest.mark.parametrize("size", SIZES)
async def test_what_cannot_be_read_says_so_is_not_taken_and_can_be_left_upwards(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with form(tmp_path, size) as shown:
        await shown.press("ctrl+o", *"data", "enter")
        assert "~/data on h1 may not be read." in shown.text
        await shown.press("ctrl+s")
        assert isinstance(shown.program.screen, BrowseDialog)
        await shown.press("left")
        assert "may not be read" not in shown.text
        assert "work" in shown.text


async def test_leaving_it_leaves_the_field_as_it_was(tmp_path: Path) -> None:
    async with form(tmp_path, value="~/work") as shown:
        await shown.press("ctrl+o", "enter", "escape")
        assert shown.value == "~/work"


async def test_a_host_that_takes_its_time_holds_nothing_up(tmp_path: Path) -> None:
    async with form(tmp_path) as shown:
        shown.tree.open.clear()
        await shown.press("ctrl+o")
        assert "Looking…" in shown.text
        await shown.press("enter", "escape")
        assert shown.value == "~"
        await shown.press("ctrl+o")
        shown.tree.open.set()
        await shown.press()
        assert "work" in shown.text
        assert "Looking…" not in shown.text


async def test_a_field_that_is_not_browsed_ignores_the_key(tmp_path: Path) -> None:
    async with form(tmp_path) as shown:
        await shown.press("enter", "ctrl+o")
        assert isinstance(shown.program.screen, FormDialog)


@pytest.mark.parametrize(
    ("path", "above"),
    [
        ("/", "/"),
        ("/srv", "/"),
        ("/srv/a/", "/srv"),
        ("~/work", "~"),
        ("~", "~/.."),
        ("~/..", "~/../.."),
        ("work", "~"),
        ("a/b", "a"),
    ],
)
def test_above(path: str, above: str) -> None:
    assert parent(path) == above
