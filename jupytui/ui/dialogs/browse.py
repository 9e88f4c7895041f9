"""A directory of a host, found by going there."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from jupytui.actions.base import Browse
from jupytui.errors import JupytuiError
from jupytui.hosts.directories import MOST
from jupytui.text import clean_line
from jupytui.ui.dialogs.base import Dialog, words
from jupytui.ui.widgets.picklist import AROUND, Entry, PickList, best_first

UP = ".."
ROWS = 12  # of the list, where the terminal has them: a box that changes its size at every step cannot be read
_LOOKING = "Looking…"
_UP = Entry(UP, UP)


class Directories(PickList):
    """Names of directories; the hidden ones only for who types their dot."""

    def found(self, query: str) -> Sequence[Entry]:
        """Return those that fit."""
        hidden = query.startswith(".")
        fitting = [entry for entry in self.entries if entry is _UP or entry.title.startswith(".") == hidden]
        return [entry for entry in fitting if entry is not _UP] if query == "." else best_first(fitting, query)

    def _fit(self) -> None:
        self._options.styles.height = max(3, min(ROWS, self.app.size.height - AROUND))


class BrowseDialog(Dialog[str]):
    """The path of the directory that was taken."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "take", show=False, priority=True),
        # First, for they mean something else to a line in which something is typed.
        Binding("left,backspace", "up", show=False, priority=True),
    ]

    def __init__(self, title: str, path: str, browse: Browse) -> None:
        super().__init__(title, "ctrl+s takes · ← up · esc leaves")
        self._browse = browse
        self._path = path.strip() or "~"
        self._wrong = False

    def body(self) -> Iterable[Widget]:
        """Where one is, what is there, and what is wrong with it."""
        yield words("", "path")
        yield Directories([_UP])
        yield words("", "said hint")

    def on_mount(self) -> None:
        """Look at where one starts."""
        self.query_one(Input).focus()
        self._go(self._path)

    def action_take(self) -> None:
        """Take the directory that is shown, not one that cannot be read."""
        if not self._wrong:
            self.dismiss(self._path)

    def action_up(self) -> None:
        """Go up; in a line with something typed the keys do what they always do."""
        if self.query_one(Input).value:
            raise SkipAction
        self._go_up()

    @on(PickList.Picked)
    def _picked(self, event: PickList.Picked) -> None:
        event.stop()
        (name,) = event.ids
        if name == UP:
            self._go_up()
        else:
            self._go(posixpath.join(self._path, name))

    def _go_up(self) -> None:
        self._go(parent(self._path), at=posixpath.basename(self._path.rstrip("/")))

    def _go(self, path: str, at: str = "") -> None:
        """Show `path` when it has answered, the cursor on `at`; begun again, the last one is cancelled."""
        self._path, self._wrong = path, False
        self.query_one(".path", Static).update(Content(clean_line(path)))
        self.query_one(Directories).show(())  # an old name is not in the new place
        self._say(_LOOKING)
        self.run_worker(self._look(path, at), group="browse", exclusive=True, exit_on_error=False)

    async def _look(self, path: str, at: str) -> None:
        try:
            names = await self._browse(path)
        except JupytuiError as error:
            self._wrong = True
            self._show((), "")
            self._say(str(error), wrong=True)
        else:
            self._show(names, at)
            self._say(_about(names))

    def _show(self, names: Sequence[str], at: str) -> None:
        up = () if self._path == "/" else (_UP,)
        shown = next((name for name in names if not name.startswith(".")), "")
        self.query_one(Directories).show((*up, *(Entry(name, name) for name in names)), at if at in names else shown)

    def _say(self, sentence: str, *, wrong: bool = False) -> None:
        said = self.query_one(".said", Static)
        said.set_class(wrong, "error")
        said.set_class(not wrong, "hint")
        said.display = bool(sentence)
        said.update(Content(sentence))


def parent(path: str) -> str:
    """Return the directory above `path`; above the home directory, whose name is not known here, it is `~/..`."""
    bare = path.rstrip("/")
    if not path.startswith("/") and posixpath.basename(bare) in {"~", UP, "."}:
        return f"{bare}/{UP}"
    return posixpath.dirname(bare) or ("/" if path.startswith("/") else "~")


def _about(names: Sequence[str]) -> str:
    if len(names) >= MOST:
        return f"Only the first {MOST} directories are listed."
    hidden = sum(name.startswith(".") for name in names)
    if hidden:
        return f"{hidden} hidden: type a dot."
    return "" if names else "No directories in here."
