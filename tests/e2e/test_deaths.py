"""Why a kernel died stands in its row within two refreshes, as an ordinary user sees it over SSH.

Jupyter itself looks every 3 s whether its kernels live; two refreshes (1 s) count from when there is something to see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.program import screen, write_config
from tests.e2e.tmux import Tmux
from tests.lab.jupyter import JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab
from tests.lab.memory import memory_limit

START = 20.0
REFRESH = 1.0
SEEN = 2 * REFRESH + 1.0  # and what a busy machine takes to draw it
RESTARTER = 3.0
# After the kernel has told that it is done, else nobody would hear of it.
HOG = "import threading; threading.Timer(0.5, lambda: b'x' * 2**30).start()"
TOLD = re.compile(r"fit\.ipynb.*✖.*out of memory")


@pytest.fixture
def server(lab: Lab, jupyters: dict[str, JupyterServer]) -> Iterator[JupyterServer]:
    """A JupyterLab of its own under a user unit, logging to the journal; a fresh one for each test."""
    recipe = Recipe("deaths", "user-unit", "fit.ipynb", token="token-of-the-deaths-host")
    yield start_jupyter(lab, lab.host("deaths"), recipe)
    lab.remove("deaths")


@pytest.fixture
def terminal(home: Path, lab: Lab, server: JupyterServer) -> Iterator[Tmux]:
    with screen(write_config(home, lab, ["deaths"], refresh=REFRESH)) as opened:
        opened.wait_until("8888", START)
        opened.send("2")
        opened.wait_until(re.compile(r"fit\.ipynb.*idle"), START)
        yield opened


def test_a_kernel_killed_by_a_signal_is_shown_with_its_restart(terminal: Tmux, server: JupyterServer) -> None:
    server.host.exec('kill -KILL "$1"', str(server.kernel_pid))
    # By the signal where a look came before Jupyter's; else nothing on the machine knows it any more.
    told = r"fit\.ipynb.*✖ restarted 1/5, (killed by SIGKILL|ended without a word: killed)"
    terminal.wait_until(re.compile(told), RESTARTER + SEEN)
    terminal.wait_until(re.compile(r"KernelRestarter: restarting kernel \(1/5\)"), 1)


def test_an_oom_killed_kernel_is_shown_with_that_cause(terminal: Tmux, server: JupyterServer) -> None:
    with memory_limit(server.host, server.kernel_pid, 300 * 2**20):
        server.execute(HOG)
        terminal.wait_until(TOLD, 0.5 + 1 + SEEN)
        terminal.wait_until(re.compile(r"fit\.ipynb.*✖ restarted 1/5, killed: out of memory"), RESTARTER + SEEN)


def test_it_is_dismissed_by_the_menu(terminal: Tmux, server: JupyterServer) -> None:
    server.host.exec('kill -KILL "$1"', str(server.kernel_pid))
    terminal.wait_until(re.compile(r"fit\.ipynb.*✖ restarted 1/5"), RESTARTER + SEEN)
    terminal.send(".")
    terminal.wait_until("Dismiss why")  # typed sooner, the letters would be keys
    terminal.type("dismiss why")
    terminal.send("Enter")
    terminal.wait_until(lambda text: re.search(r"fit\.ipynb.*(idle|starting)", text) and "✖" not in text, SEEN)
