"""Which key does what: the tables' own keys, changed by the user's `[keys]`, with every clash found at the start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from jupytui.actions.base import Action
from jupytui.config.load import action_error
from jupytui.config.model import Config, did_you_mean
from jupytui.fleet.subject import Scope
from jupytui.ui.commands import Command

# What lists and dialogs use themselves; a binding of ours would never see these.
LISTS = frozenset(
    ("up", "down", "home", "end", "pageup", "pagedown", "enter", "space", "tab", "shift+tab", "right", *"hjklgGs")
)
DIGITS = frozenset("123456789")
# Terminals send these as backspace, tab and enter.
DISGUISED = {"ctrl+h": "backspace", "ctrl+i": "tab", "ctrl+j": "enter", "ctrl+m": "enter"}

_NAMED = frozenset(
    ("escape", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown", "up", "down", "left", "right")
) | {f"f{number}" for number in range(1, 25)}
_SHOWN = {"escape": "esc", "pagedown": "pgdn", "pageup": "pgup", "left": "←", "right": "→", "up": "↑", "down": "↓"}


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys in force: by id of an action or command, and the actions a key may mean, narrowest scope first."""

    by_id: dict[str, tuple[str, ...]]
    actions: dict[str, tuple[Action, ...]]
    commands: dict[str, Command]

    def shown(self, verb: str) -> str:
        """Return the first key of an action or command as the screen shows it, "" when it has none."""
        return next((show_key(key) for key in self.by_id.get(verb, ())), "")

    def means(self, key: str, scope: Scope) -> Action:
        """Return the action `key` stands for when a thing of `scope` is selected: the narrowest one that fits.

        Where none fits, the widest: it will say what has to be selected.
        """
        actions = self.actions[key]
        return next((action for action in actions if scope.lies_in(action.scope)), actions[-1])


def show_key(key: str) -> str:
    """Return a key as people write it."""
    return _SHOWN.get(key, key)


def build_keymap(actions: Iterable[Action], commands: Iterable[Command], config: Config) -> Keymap:
    """Return the keys in force. Raises ConfigError for an id or a key that does not exist, and for clashes."""
    actions, commands = tuple(actions), tuple(commands)
    verbs: tuple[Action | Command, ...] = (*commands, *actions)
    _check(config, {verb.id: verb.keys for verb in verbs})
    by_id = {verb.id: config.keys.get(verb.id, verb.keys) for verb in verbs}
    meanings: dict[str, list[Action | Command]] = {}
    for verb in verbs:
        for key in by_id[verb.id]:
            meanings.setdefault(key, []).append(verb)
    for key, meant in meanings.items():
        _no_clash(config, key, meant)
    return Keymap(
        by_id,
        {key: found for key, meant in meanings.items() if (found := _narrowest_first(meant))},
        {key: verb for key, meant in meanings.items() for verb in meant if isinstance(verb, Command)},
    )


def _narrowest_first(meant: Iterable[Action | Command]) -> tuple[Action, ...]:
    actions = (verb for verb in meant if isinstance(verb, Action))
    return tuple(sorted(actions, key=lambda action: -action.scope))


def _check(config: Config, known: Mapping[str, tuple[str, ...]]) -> None:
    for verb, keys in config.keys.items():
        if verb not in known:
            raise action_error(config, verb, "there is no such action", did_you_mean(verb, known))
        for problem in filter(None, (_wrong_with(key) for key in keys if key not in known[verb])):
            raise action_error(config, verb, problem)


def _wrong_with(key: str) -> str | None:
    if key in DISGUISED:
        return f"terminals send {key} as {DISGUISED[key]}"
    if key in LISTS | DIGITS:
        return f"{key} is taken: lists and the digits of the panes need it"
    name = key.removeprefix("ctrl+").removeprefix("shift+")
    if name not in _NAMED and (len(name) != 1 or not name.isprintable() or name == ","):
        return f'{key} is no key; expected a character, "f5", "ctrl+x", "escape" and the like'
    return None


def _no_clash(config: Config, key: str, meant: list[Action | Command]) -> None:
    for first, second in _pairs(meant):
        if _scope(first) is None or _scope(first) == _scope(second):
            named = second if second.id in config.keys else first
            problem = f"{key} cannot be both {first.title} ({first.id}) and {second.title} ({second.id})"
            raise action_error(config, named.id, problem)


def _pairs(meant: list[Action | Command]) -> Iterator[tuple[Action | Command, Action | Command]]:
    for number, first in enumerate(meant):
        for second in meant[number + 1 :]:
            yield first, second


def _scope(verb: Action | Command) -> Scope | None:
    return verb.scope if isinstance(verb, Action) else None
