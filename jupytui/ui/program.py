"""The full-screen program: its beginning and end, and everything that is started, asked and said."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence, Set
from typing import TYPE_CHECKING

from textual.app import App
from textual.binding import Binding
from textual.screen import Screen

from jupytui.actions.base import Action, Context
from jupytui.actions.table import ACTIONS
from jupytui.config.options import Options
from jupytui.errors import ConfigError
from jupytui.fleet.memory import recall, remember
from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import HostState
from jupytui.ui import crash
from jupytui.ui.commands import COMMANDS
from jupytui.ui.front import ScreenFront
from jupytui.ui.keys import build_keymap
from jupytui.ui.panes.base import Pane
from jupytui.ui.panes.table import PANES
from jupytui.ui.screen import MainScreen
from jupytui.ui.signals import end_on_signals
from jupytui.ui.styles.color import theme_name
from jupytui.ui.styles.theme import DEFAULTS, THEMES
from jupytui.ui.talk import Talk
from jupytui.ui.verbs import Verbs
from jupytui.ui.work import Work

if TYPE_CHECKING:
    from jupytui.ui.live import Live
    from jupytui.ui.prompts import Prompts

SAVING = 60.0  # seconds between copies of the picture on disk


class Program(App[int], inherit_bindings=False):
    """What the person sees and does. `panes` and `actions` are the tables; tests bring their own."""

    CSS_PATH = "styles/app.tcss"
    ENABLE_COMMAND_PALETTE = False
    NOTIFICATION_TIMEOUT = 5.0
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]  # noqa: RUF012 - as textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012

    def __init__(
        self, options: Options, panes: Sequence[type[Pane]] = PANES, actions: tuple[Action, ...] = ACTIONS
    ) -> None:
        """Raise ConfigError for a theme, an action or a key that does not exist."""
        super().__init__()
        self._options = options
        self.read_only = options.read_only
        self.verbs = Verbs(actions, COMMANDS, build_keymap(actions, COMMANDS, options.config))
        self.work = Work(self)
        self.store = Store(_first_picture(options))
        self.main = MainScreen(self, self.store, panes)
        self.live: Live | None = None
        self.talk = Talk(self)
        self._prompts: Prompts | None = None
        self._unsaved = False
        self._use_theme(theme_name(options.config.settings))
        for binding in Binding.make_bindings(_bindings(panes, self.verbs)):
            self.bind(binding.key, binding.action)

    # Beginning and end

    def get_default_screen(self) -> Screen[None]:
        """Return the screen behind all dialogs."""
        return self.main

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the colours that only our own themes have."""
        return DEFAULTS

    def _use_theme(self, name: str) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        if name not in self.available_themes:
            hint = f"There are {', '.join(sorted(self.available_themes))}."
            raise ConfigError(f"{self._options.config.path}, settings.theme: there is no theme {name}.", hint)
        self.theme = name

    def on_mount(self) -> None:
        """Be ready to end, and begin to live once something is to be seen."""
        end_on_signals(self._end)
        self.call_after_refresh(self._begin)

    def _end(self, status: int) -> None:
        self.exit(return_code=status)

    def _begin(self) -> None:
        gc.freeze()
        gc.enable()
        crash.log_to(self._options.paths.logs)
        self.work.aside("live", self._live())

    async def _live(self) -> None:
        from jupytui.ui.live import Live
        from jupytui.ui.prompts import Prompts

        self.live = Live(self._options, self.store, ScreenFront(self))
        self._prompts = Prompts(self, self.live.questions)
        self.store.subscribe(self._differs)
        self.set_interval(SAVING, self._save)
        await self.live.start()

    def _differs(self, _host: str) -> None:
        self._unsaved = True

    def _save(self) -> None:
        if self._unsaved:
            self._unsaved = False
            remember(self._options.paths.cache, self._options.config.path, tuple(self.store))

    async def close(self) -> None:
        """Let go of everything; the terminal is the user's again by now."""
        self._save()
        if self.live:
            await self.live.fleet.close()

    def _fatal_error(self) -> None:
        # Textual would print a traceback with the values of variables, among them what was typed.
        error = self._exception
        self._exit_renderables.append(crash.report(self._options.paths.logs, error))
        self._close_messages_no_wait()

    def on_app_blur(self) -> None:
        """Look less often while nobody looks at the terminal."""
        self._attend(False)

    def on_app_focus(self) -> None:
        """Look at once when somebody is back."""
        self._attend(True)

    def _attend(self, looking: bool) -> None:
        if self.live:
            self.work.aside("attend", self.live.attend(looking))

    # What is done

    @property
    def context(self) -> Context | None:
        """What actions work with; None for the first moments."""
        return self.live.context if self.live else None

    @property
    def asking(self) -> bool:
        """Whether a dialog is open."""
        return len(self.screen_stack) > 1

    @property
    def chosen(self) -> Sequence[Subject]:
        """What an action would be about."""
        return self.main.pane.chosen

    def action_key(self, key: str) -> None:
        """Do what `key` means for what is selected."""
        self._perform(self.verbs.keymap.means(key, self.verbs.scope(self.chosen)))

    def do(self, verb: str) -> None:
        """Do the action or command with this id."""
        found = self.verbs.find(verb)
        if isinstance(found, Action):
            self._perform(found)
        else:
            self.call_later(self.main.run_action, found.run)

    def _perform(self, action: Action) -> None:
        if self.context:
            self.work.start(action, self.context, self.chosen)

    def attend_to(self, subject: Subject) -> bool:
        """Answer what a host asks, or tell what is wrong with it; False when there is neither."""
        host = subject.host or ""
        view = self.store.host(host)
        if self._prompts and self._prompts.open(host):
            return True
        if view is None or view.state is HostState.UP:
            return False
        self.talk.trouble(view, lambda: self._again(host))
        return True

    def _again(self, host: str) -> None:
        if self.live and self._prompts:
            self._prompts.attended.add(host)
            self.work.aside(f"again {host}", self.live.fleet.refresh([host]))

    def hosts_differ(self, names: Set[str]) -> None:
        """Bring on the questions of the hosts the person turned to."""
        if self._prompts:
            self._prompts.arrived(names)

    def added(self, names: Iterable[str]) -> None:
        """Attend to hosts the person has just added."""
        if self._prompts:
            self._prompts.attended.update(names)

    # What is said

    def action_help(self) -> None:
        """List the keys that are valid now."""
        if self.context:
            entries = [*self.verbs.valid(self.context, self.chosen), *self.verbs.of_pane(self.main.pane)]
            self.talk.offer("Keys valid now", entries, "type to search · enter does it · escape leaves")

    def action_palette(self) -> None:
        """Offer all there is."""
        if self.context:
            entries = self.verbs.palette(self.context, self.chosen)
            self.talk.offer("All actions", entries, "type to search · enter does it · escape leaves")

    def action_menu(self) -> None:
        """Offer what can be done to what is selected."""
        if self.context:
            entries = self.verbs.menu(self.context, self.chosen)
            self.talk.offer(self.verbs.name_of(self.chosen), entries, "enter does it · escape leaves")

    def action_detail(self) -> None:
        """Show all that is known of the last error."""
        self.talk.details()

    def action_stop(self) -> None:
        """Stop what was begun last. The habit of ending programs this way must not cost anybody their place."""
        title = self.work.stop()
        self.talk.say(f"Stopped: {title}." if title else f"{self.verbs.keymap.shown('app.quit')} quits.")


def _first_picture(options: Options) -> Iterable[HostView]:
    entries = options.config.watched(options.hosts)
    known = {view.name: view for view in recall(options.paths.cache, options.config.path)}
    return [known.get(entry.name) or HostView(entry.name, tags=entry.tags) for entry in entries]


def _bindings(panes: Sequence[type[Pane]], verbs: Verbs) -> Iterable[Binding]:
    for pane in panes:
        yield Binding(pane.DIGIT, f"screen.show_pane('{pane.DIGIT}')", show=False)
    for key, command in verbs.keymap.commands.items():
        yield Binding(key, command.run, show=False, priority=key == "ctrl+q")
    for key in verbs.keymap.actions:
        if key not in verbs.keymap.commands:
            yield Binding(key, f"app.key({key!r})", show=False)
