"""An address gets to the browser without being seen on the way, or is left to the person."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jupytui.actions import browser
from jupytui.errors import JupytuiError
from jupytui.secret import Secret

URL = Secret('http://127.0.0.1:8888/lab?token=s3cret"><script>')


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits to remove a file does not outlive the tests by a minute."""
    monkeypatch.setattr(browser, "KEPT", 5)


@pytest.fixture
def program(home: Path) -> Callable[..., str]:
    """Make a program of sh source and return its path."""

    def make(source: str, name: str = "opener") -> str:
        path = home / name
        path.write_text(f"#!/bin/sh\n{source}\n")
        path.chmod(0o700)
        return str(path)

    return make


def test_browser_is_taken_before_the_desktops_and_nothing_that_wants_the_terminal(
    program: Callable[..., str],
) -> None:
    opener, lynx = program("true"), program("true", "lynx")
    assert browser.command({"BROWSER": f"/none:{lynx}:{opener} --new %s"}) == (opener, "--new", "%s")
    if sys.platform == "linux":
        assert browser.command({"BROWSER": lynx}) is None
        assert browser.command({}) is None


def test_over_ssh_nobody_sees_a_browser_and_the_way_here_is_told(program: Callable[..., str]) -> None:
    logged_in = {"SSH_CONNECTION": "10.0.0.9 5555 10.0.0.1 2222", "DISPLAY": ":0"}
    assert browser.command({**logged_in, "BROWSER": program("true")}) is None
    (note,) = browser.from_afar("https://127.0.0.1:8889/lab", logged_in)
    assert "ssh -N -p 2222 -L 8889:127.0.0.1:8889 " in note
    assert note.endswith("@10.0.0.1")
    assert not browser.from_afar("https://127.0.0.1:8889/lab", {})


async def test_the_browser_gets_a_private_file_and_its_talk_stays_off_the_screen(
    home: Path, program: Callable[..., str], capfd: pytest.CaptureFixture[str]
) -> None:
    opener = program(f'echo talk; echo talk >&2; printf %s "$*" >{home}/words; cp -p "${{1#file://}}" {home}/page')
    await browser.launch((opener,), URL)
    words = (home / "words").read_text()
    file = Path(words.removeprefix("file://"))
    assert "s3cret" not in words
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert "token=s3cret&quot;&gt;&lt;script&gt;" in (home / "page").read_text()
    assert capfd.readouterr() == ("", "")


async def test_the_address_stands_where_the_command_wants_it(home: Path, program: Callable[..., str]) -> None:
    await browser.launch((program(f'printf "%s|" "$@" >{home}/words'), "--app=%s", "-x"), URL)
    first, second, _ = (home / "words").read_text().split("|")
    assert first.startswith("--app=file:///")
    assert second == "-x"


async def test_a_browser_that_fails_is_said_to(program: Callable[..., str]) -> None:
    with pytest.raises(JupytuiError, match="exit status 3"):
        await browser.launch((program("exit 3"),), URL)


async def test_the_file_goes_by_itself(monkeypatch: pytest.MonkeyPatch, program: Callable[..., str]) -> None:
    monkeypatch.setattr(browser, "KEPT", 0.2)
    await browser.launch((program("true"),), URL)
    until = time.monotonic() + 30
    while _places():
        assert time.monotonic() < until
        time.sleep(0.02)


def _places() -> list[Path]:
    return list(browser._place({"XDG_RUNTIME_DIR": str(Path.home() / "run")}).glob("*"))


def test_what_an_earlier_run_has_left_is_removed(home: Path) -> None:
    old = browser.lead_to(URL)
    os.utime(old, (1, 1))
    new = browser.lead_to(URL)
    assert not old.exists()
    assert new.exists()


def test_where_there_are_snaps_the_file_is_where_they_may_look(home: Path) -> None:
    (home / "snap").mkdir()
    file = browser.lead_to(URL)
    assert file.relative_to(home).parts[0] == "jupytui-opens"
