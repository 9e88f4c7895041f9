"""An address to be opened elsewhere: a link to click, copied, or a picture for a camera."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Static

from jupytui.jupyter.page import Page
from jupytui.ui.dialogs.base import Dialog, words
from jupytui.ui.format.qr import qr


class UrlDialog(Dialog[None]):
    """The token is in the link and on the clipboard; it is seen only when it is asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,q,left", "leave", show=False),
        Binding("y", "copy", show=False),
        Binding("s", "show", show=False),
        Binding("c", "code", show=False),
    ]

    def __init__(self, page: Page, copy: Callable[[str], Awaitable[str]]) -> None:
        token = "s token · " if page.token else ""
        super().__init__(f"Open {page.title}", f"y copies · {token}c QR code · esc")
        self._page, self._copy = page, copy
        self._shown = False

    def body(self) -> Iterable[Widget]:
        """The link, what was done with it, what else there is to know, and the picture."""
        yield words("", "link")
        yield words("", "said hint")
        for note in self._page.notes:
            yield words(note, "gap note")
        code = words("", "code")
        code.display = False
        yield code

    def on_mount(self) -> None:
        """Have it on the clipboard already."""
        self._draw()
        self.call_later(self.action_copy)

    async def action_copy(self) -> None:
        """Copy it, token and all."""
        said = await self._copy(self._page.url.reveal())
        self.query_one(".said", Static).update(Content(f"{said}."))

    def action_show(self) -> None:
        """Show the token, or hide it again."""
        self._shown = not self._shown
        self._draw()

    def action_code(self) -> None:
        """Show the picture alone, or the words again: a small terminal has room for one of them."""
        code = self.query_one(".code", Static)
        code.display = not code.display
        code.update(Content("\n".join(qr(self._page.url.reveal())) if code.display else ""))
        for other in self.query(".link, .said, .note"):
            other.display = not code.display

    def _draw(self) -> None:
        url = self._page.url.reveal()
        seen = url if self._shown else self._page.masked
        self.query_one(".link", Static).update(Content.styled(seen, Style(link=url, underline=True)))
