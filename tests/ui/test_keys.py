from __future__ import annotations

from pathlib import Path

import pytest

from jupytui.actions.base import Action, Answers, Context, Subjects
from jupytui.actions.table import ACTIONS
from jupytui.config.load import parse_config
from jupytui.config.model import Config
from jupytui.errors import ConfigError
from jupytui.fleet.subject import Scope
from jupytui.ui.commands import COMMANDS
from jupytui.ui.keys import build_keymap

PATH = Path("/somewhere/hosts.toml")


async def _done(_context: Context, _subjects: Subjects, _answers: Answers) -> str:
    return ""


def verb(name: str, scope: Scope, *keys: str) -> Action:
    return Action(id=name, title=name.title(), scope=scope, keys=keys, run=_done)


def config(keys: str = "") -> Config:
    return parse_config(PATH, f"[keys]\n{keys}\n".encode())


def test_the_tables_of_the_program_have_no_clash_of_their_own() -> None:
    keymap = build_keymap(ACTIONS, COMMANDS, config())
    assert keymap.shown("app.quit") == "q"


def test_one_key_means_the_narrowest_thing_that_is_selected() -> None:
    server, kernel = verb("server.restart", Scope.SERVER, "R"), verb("kernel.restart", Scope.KERNEL, "R")
    keymap = build_keymap((server, kernel), COMMANDS, config())
    assert keymap.means("R", Scope.KERNEL) is kernel
    assert keymap.means("R", Scope.SERVER) is server
    assert keymap.means("R", Scope.FLEET) is server  # which then says what has to be selected


def test_the_users_keys_take_the_place_of_the_actions_own() -> None:
    keymap = build_keymap((verb("a.b", Scope.HOST, "x"),), COMMANDS, config('"a.b" = ["f5", "!"]'))
    assert keymap.by_id["a.b"] == ("f5", "!")
    assert set(keymap.actions) == {"f5", "!"}


def test_an_actions_own_key_can_be_written_down_though_lists_use_it_too() -> None:
    keymap = build_keymap((verb("a.b", Scope.SERVER, "l"),), COMMANDS, config('"a.b" = "l"'))
    assert keymap.by_id["a.b"] == ("l",)


def test_the_screens_own_commands_can_have_other_keys_too() -> None:
    keymap = build_keymap((), COMMANDS, config('"app.quit" = "Q"'))
    assert "q" not in keymap.commands
    assert keymap.shown("app.quit") == "Q"


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ('"a.c" = "x"', ["line 2", "keys.a.c", "no such action"]),
        ('"a.b" = "y"\n"c.d" = "y"', ["y cannot be both", "A.B", "C.D", "line 3"]),
        ('"a.b" = "q"', ["q cannot be both", "Quit", "a.b"]),
        ('"a.b" = "3"', ["3 is taken"]),
        ('"a.b" = "j"', ["j is taken"]),
        ('"a.b" = "ctrl+i"', ["terminals send ctrl+i as tab"]),
        ('"a.b" = "hyper"', ["hyper is no key"]),
        ('"a.b" = ","', [", is no key"]),
    ],
)
def test_a_key_that_cannot_be_is_an_error_that_names_line_and_action(keys: str, named: list[str]) -> None:
    actions = (verb("a.b", Scope.HOST, "x"), verb("c.d", Scope.HOST, "z"))
    with pytest.raises(ConfigError) as caught:
        build_keymap(actions, COMMANDS, config(keys))
    assert [part for part in [str(PATH), *named] if part not in caught.value.message] == []
