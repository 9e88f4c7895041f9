"""The Settings pane and `jupytui config` on a real JupyterLab: by keys, in tmux, and by the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.program import run, screen, status, write_config
from tests.e2e.tmux import Tmux
from tests.lab.host import LabHost
from tests.lab.jupyter import Recipe, start_jupyter
from tests.lab.lab import Lab

START = 30.0
ANSWER = 90.0  # Jupyter is asked, or a JupyterLab starts
NAME = "spone"
TOKEN = "token-of-spone"
PLACE = "/home/alice/.jupyter"
FILE = f"{PLACE}/jupyter_server_config.json"
LOSER = "c.ServerApp.port_retries = 7\n"
BROKEN = "c.ServerApp.password = (\n"


@pytest.fixture(scope="module")
def host(lab: Lab) -> LabHost:
    """A host with a JupyterLab under a user unit, and a file whose value loses."""
    found = lab.host(NAME)
    found.write(f"{PLACE}/jupyter_server_config.py", LOSER, user="alice")
    start_jupyter(lab, found, Recipe(NAME, "user-unit", "work.ipynb", token=TOKEN))
    return found


@contextmanager
def settings(home: Path, lab: Lab, columns: int, rows: int) -> Iterator[Tmux]:
    """Run the program with the pane shown, and Jupyter asked."""
    with screen(write_config(home, lab, [NAME]), columns, rows) as terminal:
        terminal.wait_until(re.compile(rf"{NAME} .*up"), START)
        terminal.send("8")
        terminal.wait_until(lambda seen: "root_dir" in seen and "asking Jupyter" not in seen, ANSWER)
        yield terminal


def said(host: LabHost, path: str = FILE) -> str:
    return host.exec('cat "$1"', path).stdout


def find(terminal: Tmux, words: str) -> None:
    """Put the cursor on the first row with these words, and show no other rows."""
    terminal.send("/")
    terminal.type(words)
    terminal.send("Enter")
    terminal.wait_until("shown", START)
    terminal.send("g")
    terminal.wait_until(re.compile(rf"› ● applied .*{words}"), START)


def test_a_value_is_changed_by_a_form_applied_by_a_restart_and_undone_to_the_byte(
    home: Path, lab: Lab, host: LabHost
) -> None:
    before = said(host)
    with settings(home, lab, 120, 40) as terminal:
        shown = " ".join(terminal.screen().split())
        assert f"● applied ServerApp.port_retries 0 ~/.jupyter/{FILE.rpartition('/')[2]}:7" in shown
        assert "○ loses ServerApp.port_retries 7 ~/.jupyter/jupyter_server_config.py:1" in shown
        find(terminal, "port_retries")
        terminal.send("e")
        assert "A whole number; default" in terminal.wait_until("port_retries of", ANSWER)
        for typed in ("many", "3"):
            terminal.send("C-u")
            terminal.wait_until(re.compile(r"│ +│\n.*A whole number"), START)
            terminal.type(typed)
            terminal.wait_until(re.compile(rf"│ +{typed} +│"), START)
            terminal.send("Enter")
            if typed == "many":
                terminal.wait_until("port_retries is a whole number", START)
        shown = terminal.wait_until(re.compile(r'\+ +"port_retries": 3'), START)
        assert re.search(r'- +"port_retries": 0', shown)
        assert said(host) == before, "it is shown first"
        terminal.send("y")
        shown = terminal.wait_until(f"Restart {NAME}:8888 now?", ANSWER)
        assert "work.ipynb" in shown
        assert said(host) == before.replace('"port_retries": 0', '"port_retries": 3')
        terminal.send("y")
        terminal.wait_until("is back by jupyter.service", ANSWER)
        terminal.wait_until(re.compile(r"● applied +ServerApp.port_retries +3 "), ANSWER)
        terminal.send("u")
        terminal.wait_until("Undo: Change of ServerApp.port_retries", ANSWER)
        terminal.send("y")
        terminal.wait_until(f"Restart {NAME}:8888 now?", ANSWER)
        assert said(host) == before
        terminal.send("Escape")
        terminal.wait_until(re.compile(r"◐ pending +ServerApp.port_retries +0 "), ANSWER)
        assert TOKEN.encode() not in terminal.output()


def test_a_preset_says_why_is_written_left_pending_and_undone_by_the_next_jupytui(
    home: Path, lab: Lab, host: LabHost
) -> None:
    before = said(host)
    with settings(home, lab, 45, 30) as terminal:
        terminal.send("P")
        terminal.wait_until("Presets for", START)
        terminal.send("Down", "Down", "Down", "Down", "Enter")
        terminal.wait_until("through a tunnel", ANSWER)
        terminal.wait_until("quit_button", START)
        terminal.send("y")
        terminal.wait_until(re.compile(r"Restart .*now\?"), ANSWER)
        terminal.send("Escape")
        assert '"quit_button": false' in said(host)
        terminal.wait_until(re.compile(r"◐ pending +quit_button"), ANSWER)
    config = write_config(home, lab, [NAME])
    done = run(config, "config", "undo", NAME)
    assert done.returncode == 0, done.stderr
    assert "Preset Headless service" in done.stderr
    assert said(host) == before
    assert run(config, "config", "undo", NAME).returncode == 1, "there is no more to undo"
    assert host.exec("stat -c %a /home/alice/.local/state/jupytui/last-edits").stdout == "700\n"


def test_a_file_that_does_not_parse_is_seen_as_soon_as_it_is_there_and_checked_by_scripts(
    home: Path, lab: Lab, host: LabHost
) -> None:
    with settings(home, lab, 45, 30) as terminal:
        host.write(f"{PLACE}/jupyter_lab_config.py", BROKEN, user="alice")
        terminal.wait_until("✖ broken", ANSWER)
        terminal.send("g")
        terminal.wait_until(lambda seen: "Jupyter starts as if it were not there." in " ".join(seen.split()), START)
    config = write_config(home, lab, [NAME])
    done = run(config, "config", "check", NAME)
    assert done.returncode == 1
    assert "jupyter_lab_config.py:1" in done.stdout
    assert "the server may be open to all" in done.stdout
    host.exec('rm "$1"', f"{PLACE}/jupyter_lab_config.py")
    host.exec('rm "$1"', f"{PLACE}/jupyter_server_config.py")
    done = run(config, "config", "check", NAME)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_command_line_gives_data_on_stdout_and_never_a_secret(home: Path, lab: Lab, host: LabHost) -> None:
    config, before = write_config(home, lab, [NAME]), said(host)
    shown = run(config, "config", "show", NAME, "--json")
    found = {each["key"]: each for each in json.loads(shown.stdout)["settings"]}
    assert found["ServerApp.port"] | {"state": ""} == {
        "key": "ServerApp.port", "value": 8888, "secret": False, "set": True, "state": "", "origin": "file",
        "written_as": "ServerApp.port", "file": FILE, "line": 6, "loses_to": None,
    }  # fmt: skip
    assert found["PasswordIdentityProvider.token"]["value"] is None
    done = run(config, "config", "set", NAME, "ServerApp.max_body_size", "1000000")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Pending" in done.stderr
    assert '"max_body_size": 1000000' in said(host)
    assert run(config, "config", "set", NAME, "ServerApp.cookie_secret", "x").returncode == 2
    assert run(config, "--read-only", "config", "unset", NAME, "ServerApp.max_body_size").returncode == 1
    host.exec("""sed -i 's/: 1000000/: "much"/' "$1" """, FILE)
    ends = run(config, "config", "check", NAME)
    assert (ends.returncode, "Jupyter ends at once" in ends.stderr) == (1, True)
    assert run(config, "config", "set", NAME, "ServerApp.max_body_size", "1000000").returncode == 0, "it can be mended"
    host.write(FILE, before, user="alice")
    assert run(config, "config", "set", NAME, "ServerApp.max_body_size", "7").returncode == 0
    done = run(config, "config", "undo", NAME, "--restart", timeout=120)
    assert done.returncode == 0, done.stderr
    assert "is back by" in done.stderr
    assert said(host) == before
    assert not any(TOKEN in text for each in (shown, done) for text in (each.stdout, each.stderr))


@pytest.fixture
def tireless(host: LabHost) -> Iterator[LabHost]:
    """The host, whose unit is started again whenever its server fails."""
    drop_in = "/home/alice/.config/systemd/user/jupyter.service.d/again.conf"
    host.write(drop_in, "[Service]\nRestart=on-failure\nRestartSec=100ms\n", user="alice", mode="644")
    host.exec("systemctl --user daemon-reload", user="alice")
    yield host
    host.exec('rm -r "${1%/*}"; systemctl --user daemon-reload', drop_in, user="alice")


def listens(host: LabHost) -> None:
    host.exec('until ss -Hltn | grep -q ":8888 "; do sleep 0.1; done', timeout=60)


def test_a_change_that_keeps_the_server_down_is_taken_back_and_the_server_runs_again(
    home: Path, lab: Lab, tireless: LabHost
) -> None:
    config, before = write_config(home, lab, [NAME]), said(tireless)
    done = run(config, "config", "set", NAME, "ServerApp.ip", "999.1.2.3", "--restart", timeout=180)
    assert done.returncode == 1
    assert "did not start: ValueError: " in done.stderr
    assert "Its files are as they were, and it was started once more." in done.stderr
    assert said(tireless) == before
    (server,) = status(config, NAME)[NAME]["servers"]
    assert (server["id"], server["health"]) == (f"{NAME}:8888", "ok")
    assert run(config, "config", "undo", NAME).returncode == 1, "there is nothing left of it"


def test_what_keeps_a_server_down_is_undone_though_it_does_not_run(home: Path, lab: Lab, tireless: LabHost) -> None:
    config, before = write_config(home, lab, [NAME]), said(tireless)
    assert run(config, "config", "set", NAME, "ServerApp.ip", "999.1.2.3").returncode == 0
    tireless.exec(
        "systemctl --user restart jupyter; "
        'until [ "$(systemctl --user show -P NRestarts jupyter)" -ge 1 ]; do sleep 0.1; done',
        user="alice", timeout=60,
    )  # fmt: skip
    done = run(config, "config", "undo", f"{NAME}:8888")
    assert done.returncode == 0, done.stderr
    assert "every byte is as before" in done.stderr
    assert said(tireless) == before
    tireless.exec("systemctl --user reset-failed jupyter; systemctl --user restart jupyter", user="alice")
    listens(tireless)


def test_what_a_share_wrote_is_undone_as_any_change(home: Path, lab: Lab, host: LabHost) -> None:
    config, before = write_config(home, lab, [NAME]), said(host)
    shared = run(config, "share", NAME, "--lan", "--yes")
    assert '"ip": "0.0.0.0"' in said(host), shared.stderr
    done = run(config, "config", "undo", NAME)
    assert done.returncode == 0, done.stderr
    assert "Undone: Change for a share" in done.stderr
    assert said(host) == before
