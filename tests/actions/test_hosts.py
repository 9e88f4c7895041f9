"""Hosts are taken in and let go while others edit the same hosts.toml; nothing is dialled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from jupytui.actions.base import Context, perform
from jupytui.actions.hosts import default_name
from jupytui.actions.table import BY_ID
from jupytui.config.load import load_config
from jupytui.errors import ConfigError, WrongAnswer
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.subject import Subject
from tests.actions.front import ScriptedFront, context

HIDDEN = '[hosts.local]  # the laptop\ntags = ["mine"]\n# not now\nwatch = false  # by hand\n\n[hosts.gpu1]\n'


@pytest.fixture(autouse=True)
def undialled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    started: list[str] = []
    monkeypatch.setattr(Fleet, "start", lambda _fleet, names: started.extend(names))
    return started


@asynccontextmanager
async def listed(path: Path, text: str = "") -> AsyncIterator[Context]:
    path.write_text(text)
    made = context(ScriptedFront(), config=load_config(path))
    async with made.fleet:
        yield made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hosts.toml"


async def add(context: Context, ssh: str, name: str = "", tags: str = "") -> str | None:
    return await perform(BY_ID["host.add"], context, answers={"ssh": ssh, "name": name, "tags": tags})


async def test_a_file_that_others_edited_meanwhile_is_edited_as_it_is_now(path: Path, undialled: list[str]) -> None:
    async with listed(path, "[hosts.gpu1]\n") as context:
        path.write_text("[hosts.gpu1]\n# by an editor\n[hosts.theirs]\n")
        assert await add(context, "alice@lab.example.org:2222") == "Added lab."
        assert "# by an editor\n" in path.read_text()
        assert undialled == ["theirs", "lab"]  # what another jupytui has added is shown, too
        await perform(BY_ID["host.remove"], context, [Subject("lab")])
        assert load_config(path) == context.config
        assert context.fleet.store.host("lab") is None


async def test_a_file_that_was_broken_meanwhile_is_left_alone_and_named(path: Path) -> None:
    async with listed(path) as context:
        path.write_text("[hosts.gpu1\n")
        with pytest.raises(ConfigError, match="line 1"):
            await add(context, "gpu2")
        assert path.read_text() == "[hosts.gpu1\n"


async def test_a_name_that_is_taken_is_said_beside_the_name(path: Path, undialled: list[str]) -> None:
    async with listed(path, "[hosts.gpu1]\n") as context:
        with pytest.raises(WrongAnswer, match="gpu1 is listed already") as wrong:
            await add(context, "alice@gpu1.other.org", tags="x y")
        assert wrong.value.field == "name"
        with pytest.raises(WrongAnswer, match="is this machine"):
            await add(context, "local.example.org")
        assert not undialled


async def test_this_machine_is_hidden_and_shown_again_and_its_entry_stays(path: Path, undialled: list[str]) -> None:
    async with listed(path, HIDDEN) as context:
        await add(context, "local")
        assert path.read_text() == HIDDEN.replace("watch = false", "watch = true")
        assert context.fleet.host("local").name == "local"
        assert context.config.hosts[0].is_local
        assert undialled == ["local"]
        await perform(BY_ID["host.remove"], context, [Subject("local")])
        assert path.read_text() == HIDDEN
        with pytest.raises(WrongAnswer):
            await add(context, "elsewhere", name="local")


async def test_this_machine_is_not_added_while_it_is_there(path: Path, undialled: list[str]) -> None:
    async with listed(path) as context:
        with pytest.raises(WrongAnswer, match="local is listed already"):
            await add(context, "local")
        assert not undialled


async def test_a_hidden_host_is_shown_again(path: Path, undialled: list[str]) -> None:
    async with listed(path, "[hosts.gpu1]\nwatch = false\n") as context:
        await add(context, "gpu1")
        assert path.read_text() == "[hosts.gpu1]\nwatch = true\n"
        assert undialled == ["gpu1"]


@pytest.mark.parametrize(
    ("ssh", "name"),
    [
        ("alice@gpu1.example.org:2222", "gpu1"),
        ("ssh://alice@gpu1.example.org:2222", "gpu1"),
        ("ssh://gpu1", "gpu1"),
        ("10.0.0.7", "10.0.0.7"),
        ("[2001:db8::1]:22", "2001:db8::1"),
    ],
)
def test_a_host_is_called_by_its_machines_first_name(ssh: str, name: str) -> None:
    assert default_name(ssh) == name
