"""From a host with python3 and nothing else to a Jupyter that stays, by one command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import run, screen, status, write_config
from tests.lab.host import LabHost
from tests.lab.lab import Lab

pytestmark = pytest.mark.timeout(300)

# What anything of ours could be, or could have been begun in.
_OURS = """\
ls -d /home/alice/jupyter /home/alice/.config/systemd/user/jupyter* /home/alice/.local/state/jupytui/servers/* \
  /var/lib/systemd/linger/alice /etc/systemd/system/jupyter* 2>/dev/null
"""
_API = """\
until /usr/bin/python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read())' "$1" 2>/dev/null
do sleep 0.1; done
"""


@pytest.fixture
def bare(home: Path, lab: Lab, fresh_host: LabHost, jupyter_wheels: Path) -> tuple[LabHost, Path]:
    """A host on which no Jupyter is found, pip's index a directory of wheels; and the hosts.toml that names it."""
    config = write_config(home, lab, [fresh_host.name])
    index(fresh_host, jupyter_wheels)
    for environment in environments(config, fresh_host.name):
        if environment["jupyter_server"]:  # this machine's own, which its hosts see
            fresh_host.exec('mount -t tmpfs none "$1"', environment["prefix"])
    return fresh_host, config


def index(host: LabHost, wheels: Path | str) -> None:
    """Make a directory the only index, as an administrator would."""
    host.write("/etc/pip.conf", f"[global]\nno-index = true\nfind-links = {wheels}\nextra-index-url =\n", mode="644")


def environments(config: Path, host: str) -> list[dict[str, Any]]:
    done = run(config, "env", "ls", host, "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["environments"]
    return found


def server(config: Path, host: str, port: int) -> dict[str, Any]:
    """The server on that port, as `jupytui status` shows it."""
    (found,) = (s for s in status(config, host)[host]["servers"] if s["port"] == port and s["health"] != "stale")
    assert isinstance(found, dict)
    return found


def api(host: LabHost, port: int) -> str:
    """What `/api` answers in the host, as soon as it does; nobody logs in for that."""
    return host.exec(_API, f"http://127.0.0.1:{port}/api", timeout=60).stdout


@pytest.mark.parametrize("scope", ["user", "system"])
def test_one_command_gives_a_bare_host_a_jupyterlab_that_survives_a_reboot(
    bare: tuple[LabHost, Path], scope: str
) -> None:
    host, config = bare
    host.write("/etc/sudoers.d/alice", "alice ALL=(ALL) NOPASSWD: ALL\n", mode="440")
    done = run(config, "new", host.name, "--keep", f"{scope}-unit", "--harden", timeout=240)
    assert done.returncode == 0, done.stderr
    assert f"JupyterLab answers at {host.name}:8888, as jupyter-lab.service" in done.stdout
    assert ("lingering was switched on" in done.stdout) == (scope == "user")
    assert "/home/alice/jupyter/bin/python -m pip install" in done.stderr  # what is run is said first
    assert "% Successfully installed" in done.stderr
    there = server(config, host.name, 8888)
    assert there["unit"] == {"name": "jupyter-lab.service", "scope": scope}
    host.reboot()
    assert "version" in api(host, 8888)
    back = server(config, host.name, 8888)
    assert (back["unit"], back["health"]) == (there["unit"], "ok")
    (ours,) = (e for e in environments(config, host.name) if e["prefix"] == "/home/alice/jupyter")
    assert ours["jupyterlab"]
    # The environment is there now: another server needs no installation.
    done = run(config, "new", host.name, "--keep", "process", "--port", "8890", "--env", "jupyter")
    assert done.returncode == 0, done.stderr
    assert "pip" not in done.stderr
    assert server(config, host.name, 8890)["unit"] is None


def test_what_fails_in_the_middle_says_why_and_leaves_nothing_and_the_next_attempt_works(
    bare: tuple[LabHost, Path], jupyter_wheels: Path
) -> None:
    host, config = bare
    new = ("new", host.name, "--keep", "process", "--env", "~/envs/mine", "--port", "8899")
    index(host, "/var/empty")
    done = run(config, *new)
    assert (done.returncode, done.stdout) == (1, "")
    assert "jupyterlab" in done.stderr.splitlines()[-1]
    assert "Nothing was left behind" in done.stderr
    index(host, jupyter_wheels)
    with host.spawn("exec /usr/bin/python3 -m http.server 8899 --bind 127.0.0.1", user="alice"):
        host.exec("until ss -Hltn | grep -q :8899; do sleep 0.05; done")
        done = run(config, *new)
        host.exec("pkill -f http[.]server")
    assert done.returncode == 1
    assert "Port 8899 is taken by process" in done.stderr
    assert "pip install" not in done.stderr  # nothing is installed for a server that could not start
    assert host.exec(f"{_OURS} ls -A /home/alice/envs", check=False).stdout == ""
    done = run(config, *new, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "as process" in done.stdout
    assert "version" in api(host, 8899)
    assert server(config, host.name, 8899)["unit"] is None


def test_on_the_screen_the_commands_are_shown_first_and_what_is_stopped_midway_leaves_nothing(
    bare: tuple[LabHost, Path],
) -> None:
    host, config = bare
    with screen(config) as terminal:
        terminal.wait_until("No Jupyter server runs on", 20)
        terminal.send("n")
        terminal.wait_until("~/jupyter · a new one", 20)
        for _ in range(11):
            terminal.send("Enter")
            terminal.wait_quiet(0.1)
        terminal.wait_until("-m pip install jupyterlab ipykernel")
        terminal.send("y")
        terminal.wait_until(re.compile("New server [1-9][0-9]% ━"), 60)
        terminal.send("C-c")
        terminal.wait_until("Stopped: New server")
        host.exec("while ls -d /home/alice/jupyter || pgrep -u alice -f '[j]upyter/bin'; do sleep 0.1; done")
        assert host.exec(_OURS, check=False).stdout == ""
