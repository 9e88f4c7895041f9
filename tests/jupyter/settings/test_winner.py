from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupytui.jupyter.models import App
from jupytui.jupyter.settings.discover import Answer, parse_answer, parse_look
from jupytui.jupyter.settings.models import Entry, Found, Setting, plain
from jupytui.jupyter.settings.resolve import resolve
from tests.jupyter.settings.conftest import Reader
from tests.jupyter.settings.trees import Maker, Tree


def looked_at(reader: Reader, tree: Tree, home: Path) -> tuple[Found, Answer]:
    looked, asked = reader(tree, home)
    return parse_look(json.dumps(looked).encode(), App(tree.app)), parse_answer(json.dumps(asked).encode())


def differences(settings: tuple[Setting, ...], answer: Answer) -> list[str]:
    """Settings that Jupyter does not apply as shown."""
    wrong = []
    for setting in settings:
        if setting.winner is None:
            wrong += [
                f"{setting.key}: {entry.where} is applied"
                for entry in setting.losers
                if _applied(setting, entry, answer)
            ]
            continue
        try:
            applied = plain(answer.value(setting.key))
        except KeyError:
            applied = None
        if applied != plain(setting.value):
            wrong.append(f"{setting.key}: {applied} is applied, not {plain(setting.value)} of {setting.winner.where}")
    return wrong


def _applied(setting: Setting, entry: Entry, answer: Answer) -> bool:
    try:
        return type(entry.value) is not bool and answer.value(setting.key) == entry.value
    except KeyError:
        return False


@pytest.mark.parametrize("seed", range(50))
def test_the_winner_shown_is_the_winner_that_jupyter_applies(reader: Reader, home: Path, seed: int) -> None:
    tree = Maker(seed).tree()
    found, answer = looked_at(reader, tree, home)
    assert not differences(resolve(found, answer.applications, answer.ancestry), answer), tree
