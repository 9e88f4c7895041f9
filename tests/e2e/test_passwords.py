"""Passwords of real servers on a host of the lab: by the command line, and by keys in the pane."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.program import JUPYTUI, run, screen, write_config
from tests.lab.host import LabHost
from tests.lab.jupyter import PASSWORD, JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab

NAME = "pw1"
START = 30.0
PROVEN = 60.0  # two questions to Jupyter, a restart, and the proof
NEW = "quiet marmalade 47 lanterns"
CONFIG = "/home/alice/.jupyter/jupyter_server_config.json"


@pytest.fixture
def server(lab: Lab) -> JupyterServer:
    """A JupyterLab with a password alone, under a user unit, with a notebook open."""
    host = lab.host(NAME)
    host.exec("systemctl --user stop jupyter 2>/dev/null; rm -rf .jupyter", user="alice", check=False)
    return start_jupyter(lab, host, Recipe(NAME, "user-unit", "work.ipynb", password=PASSWORD))


def passwd(config: Path, *words: str, input: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*JUPYTUI, "--config", str(config), "passwd", NAME, *words],
        input=input, capture_output=True, text=True, timeout=PROVEN, check=False, start_new_session=True,
    )  # fmt: skip


def lets_in(host: LabHost, password: str) -> bool:
    """Whether the login page takes it."""
    script = """
read -r word
jar=$(mktemp)
curl -s -o /dev/null -c "$jar" http://localhost:8888/login
xsrf=$(sed -n 's/.*_xsrf[[:space:]]*//p' "$jar")
code=$(printf '%s' "$word" | curl -s -o /dev/null -w '%{http_code}' -b "$jar" -d "_xsrf=$xsrf" \
    --data-urlencode password@- http://localhost:8888/login)
rm "$jar"
echo "$code"
"""
    return host.exec(script, user="alice", input=password + "\n").stdout.strip() == "302"


def test_a_password_from_stdin_is_proven_and_printed_nowhere(home: Path, lab: Lab, server: JupyterServer) -> None:
    config = write_config(home, lab, [NAME])
    done = passwd(config, "--stdin", "--restart", input=f"{NEW}\n{PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    for words in ("new password is accepted", "old password is refused (401)", "old session is refused (403)"):
        assert words in done.stderr
    assert done.stdout == ""
    assert NEW not in done.stderr
    assert lets_in(server.host, NEW)
    assert not lets_in(server.host, PASSWORD)
    assert server.host.exec(f"stat -c %a {CONFIG}").stdout == "600\n"
    left = server.host.exec('grep -rlF -- "$(cat)" /home/alice /run /tmp /var/log 2>/dev/null; true', input=NEW).stdout
    assert left == ""


def test_without_consent_it_waits_and_says_so_and_then_a_restart_makes_it_count(
    home: Path, lab: Lab, server: JupyterServer
) -> None:
    config = write_config(home, lab, [NAME])
    pid = server.pid
    done = passwd(config, "--generate")
    assert done.returncode == 0, done.stderr
    made = done.stdout.strip()
    assert re.fullmatch(r"([a-z]{6}-){4}[a-z]{6}", made)
    assert made not in done.stderr
    assert "counts after a restart" in done.stderr
    assert (server.pid, lets_in(server.host, PASSWORD)) == (pid, True)
    assert run(config, "restart", NAME, "--yes").returncode == 0
    assert (lets_in(server.host, made), lets_in(server.host, PASSWORD)) == (True, False)


def test_without_its_password_it_is_never_open(home: Path, lab: Lab, server: JupyterServer) -> None:
    """Its token was set to nothing: the password alone kept people out."""
    config = write_config(home, lab, [NAME])
    done = passwd(config, "--remove", "--restart")
    assert done.returncode == 0, done.stderr
    assert "without anything nobody gets in" in done.stderr
    assert json.loads(server.host.exec(f"cat {CONFIG}").stdout)["IdentityProvider"] == {}
    code = "curl -s -o /dev/null -w '%{http_code}' http://localhost:8888/api/status"
    assert server.host.exec(code, user="alice").stdout == "403"


@pytest.mark.parametrize("words", [(), ("--stdin",)], ids=["no terminal", "empty stdin"])
def test_a_password_that_nobody_gives_is_wrong_use(
    home: Path, lab: Lab, server: JupyterServer, words: tuple[str, ...]
) -> None:
    done = passwd(write_config(home, lab, [NAME]), *words)
    assert done.returncode == 2, done.stderr


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (45, 30)], ids=["wide", "narrow"])
def test_it_is_changed_by_keys_with_the_kernels_named_first_and_the_proof_on_screen(
    home: Path, lab: Lab, server: JupyterServer, columns: int, rows: int
) -> None:
    with screen(write_config(home, lab, [NAME]), columns, rows) as terminal:
        terminal.wait_until(re.compile(rf"{NAME} .*up"), START)
        terminal.send("6")
        terminal.wait_until(re.compile(rf"{NAME}:8888 .*(fine|see below)"), START)
        terminal.wait_until("hashed_password", START)
        terminal.send("p")
        terminal.wait_until("New password", START)
        terminal.type(NEW)
        terminal.wait_until("bits", START)
        terminal.send("Enter")
        terminal.type(NEW)
        terminal.send("Enter")
        terminal.type(PASSWORD)
        terminal.send("Enter")
        terminal.wait_quiet()
        terminal.send("Enter")
        shown = terminal.wait_until("This will be lost", START)
        assert "work.ipynb" in shown
        terminal.wait_until(f"Type {NAME} to go ahead", START)  # without a token nobody can tell what it is busy with
        terminal.type(NAME)
        terminal.send("Enter")
        shown = " ".join(terminal.wait_until(f"{NAME}:8888: proven", PROVEN).split())
        assert "old password is refused" in shown
        assert "old session is refused" in shown
        terminal.send("Escape")
        assert NEW.encode() not in terminal.output()
    assert lets_in(server.host, NEW)
