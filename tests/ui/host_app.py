"""The smallest app that can hold a pane: it keeps what the pane says."""

from __future__ import annotations

import msgspec
from textual.app import App, ComposeResult
from textual.binding import Binding

from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.ui.panes.base import Pane
from jupytui.ui.panes.listing import ListPane
from jupytui.ui.styles.theme import DEFAULTS
from tests.ui.fleets import NOW


class BareApp(App[None]):
    """Nothing but the colours that ours have."""

    ENABLE_COMMAND_PALETTE = False

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULTS


class PaneApp(BareApp):
    """Shows one pane of one store; `c` changes one kernel, as a look would."""

    BINDINGS = [Binding("c", "change", show=False)]  # noqa: RUF012

    def __init__(self, pane: ListPane, store: Store) -> None:
        super().__init__()
        self.pane = pane
        self.store = store
        pane.clock = lambda: NOW
        self.selected: list[Subject] = []
        self.opened: list[Subject] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.focus()
        self.pane.show_store(self.store)

    def on_pane_selected(self, event: Pane.Selected) -> None:
        self.selected.append(event.subject)

    def on_pane_opened(self, event: Pane.Opened) -> None:
        self.opened.append(event.subject)

    def action_change(self) -> None:
        """Let the kernel under the cursor use a little more memory and CPU."""
        subject = self.pane.subject
        view, server, kernel = subject.host_in(self.store), subject.server_in(self.store), subject.kernel_in(self.store)
        busier = msgspec.structs.replace(
            kernel, rss=(kernel.rss or 0) + 2**30, cpu_percent=(kernel.cpu_percent or 0) + 1
        )
        kernels = tuple(busier if each is kernel else each for each in server.kernels)
        changed = msgspec.structs.replace(server, kernels=kernels)
        servers = tuple(changed if each is server else each for each in view.servers)
        self.store.apply(msgspec.structs.replace(view, servers=servers))
        self.pane.show_store(self.store, {view.name})

    @property
    def lines(self) -> list[str]:
        """What is on screen, line by line."""
        return ["".join(segment.text for segment in strip) for strip in self.screen._compositor.render_strips()]
