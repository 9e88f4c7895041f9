"""The full-screen program: its beginning, its end, and what must be there for the first paint."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App
from textual.screen import Screen
from textual.theme import Theme

from jupytui.config.options import Options
from jupytui.fleet.memory import first_picture, remember
from jupytui.fleet.store import Store
from jupytui.ui.inorder import InOrder
from jupytui.ui.panes.table import PANES, PaneEntry
from jupytui.ui.screen import MainScreen
from jupytui.ui.styles.color import theme_name
from jupytui.ui.styles.theme import DEFAULTS, THEMES, check_theme

if TYPE_CHECKING:
    from jupytui.actions.base import Action
    from jupytui.ui.desk import Desk

_STYLES = Path(__file__).parent / "styles"
SAVING = 60.0  # seconds between copies of the picture on disk


class Program(InOrder[int], inherit_bindings=False):
    """What the person sees. `panes` and `actions` are other tables than the program's own, in tests."""

    CSS_PATH = _STYLES / "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    NOTIFICATION_TIMEOUT = 5.0
    SUSPENDED_SCREEN_CLASS = "-behind"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]  # noqa: RUF012 - as textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012

    def __init__(
        self, options: Options, panes: Sequence[PaneEntry] = PANES, actions: tuple[Action, ...] | None = None
    ) -> None:
        """Raise ConfigError for a theme that does not exist."""
        check_theme(options.config)
        name = theme_name(options.config.settings)
        super().__init__(ansi_color=THEMES[name].ansi if name in THEMES else None)
        self._options = options
        self._actions = actions
        self.read_only = options.read_only
        self.store = Store(first_picture(options.config, options.hosts, options.paths.cache))
        self.main = MainScreen(self, self.store, panes)
        self.desk: Desk | None = None
        self._unsaved = False
        self._use_theme(name)

    def get_default_screen(self) -> Screen[None]:
        """Return the screen behind all dialogs."""
        return self.main

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the colours that only our own themes have."""
        return DEFAULTS

    def get_theme(self, theme_name: str) -> Theme | None:
        """Return a theme; ours first, for Textual looks one up for every colour it needs."""
        return THEMES.get(theme_name) or super().get_theme(theme_name)

    def _use_theme(self, name: str) -> None:
        for theme in THEMES.values():
            self.register_theme(theme)
        # Not by assignment, which has every rule parsed and applied once more.
        self.set_reactive(App.theme, name)
        self.stylesheet.set_variables(self.get_css_variables())

    def on_mount(self) -> None:
        """Begin once something is to be seen."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        from jupytui.config.log import log_to
        from jupytui.ui.desk import Desk

        log_to(self._options.paths.logs)
        self.stylesheet.read(_STYLES / "later.tcss")
        self.desk = desk = Desk(self, self._options, self._actions)
        self.main.bind_keys(desk.bindings())
        self.store.subscribe(self._differs)
        self.set_interval(SAVING, self._save)
        gc.freeze()
        gc.enable()
        desk.start()

    async def close(self) -> None:
        """Let go of everything; the terminal is the user's again by now."""
        self._save()
        if self.desk:
            await self.desk.live.close()

    def _differs(self, _host: str) -> None:
        self._unsaved = True

    def _save(self) -> None:
        if self._unsaved:
            self._unsaved = False
            remember(self._options.paths.cache, self._options.config.path, tuple(self.store))

    def _fatal_error(self) -> None:
        # Textual would print a traceback with the values of variables, among them what was typed.
        from jupytui.ui.crash import report

        self._exit_renderables.append(report(self._options.paths.logs, self._exception))
        self._close_messages_no_wait()

    def on_app_blur(self) -> None:
        """Nobody looks at the terminal."""
        if self.desk:
            self.desk.attend(False)

    def on_app_focus(self) -> None:
        """Somebody is back."""
        if self.desk:
            self.desk.attend(True)

    def action_key(self, key: str) -> None:
        """Do what `key` means for what is selected."""
        if self.desk:
            self.desk.key(key)

    def action_do(self, verb: str) -> None:
        """Do the action or command with this id."""
        if self.desk:
            self.desk.do(verb)
