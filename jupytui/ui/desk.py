"""Where things are done: what keys mean, what is started, asked and said. Made after the first paint.

What this imports takes as long as everything before, and nobody presses a key on a screen that is not there yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence, Set
from typing import TYPE_CHECKING

from textual.binding import Binding

from jupytui.actions.base import Action
from jupytui.actions.table import ACTIONS
from jupytui.actions.tunnel_words import all_tunnels
from jupytui.config.model import LOCAL
from jupytui.config.options import Options
from jupytui.config.ssh_hosts import ssh_aliases
from jupytui.fleet.subject import Subject
from jupytui.hosts.state import HostState
from jupytui.tunnels.models import Status
from jupytui.ui.commands import COMMANDS
from jupytui.ui.format.tunnels import uncounted
from jupytui.ui.front import ScreenFront
from jupytui.ui.keys import build_keymap
from jupytui.ui.live import Live
from jupytui.ui.prompts import Prompts
from jupytui.ui.talk import Talk
from jupytui.ui.verbs import Verbs
from jupytui.ui.widgets.footer import Hint
from jupytui.ui.work import Work

if TYPE_CHECKING:
    from jupytui.ui.program import Program

_DOES = "enter does it · escape leaves"


class Desk:
    """One for the whole run."""

    def __init__(self, program: Program, options: Options, actions: tuple[Action, ...] | None = None) -> None:
        """Raise ConfigError for an action or a key that does not exist, and for a key with two meanings."""
        actions = ACTIONS if actions is None else actions
        self._program = program
        self.verbs = Verbs(actions, COMMANDS, build_keymap(actions, COMMANDS, options.config))
        self.talk = Talk(program, self)
        self.front = ScreenFront(program)
        self.live = Live(options, program.store, self.front)
        self.work = Work(program, self.talk, self.live.context)
        self._prompts = Prompts(program, self.live.questions, lambda: self.work.hosts | self.live.tunnels.awaited)
        self._tunnels: dict[str, Status] = {}
        self._aliases: frozenset[str] = frozenset()
        self.work.done = self._prompts.attended.update

    def start(self) -> None:
        """Watch the fleet."""
        self.live.tunnels.subscribe(self._tunnel_differs)
        self.work.aside("start", self.live.start())
        self.work.aside("ssh config", self._learn_aliases())

    def bindings(self) -> Iterable[Binding]:
        """Return what the screen is to do with keys."""
        keymap = self.verbs.keymap
        for key, command in keymap.commands.items():
            # What is typed right behind the key that asks for a text must not reach the list first.
            first = key == "ctrl+q" or command.id == "app.filter"
            yield Binding(key, command.run or f"app.do('{command.id}')", show=False, priority=first)
        for key in keymap.actions.keys() - keymap.commands.keys():
            yield Binding(key, f"app.key({key!r})", show=False)

    @property
    def _chosen(self) -> Sequence[Subject]:
        return self._program.main.pane.chosen

    def key(self, key: str) -> None:
        """Do what `key` means for what is selected."""
        self._perform(self.verbs.keymap.means(key, self.verbs.scope(self._chosen)))

    def do(self, verb: str) -> None:
        """Do the action or command with this id."""
        found = self.verbs.find(verb)
        if isinstance(found, Action):
            self._perform(found)
        elif found.run:
            self._program.call_later(self._program.main.run_action, found.run)
        else:
            getattr(self, verb.removeprefix("app."))()

    def _perform(self, action: Action) -> None:
        self.work.start(action, self._chosen)

    # Hosts that are not in the fleet

    @property
    def ssh_hosts(self) -> int:
        """How many hosts the ssh config offers that are not listed."""
        return len(self._aliases - {entry.name for entry in self.live.context.config.hosts})

    async def _learn_aliases(self) -> None:
        aliases = await asyncio.to_thread(ssh_aliases, self.live.context.config.settings.ssh_config)
        self._aliases = frozenset(alias.name for alias in aliases)
        self._program.main.host_differs(LOCAL)

    # Hosts that need the person

    def attend(self, looking: bool) -> None:
        """Look less often while nobody looks at the terminal, and at once when somebody is back."""
        self.work.aside("attend", self.live.attend(looking))

    def answer(self, subject: Subject) -> bool:
        """Answer what a host asks, or tell what is wrong with it; False when there is neither."""
        host = subject.host or ""
        view = self._program.store.host(host)
        if self._prompts.open(host):
            return True
        if view is None or view.state is HostState.UP:
            return False
        self.talk.trouble(view, lambda: self._again(host))
        return True

    def _again(self, host: str) -> None:
        self._prompts.attended.add(host)
        self.work.aside(f"again {host}", self.live.fleet.refresh([host]))

    def hosts_differ(self, names: Set[str]) -> None:
        """Bring on the questions of the hosts the person turned to."""
        self._prompts.arrived(names)

    def asked(self, host: str) -> bool:
        """Show what `host` asks; False when it asks nothing."""
        return self._prompts.open(host)

    # Tunnels

    def tunnels(self) -> Sequence[Status]:
        """Return how all tunnels stand, those included that only hosts.toml names."""
        return all_tunnels(self.work.context)

    def _tunnel_differs(self, name: str, status: Status | None) -> None:
        """Draw its host anew, unless it has only counted: who shows that looks by itself."""
        before = self._tunnels.pop(name, None)
        if status:
            self._tunnels[name] = uncounted(status)
        if (now := self._tunnels.get(name)) != before and (one := now or before):
            self._program.main.host_differs(one.tunnel.host)

    # The screen's own commands

    def always(self, filters: str) -> list[Hint]:
        """Return the keys that are shown in any case: first of all the one that stops what is under way."""
        stopped_by = self.work.stopped_by
        word = "cancels" if stopped_by == "app.back" else "stops"
        key = self.verbs.keymap.shown(stopped_by)
        return [*([(key, word)] if key else []), *self.verbs.always(filters)]

    def leave(self) -> bool:
        """Leave what is on its way to a question; False when nothing is."""
        title = self.work.leave()
        self.talk.say(f"Stopped: {title}." if title else "")
        return title is not None

    def help(self) -> None:
        """List the keys that are valid now."""
        pane = self._program.main.pane
        entries = [*self.verbs.valid(self.work.context, pane), *self.verbs.of_pane(pane)]
        self.talk.offer("Keys valid now", entries, f"type to search · {_DOES}")

    def palette(self) -> None:
        """Offer all there is."""
        entries = self.verbs.palette(self.work.context, self._chosen)
        self.talk.offer("All actions", entries, f"type to search · {_DOES}")

    def menu(self) -> None:
        """Offer what can be done to what is selected."""
        entries = self.verbs.menu(self.work.context, self._chosen)
        self.talk.offer(self.verbs.name_of(self._chosen), entries, _DOES)

    def detail(self) -> None:
        """Show all that is known of why the selected host is not up, else of the last error."""
        chosen = self._chosen
        view = self._program.store.host(chosen[0].host or "") if chosen else None
        if view and view.error:
            self.talk.trouble(view, lambda: self._again(view.name), all_of_it=True)
        else:
            self.talk.details()

    def stop(self) -> None:
        """Stop what was begun last. The habit of ending programs this way must not cost anybody their place."""
        title = self.work.stop()
        self.talk.say(f"Stopped: {title}." if title else f"{self.verbs.keymap.shown('app.quit')} quits.")
