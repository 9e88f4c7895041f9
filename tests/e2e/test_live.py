"""The full-screen program stays true while one watches: by keys, in tmux, against real hosts.

`SEEN` is one refresh (1 s) and one second more, which is the promise.
"""

from __future__ import annotations

import os
import re
import signal as signals
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.program import screen, write_config
from tests.e2e.tmux import Tmux
from tests.lab.jupyter import JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab

START = 20.0
SEEN = 2.0


@pytest.fixture(scope="module")
def server(lab: Lab, jupyters: dict[str, JupyterServer]) -> JupyterServer:
    """A JupyterLab to be broken, on a host that has another one already."""
    recipe = Recipe("live", "nohup", "live.ipynb", token="token-of-the-live-host", log="/home/alice/live.out")
    return start_jupyter(lab, lab.host("live"), recipe)


@pytest.fixture
def config(home: Path, lab: Lab, server: JupyterServer) -> Path:
    return write_config(home, lab, ["live"])


@pytest.fixture(params=[(120, 40), (45, 30)], ids=["wide", "narrow"])
def terminal(config: Path, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    with screen(config, *request.param) as opened:
        opened.wait_until("8888", START)
        opened.send("2")
        opened.wait_until(re.compile(r"live\.ipynb.*idle"), START)
        yield opened


def test_a_kernel_gone_busy_and_idle_again(terminal: Tmux, server: JupyterServer) -> None:
    server.execute("import time; time.sleep(4)", until="busy")
    terminal.wait_until(re.compile(r"live\.ipynb.*busy"), SEEN)
    terminal.wait_until(re.compile(r"live\.ipynb.*idle"), 4 + SEEN)


def test_a_kernel_started_and_shut_down_by_another(terminal: Tmux, server: JupyterServer) -> None:
    started = server.api("POST", "api/kernels", {"name": "python3"})
    terminal.wait_until("(no notebook)", SEEN)
    server.api("DELETE", f"api/kernels/{started['id']}")
    terminal.wait_until(lambda text: "(no notebook)" not in text, SEEN)


def test_a_kernel_is_interrupted_by_a_key(terminal: Tmux, server: JupyterServer) -> None:
    server.execute("import time; time.sleep(600)", until="busy")
    terminal.wait_until(re.compile(r"live\.ipynb.*busy"), SEEN)
    terminal.send("i")
    terminal.wait_until(re.compile(r"live\.ipynb.*idle"), 5)


def test_a_busy_kernel_is_restarted_only_when_its_hosts_name_was_typed(terminal: Tmux, server: JupyterServer) -> None:
    before = server.kernel_pid
    server.execute("import time; time.sleep(600)", until="busy")
    terminal.wait_until(re.compile(r"live\.ipynb.*busy"), SEEN)
    terminal.send("R")
    assert "live.ipynb" in terminal.wait_until("Type live")
    terminal.type("liv")
    terminal.send("Enter")
    assert server.kernel_pid == before
    terminal.type("e")
    terminal.send("Enter")
    terminal.wait_until(re.compile(r"live\.ipynb.*(idle|starting)"), 10)
    assert server.kernel_pid != before


def test_a_server_killed_is_seen(config: Path, server: JupyterServer) -> None:
    with screen(config) as terminal:
        terminal.wait_until(re.compile(r"lab :8888.*up"), START)
        server.host.exec('kill -KILL "$1"', str(server.pid))
        terminal.wait_until(lambda text: not re.search(r"lab :8888.*● up", text), SEEN)
        terminal.wait_until(re.compile(r":8888.*○ gone"), 1)


@pytest.mark.parametrize("signal", ["TERM", "HUP"])
def test_a_signal_ends_it_cleanly(home: Path, lab: Lab, signal: str) -> None:
    lab.host("live")
    with screen(write_config(home, lab, ["live"])) as terminal:
        terminal.wait_until(re.compile(r"live .*up"), START)
        begun = time.monotonic()
        os.kill(terminal.pid, signals.Signals[f"SIG{signal}"])
        terminal.exit_status(5)
        assert time.monotonic() - begun < 2
        assert terminal.output().rstrip().rfind(b"\x1b[?1049l") > terminal.output().rfind(b"\x1b[?1049h")


def test_idle_for_ten_seconds_writes_nothing(home: Path, lab: Lab) -> None:
    lab.host("live")
    with screen(write_config(home, lab, ["live"], refresh=3600)) as terminal:
        terminal.wait_until(re.compile(r"live .*up"), START)
        written = terminal.wait_quiet(1.5)
        assert terminal.wait_quiet(10, 15) == written
