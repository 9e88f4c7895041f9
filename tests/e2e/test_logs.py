"""Logs of real servers: what they write is on the screen and on stdout, over cuts of the link."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.program import JUPYTUI, run, screen, write_config
from tests.e2e.tmux import Tmux
from tests.lab.jupyter import JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab
from tests.lab.slot import LabError

START = 20.0
SEEN = 2.0
BACK = 60.0  # a half-open link is noticed by keepalive, then dialled again
RECIPES = {
    "journal": Recipe("wlog", "user-unit", "a.ipynb", token="token-of-the-wlog-host"),
    "file": Recipe("wfile", "nohup", "b.ipynb", token="token-of-the-wfile-host", log="/home/alice/lab.out"),
}


@pytest.fixture(scope="module", params=list(RECIPES))
def server(request: pytest.FixtureRequest, lab: Lab, jupyters: dict[str, JupyterServer]) -> JupyterServer:
    """A JupyterLab whose log goes to the journal, and one whose log goes to a file; their links are cut."""
    recipe = RECIPES[request.param]
    return start_jupyter(lab, lab.host(recipe.name), recipe)


@pytest.fixture
def config(home: Path, lab: Lab, server: JupyterServer) -> Path:
    return write_config(home, lab, [server.host.name])


@pytest.fixture(params=[(120, 40), (45, 30)], ids=["wide", "narrow"])
def terminal(config: Path, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    with screen(config, *request.param) as opened:
        opened.wait_until("8888", START)
        opened.send("j", "l")
        opened.wait_until("● following", START)
        yield opened


def warn(server: JupyterServer) -> str:
    """Let the server warn of a notebook there is not; the word in the line."""
    word = f"no-{time.time_ns()}.ipynb"
    with suppress(LabError):
        server.api("GET", f"api/contents/{word}")
    return word


def followers(server: JupyterServer) -> list[str]:
    """What runs on the host to follow a log."""
    found = (process.command for process in server.host.processes() if process.user == "alice")
    return [command for command in found if "journalctl" in command or ("lab.out" in command and "sh" in command)]


def test_a_kernel_that_starts_is_a_line(terminal: Tmux, server: JupyterServer) -> None:
    kernel = server.api("POST", "api/kernels", {"name": "python3"})["id"]
    try:
        terminal.wait_until(f"Kernel started: {kernel[:8]}", SEEN)
        terminal.send("k")
        terminal.wait_until("○ paused")
        terminal.send("/")
        terminal.type(kernel)
        terminal.wait_until(re.compile(r"\d of \d"))
    finally:
        server.api("DELETE", f"api/kernels/{kernel}")


def test_a_quiet_log_writes_nothing_and_leaving_it_ends_what_follows_it(config: Path, server: JupyterServer) -> None:
    write_config(config.parent, Lab.open(server.host.slot), [server.host.name], refresh=3600)
    with screen(config) as terminal:
        terminal.wait_until("8888", START)
        terminal.send("j", "l")
        terminal.wait_until("● following", START)
        written = terminal.wait_quiet(1.5)
        assert terminal.wait_quiet(10, 15) == written
        assert followers(server)
        terminal.send("1")
        gone_within(server, 5)
        terminal.send("3")
        terminal.wait_until("● following")
        terminal.send("q")
        terminal.exit_status()
        gone_within(server, 5)


def gone_within(server: JupyterServer, seconds: float) -> None:
    until = time.monotonic() + seconds
    while left := followers(server):
        assert time.monotonic() < until, left
        time.sleep(0.1)


def test_over_a_cut_it_says_so_and_goes_on_with_every_line_once(config: Path, server: JupyterServer) -> None:
    with screen(config, 120, 40) as terminal:
        terminal.wait_until("8888", START)
        terminal.send("j", "l")
        terminal.wait_until("● following", START)
        server.host.cut()
        try:
            terminal.wait_until("✖ connection lost", BACK)
            word = warn(server)
        finally:
            server.host.heal()
        line = f"404 GET /api/contents/{word} (127.0.0.1)"
        assert terminal.wait_until(line, BACK).count(line) == 1
        terminal.wait_quiet(0.5)
        shown = terminal.screen()
        assert shown.count(line) == 1
        assert "the log goes on where it stopped" in shown


def test_logs_prints_what_was_written_last(config: Path, server: JupyterServer) -> None:
    word = warn(server)
    done = run(config, "logs", server.host.name, "-n", "30")
    assert done.returncode == 0, done.stderr
    assert word in done.stdout
    assert len(done.stdout.splitlines()) <= 30
    assert server.recipe.token not in run(config, "logs", server.host.name, "-n", "100000").stdout


def test_logs_f_goes_on_after_a_cut_and_ctrl_c_ends_it(config: Path, server: JupyterServer, home: Path) -> None:
    out = home / "out"
    with out.open("wb") as file:
        argv = [*JUPYTUI, "--config", str(config), "logs", "-f", "-n", "0", server.host.name]
        child = subprocess.Popen(argv, stdout=file, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        until_in(out, lambda: warn(server), START)
        server.host.cut()
        word = warn(server)
        try:
            assert child.stderr
            assert b"connection" in child.stderr.readline()
        finally:
            server.host.heal()
        until_in(out, lambda: word, BACK)
        child.send_signal(signal.SIGINT)
        assert child.wait(5) == 130
        assert b"Traceback" not in child.stderr.read()
        assert out.read_text().count(f"No such file or directory: {word}") == 1
    finally:
        child.kill()
        child.communicate()


def until_in(file: Path, text: Callable[[], str], seconds: float) -> None:
    """Wait until a text is in a file; `text` gives one, anew each time."""
    until = time.monotonic() + seconds
    while text() not in file.read_text():
        assert time.monotonic() < until, file.read_text()
        time.sleep(0.2)
