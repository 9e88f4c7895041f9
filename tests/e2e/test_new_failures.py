"""`jupytui new` with a failure in the middle, for every way to keep a server: the cause, nothing left, and again."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.e2e.program import JUPYTUI, run, status, write_config
from tests.lab.host import LabHost
from tests.lab.jupyter import VENV
from tests.lab.lab import Lab

pytestmark = pytest.mark.timeout(120)

KEEPS = ("user-unit", "system-unit", "process")
ENVIRONMENTS = "/home/alice/envs"
PORT = 8899

# Its own secrets and caches are all that a Jupyter, which was up for a moment, and pip may leave.
_FILES = """\
find /home/alice /etc/systemd /var/lib/systemd/linger /var/log/jupytui ! -type d \
  ! -path '*/.cache/*' ! -name '*_secret' 2>/dev/null
find /home/alice/envs -mindepth 1 2>/dev/null
"""
_LOGGED_IN = ("sshd", "systemd", "/usr/lib/systemd/systemd", "/lib/systemd/systemd", "(sd-pam)", "/usr/bin/dbus-daemon")
_INDEX = """\
mkdir -p /srv/wheels && ln -s "$1"/*.whl /srv/wheels && rm /srv/wheels/tornado-*
printf '[global]\\nno-index = true\\nfind-links = /srv/wheels\\nextra-index-url =\\n' >/etc/pip.conf
"""


@pytest.fixture(scope="module", params=KEEPS)
def kept(request: pytest.FixtureRequest, lab: Lab, jupyter_wheels: Path) -> Iterator[tuple[LabHost, str]]:
    """A host and the way to keep servers there; alice may do what root may, pip's index has all wheels but one."""
    keep: str = request.param
    host = lab.host(f"failing-{keep}")
    host.write("/etc/sudoers.d/alice", "alice ALL=(ALL) NOPASSWD: ALL\n", mode="440")
    host.exec(_INDEX, str(jupyter_wheels))
    host.exec(f"mkdir {ENVIRONMENTS}", user="alice")
    yield host, keep
    lab.remove(host.name)


def new(host: LabHost, keep: str, environment: str) -> tuple[str, ...]:
    return ("new", host.name, "--keep", keep, "--port", str(PORT), "--env", environment)


def files(host: LabHost) -> set[str]:
    """What could be ours, or could have been begun."""
    return set(host.exec(_FILES, check=False).stdout.splitlines())


def processes(host: LabHost) -> set[str]:
    """What alice runs but for her logins, and whatever runs a Python."""
    return {
        f"{process.pid} {process.command}"
        for process in host.processes()
        if (process.user == "alice" and not process.command.startswith(_LOGGED_IN)) or "python" in process.command
    }


@contextlib.contextmanager
def nothing_left(host: LabHost) -> Iterator[None]:
    """See that what is done meanwhile comes to nothing; a host that was cut off has a moment to undo it."""
    before = files(host), processes(host)
    yield
    until = time.monotonic() + 20
    while (after := (files(host), processes(host))) != before and time.monotonic() < until:
        time.sleep(0.1)
    assert after == before
    assert f"127.0.0.1:{PORT}" not in host.listening()


@contextlib.contextmanager
def full_disk(host: LabHost) -> Iterator[None]:
    host.exec(f"mount -t tmpfs -o size=8m,mode=777 none {ENVIRONMENTS}")
    with nothing_left(host):
        yield
    host.exec(f"umount {ENVIRONMENTS}")


@contextlib.contextmanager
def taken_port(host: LabHost) -> Iterator[None]:
    listener = f"exec /usr/bin/python3 -m http.server {PORT} --bind 127.0.0.1"
    with nothing_left(host), host.spawn(listener, user="alice"):
        host.exec(f"until ss -Hltn | grep -q :{PORT}; do sleep 0.05; done")
        yield
        host.exec("pkill -f http[.]server")


FAILURES: dict[str, tuple[Callable[[LabHost], AbstractContextManager[None]], str, str]] = {
    "wheel missing": (nothing_left, f"{ENVIRONMENTS}/mine", "tornado"),
    "disk full": (full_disk, f"{ENVIRONMENTS}/mine", "The disk is "),
    "port taken": (taken_port, str(VENV), f"Port {PORT} is taken by process"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_what_fails_in_the_middle_is_told_with_its_cause_and_leaves_nothing(
    home: Path, lab: Lab, kept: tuple[LabHost, str], failure: str
) -> None:
    host, keep = kept
    meanwhile, environment, cause = FAILURES[failure]
    config = write_config(home, lab, [host.name])
    with meanwhile(host):
        done = run(config, *new(host, keep, environment))
        assert (done.returncode, done.stdout) == (1, "")
        assert cause in done.stderr.splitlines()[-1]


def test_a_connection_that_is_cut_in_the_middle_is_told_and_leaves_nothing_and_the_next_attempt_works(
    home: Path, lab: Lab, kept: tuple[LabHost, str]
) -> None:
    host, keep = kept
    config = write_config(home, lab, [host.name])
    command = [*JUPYTUI, "--config", str(config), *new(host, keep, str(VENV))]
    pipe = subprocess.PIPE
    with (
        nothing_left(host),
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True) as program,
    ):
        assert program.stderr
        assert any("Waiting until it has started" in line for line in program.stderr)
        host.exec("pkill -KILL -u alice -f '^sshd'")
        out, said = program.communicate(timeout=30)
        assert (program.returncode in {1, 3}, out) == (True, "")
        assert f"The connection to {host.name} was lost" in said
    done = run(config, *new(host, keep, str(VENV)))
    assert done.returncode == 0, done.stderr
    (server,) = (s for s in status(config, host.name)[host.name]["servers"] if s["health"] != "stale")
    scope = None if keep == "process" else {"name": f"jupyter-{PORT}.service", "scope": keep.removesuffix("-unit")}
    assert (server["port"], server["health"], server["unit"]) == (PORT, "ok", scope)
