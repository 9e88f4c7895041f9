"""The table of actions as the last line, the menu, the palette and the help page show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jupytui.actions.base import Action, Context, Subjects, why_not
from jupytui.fleet.subject import Scope
from jupytui.ui.commands import Command
from jupytui.ui.keys import Keymap
from jupytui.ui.panes.base import Pane
from jupytui.ui.widgets.footer import Hint
from jupytui.ui.widgets.picklist import Entry

_GROUPS = {scope: scope.name.capitalize() for scope in Scope}


@dataclass(frozen=True, slots=True)
class Verbs:
    """All there is to do, and by which keys."""

    actions: tuple[Action, ...]
    commands: tuple[Command, ...]
    keymap: Keymap

    def find(self, verb: str) -> Action | Command:
        """Return the action or command with this id."""
        everything: tuple[Action | Command, ...] = (*self.actions, *self.commands)
        return next(found for found in everything if found.id == verb)

    def scope(self, subjects: Subjects) -> Scope:
        """Return how narrow the things selected are."""
        return min((subject.scope for subject in subjects), default=Scope.FLEET)

    def name_of(self, subjects: Subjects) -> str:
        """Return what to call the things selected."""
        if len(subjects) != 1:
            return f"{len(subjects)} marked"
        subject = subjects[0]
        return subject.tunnel or ("Kernel" if subject.kernel else subject.server or subject.host or "All hosts")

    def of_pane(self, pane: Pane) -> list[Entry]:
        """Return what the list itself does with keys."""
        return [Entry("", words, keys, group="In this pane") for keys, words in pane.KEYS]

    def hints(self, pane: Pane, context: Context | None) -> list[Hint]:
        """Return key and words of the actions that `pane` names, can be done now and are what their key means there."""
        by_id, subjects = {action.id: action for action in self.actions}, pane.chosen
        found = (by_id[name] for name in pane.HINTS if name in by_id and not self._taken(name, pane))
        return [
            (self.keymap.shown(action.id), _short(action))
            for action in found
            if self._meant(action, subjects) and (context is None or why_not(action, context, subjects) is None)
        ]

    def _taken(self, verb: str, pane: Pane) -> bool:
        return pane.TAKEN.issuperset(self.keymap.by_id[verb])

    def always(self, filters: str = "filter") -> list[Hint]:
        """Return the hints that stand at the end of the line in any case."""
        words = {"app.menu": "more", "app.filter": filters, "app.help": "help"}
        return [(key, word) for verb, word in words.items() if (key := self.keymap.shown(verb))]

    def menu(self, context: Context, subjects: Subjects) -> list[Entry]:
        """Return what can be done to the thing selected, narrowest first; grey with the reason where it cannot.

        Each with its key, unless that means something else here.
        """
        scope = self.scope(subjects)
        fitting = [action for action in self.actions if scope.lies_in(action.scope)]
        return [
            self._entry(action, context, subjects, keyed=self._meant(action, subjects))
            for action in _narrowest_first(fitting)
        ]

    def palette(self, context: Context, subjects: Subjects) -> list[Entry]:
        """Return everything there is, in the order of the menu, the screen's own commands last."""
        actions = [self._entry(action, context, subjects) for action in _narrowest_first(self.actions)]
        return [*actions, *self._commands()]

    def valid(self, context: Context, pane: Pane) -> list[Entry]:
        """Return the keys valid now in `pane`."""
        menu = [entry for entry in self.menu(context, pane.chosen) if not entry.why_not and entry.key]
        entries = (*menu, *self._commands())
        return [entry for entry in entries if not self._taken(entry.id, pane)]

    def _meant(self, action: Action, subjects: Subjects) -> bool:
        scope = self.scope(subjects)
        keys = self.keymap.by_id[action.id]
        return bool(keys) and self.keymap.means(keys[0], scope) is action

    def _entry(self, action: Action, context: Context, subjects: Subjects, *, keyed: bool = True) -> Entry:
        reason = why_not(action, context, subjects) or ""
        key = self.keymap.shown(action.id) if keyed else ""
        return Entry(action.id, action.title, key, action.help, reason, _GROUPS[action.scope])

    def _commands(self) -> Iterable[Entry]:
        for command in self.commands:
            yield Entry(command.id, command.title, self.keymap.shown(command.id), command.help, group="Everywhere")


def _narrowest_first(actions: Sequence[Action]) -> list[Action]:
    return sorted(actions, key=lambda action: -action.scope)


def _short(action: Action) -> str:
    """Return the title without the kind of thing, which is selected for all to see: `restart`, not `restart kernel`."""
    return action.title.lower().removesuffix(f" {action.scope.name.lower()}").removesuffix(" service")
