"""`jupytui doctor` and pane 9 against a real host: by the command line, and by keys in tmux."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doctor.planted import RUNTIME
from tests.e2e.program import run, screen, write_config
from tests.lab.host import LabHost
from tests.lab.jupyter import JupyterServer
from tests.lab.lab import Lab

START = 40.0
SECRET = f"{RUNTIME}/jupyter_cookie_secret"


@pytest.fixture
def config(home: Path, lab: Lab, jupyters: dict[str, JupyterServer]) -> Path:
    return write_config(home, lab, ["token"])


@pytest.fixture
def readable(jupyters: dict[str, JupyterServer]) -> Iterator[LabHost]:
    """A host whose server's cookie secret others can read."""
    host = jupyters["token"].host
    host.exec('chmod 644 "$1"', SECRET)
    yield host
    host.exec('chmod 600 "$1"', SECRET)


def test_a_healthy_server_has_no_finding(config: Path) -> None:
    done = run(config, "doctor", "token:8888")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing found" in done.stdout
    assert "token:8888: loopback · token" in done.stdout


def test_findings_go_to_stdout_and_into_the_status(config: Path, readable: LabHost) -> None:
    done = run(config, "doctor", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert [finding["id"] for finding in document["findings"]] == ["exposure.readable"]
    assert SECRET in document["findings"][0]["evidence"][0]


def test_names_that_are_not_known_are_wrong_use(config: Path) -> None:
    assert run(config, "doctor", "token:1").returncode == 2
    assert run(config, "doctor", "who").returncode == 2


def test_a_host_that_is_not_reached_is_a_finding_and_a_status_of_its_own(config: Path) -> None:
    config.write_text(config.read_text() + '[hosts.nobody]\nssh = "alice@127.0.0.1:1"\n')
    done = run(config, "doctor", "nobody", "--json")
    assert done.returncode == 3
    assert [finding["id"] for finding in json.loads(done.stdout)["findings"]] == ["reach.host-refused"]


def test_a_key_shows_what_is_wrong_and_a_key_puts_it_right(config: Path, readable: LabHost) -> None:
    with screen(config, 45, 30) as terminal:
        terminal.wait_until("8888", START)
        terminal.send("9")
        terminal.wait_until("Others can read the", START)
        terminal.send("Enter")
        terminal.wait_until("f does it", START)
        terminal.send("f")
        terminal.wait_until("chmod go-rwx", START)
        terminal.send("y")
        terminal.wait_until("Nothing found", START)
    assert readable.exec('stat -c %a "$1"', SECRET).stdout == "600\n"
