"""`logs` over a fleet of one host: this machine, with servers as a look would find them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from jupytui.cli import logs, main
from jupytui.config.model import Config
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.hosts.base import Destination, HostState, Nobody
from jupytui.jupyter.models import Log
from tests.cli.test_status_json import SERVER


@pytest.fixture
def log(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of local:8888; local:8889 writes to a terminal."""
    path = home / "server.log"
    view = HostView(
        "local",
        state=HostState.UP,
        servers=(
            replace(SERVER, id="local:8888", log=Log("file", str(path)), unit=None),
            replace(SERVER, id="local:8889", log=Log("terminal", "/dev/pts/3"), unit=None),
        ),
    )

    @asynccontextmanager
    async def opened(_config: Config, _names: Sequence[str] = ()) -> AsyncIterator[Fleet]:
        async with Fleet(Store([view]), lambda _host: Nobody()) as fleet:
            fleet.add(Destination("local"))
            monkeypatch.setattr(fleet, "look_once", lambda: _looked(view))
            yield fleet

    monkeypatch.setenv("JUPYTUI_CONFIG", str(home))
    monkeypatch.setattr(logs, "open_fleet", opened)
    return path


async def _looked(view: HostView) -> list[HostView]:
    return [view]


def test_the_last_fifty_lines_are_printed_or_as_many_as_are_asked_for(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write_text("".join(f"line {number}\n" for number in range(200)))
    assert main(["logs", "local:8888"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"line {number}" for number in range(150, 200)]
    assert main(["logs", "-n", "2", "local:8888"]) == 0
    assert capsys.readouterr().out == "line 198\nline 199\n"
    assert main(["logs", "local:8888", "-n", "1000"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 200


def test_secrets_are_masked_and_nothing_a_terminal_would_obey_is_printed(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.write_bytes(b"http://localhost:8888/?token=0123456789abcdef\n\x1b]52;c;aGk=\x07\xff\x00\nno end")
    assert main(["logs", "local:8888"]) == 0
    first, second, last = capsys.readouterr().out.splitlines()
    assert first == "http://localhost:8888/?token=••••••"
    assert second.isprintable()
    assert last == "no end"


def test_a_remark_is_talk_and_not_a_line(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["logs", "local:8888"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "is not there yet" in printed.err


def test_a_log_nobody_can_read_is_status_1_with_the_reason(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["logs", "local:8889"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "goes to the terminal /dev/pts/3" in printed.err


def test_a_log_that_may_not_be_read_is_status_1(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.mkdir()
    assert main(["logs", "local:8888"]) == 1
    assert "is a directory" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "words"), [("local", "local:8888, local:8889"), ("local:1", "No server local:1")])
def test_a_name_that_is_not_one_server_lists_what_there_is(
    log: Path, name: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["logs", name]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("count", ["-1", "x", ""])
def test_a_count_that_is_none_is_wrong_use(count: str) -> None:
    assert main(["logs", "local", f"-n={count}"]) == 2
