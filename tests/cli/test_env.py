"""`jupytui env` and what the command line says before something is run; the rest is in tests/e2e/test_new.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jupytui.actions.base import Confirmation
from jupytui.actions.environments import look
from jupytui.cli import main, tell
from jupytui.cli.front import TerminalFront
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.hosts.base import Destination, Nobody
from jupytui.jupyter.models import App, Server


def test_an_upgrade_of_nothing_in_particular_is_wrong_use(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "upgrade", "local"]) == 2
    assert "Name the environment by --env." in capsys.readouterr().err


async def test_where_nothing_is_lost_the_commands_are_told_and_nobody_is_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    question = Confirmation("Make /x on gpu1", (), "first\nsecond", notes=("Mind that.",))
    assert await TerminalFront(yes=False).confirm(question)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "jupytui: Make /x on gpu1:\n  first\n  second\n  Mind that.\n")


def test_progress_is_told_on_stderr_with_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    tell("Collecting tornado", 0.07)
    tell("Starting it")
    assert capsys.readouterr() == ("", "jupytui:   7% Collecting tornado\njupytui: Starting it\n")


def test_the_environments_of_this_machine_are_listed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "jupyter/bin").mkdir(parents=True)
    (home / "jupyter/pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.1\n")
    assert main(["env", "ls", "local"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[:3] for line in out.splitlines() if str(home) in line] == [
        [str(home / "jupyter"), "venv", "3.12.1"]
    ]
    assert err == ""


async def test_what_a_running_server_uses_is_listed_first_wherever_it_lies(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", elsewhere], check=True)
    with subprocess.Popen([elsewhere / "bin/python", "-c", "input()"], stdin=subprocess.PIPE) as process:
        view = HostView("local", servers=(Server("local:8888", process.pid, App.LAB),))
        async with Fleet(Store([view]), lambda _host: Nobody()) as fleet:
            fleet.add(Destination("local", None))
            found, _ = await look(fleet, "local")
    assert found.environments[0].prefix == str(elsewhere)
