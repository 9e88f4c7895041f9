"""Edits of generated trees of files: Jupyter applies what was asked for, and undone every byte is back."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from jupytui.jupyter.settings.edit import Edit, plan
from jupytui.jupyter.settings.extensions import enabled, switched
from jupytui.jupyter.settings.findings import Kind, findings
from jupytui.jupyter.settings.migrate import legacy, migrate
from jupytui.jupyter.settings.models import CannotEdit, plain
from tests.jupyter.settings.conftest import Reader
from tests.jupyter.settings.test_winner import looked_at
from tests.jupyter.settings.trees import BOOLEANS, NUMBERS, Maker, Tree


def made(tree: Tree, edit: Edit) -> Tree:
    files = dict(tree.files)
    for change in edit.files:
        files.pop(change.path, None)
        if change.after is not None:
            files[change.path] = change.after.decode()
    return replace(tree, files=files)


def at(tree: Tree, home: Path, environment: Path) -> Tree:
    """The tree with real paths."""
    names = {
        path.replace("VENV", str(environment)).replace("HOME", str(home)): text for path, text in tree.files.items()
    }
    return replace(tree, files=names)


@pytest.mark.parametrize("seed", range(50))
def test_an_edit_wins_and_undone_every_byte_is_back(reader: Reader, home: Path, environment: Path, seed: int) -> None:
    tree = at(Maker(seed).tree(), home, environment)
    found, answer = looked_at(reader, tree, home)
    key = random.Random(seed).choice([setting.key for setting in answer.knowledge.resolve(found)] or ["ServerApp.port"])
    trait = key.rpartition(".")[2]
    value = True if trait in BOOLEANS else 7 if trait in (*NUMBERS, "cull_interval") else "seven"
    try:
        edit = plan(found, {key: value}, answer.knowledge)
    except CannotEdit as refusal:
        assert "command line" in refusal.message or "does not parse" in refusal.message, refusal
        return
    after = made(tree, edit)
    assert plain(looked_at(reader, after, home)[1].configured(key)) == value, edit
    assert made(after, edit.undone).files == tree.files


@pytest.mark.parametrize("seed", range(100, 120))
def test_renaming_legacy_keys_changes_nothing_that_jupyter_applies(
    reader: Reader, home: Path, environment: Path, seed: int
) -> None:
    tree = at(Maker(seed).tree(), home, environment)
    found, answer = looked_at(reader, tree, home)
    try:
        edit = migrate(found, answer.knowledge)
    except CannotEdit:
        return
    again, afterwards = looked_at(reader, made(tree, edit), home)
    assert not legacy(again, afterwards.knowledge)
    for trait in answer.config["ServerApp"].keys() - {"jpserver_extensions", "password", "token"}:
        assert afterwards.configured(f"ServerApp.{trait}") == answer.configured(f"ServerApp.{trait}")


LEGACY = "# old\nc.NotebookApp.port = 1  # work\nc.ServerApp.password = 'argon2:x'\nc.NotebookApp.quit_button = False\n"


def test_legacy_keys_are_renamed_where_they_stand(reader: Reader, home: Path, environment: Path) -> None:
    tree = at(Tree({"HOME/.jupyter/jupyter_server_config.py": LEGACY}), home, environment)
    found, answer = looked_at(reader, tree, home)
    (text,) = made(tree, migrate(found, answer.knowledge)).files.values()
    assert text == (
        "# old\nc.ServerApp.port = 1  # work\nc.PasswordIdentityProvider.hashed_password = 'argon2:x'\n"
        "c.NotebookApp.quit_button = False\n"
    )


def test_an_extension_is_switched_off_and_jupyter_agrees(reader: Reader, home: Path, environment: Path) -> None:
    text = '{"ServerApp": {"jpserver_extensions": {"old": true}}}'
    tree = Tree({f"{home}/.jupyter/jupyter_server_config.d/old.json": text})
    found, _ = looked_at(reader, tree, home)
    assert enabled(found) == {"jupyterlab": True, "notebook": True, "old": True}
    edit = switched(found, "old", on=False)
    extensions = looked_at(reader, made(tree, edit), home)[1].value("ServerApp.jpserver_extensions")
    assert extensions == {"jupyterlab": True, "notebook": True, "old": False}
    assert switched(found, "old", on=True) == Edit(())


TYPOS = "c.ServerApp.prot = 1\nc.SererApp.ip = ''\nc.IdentityProvider.token = 'x'\n"


def test_what_is_wrong_is_found_with_its_line(reader: Reader, home: Path, environment: Path) -> None:
    tree = Tree(
        {
            f"{home}/.jupyter/jupyter_server_config.py": TYPOS,
            f"{home}/.jupyter/jupyter_lab_config.json": '{"ServerApp": {"port": 1}\n',
            f"{home}/.jupyter/jupyter_config.json": '{"IdentityProvider": {"token": "y"}, "NotebookApp": {"port": 3}}',
            f"{home}/.jupyter/jupyter_server_config.d/x.json": '{"ServerApp": {"port": 1}}',
        }
    )
    found, answer = looked_at(reader, replace(tree, traits=True), home)
    assert answer.traits
    seen = findings(found, answer.knowledge.resolve(found), answer.applications, answer.ancestry, answer.traits)
    assert {(each.kind, each.where.rpartition("/")[2], each.suggestion) for each in seen} == {
        (Kind.BROKEN, "jupyter_lab_config.json:2", ""),
        (Kind.READABLE, "jupyter_server_config.py:3", ""),
        (Kind.READABLE, "jupyter_config.json:1", ""),
        (Kind.UNKNOWN, "jupyter_server_config.py:1", "ServerApp.port"),
        (Kind.UNKNOWN, "jupyter_server_config.py:2", "ServerApp.ip"),
        (Kind.IGNORED, "x.json:1", ""),
        (Kind.LOSES, "jupyter_config.json:1", ""),
        (Kind.DEPRECATED, "jupyter_config.json:1", "ServerApp.port"),
    }
