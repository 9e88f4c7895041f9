"""What runs on the host itself: what a launch would meet there. Changes nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import socket
import subprocess
from typing import Any

from jupytui.jupyter.launch.on_host import processes
from jupytui.jupyter.launch.on_host.common import helper_environment, say


def run(job: dict[str, Any]) -> None:
    """Tell all of it at once."""
    account = pwd.getpwuid(os.getuid())
    home = os.environ.get("HOME") or account.pw_dir
    name, number = job["name"], 1
    while job["number_it"] and _taken(name, home):
        number += 1
        name = "%s-%d" % (job["name"], number)
    root = os.path.normpath(os.path.join(home, os.path.expanduser(job["root_dir"])))
    say(
        ground={
            "name": name,
            "uid": os.getuid(),
            "user": account.pw_name,
            "home": home,
            "state": os.environ.get("XDG_STATE_HOME") or os.path.join(home, ".local/state"),
            "config": os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"),
            "systemd": os.path.isdir("/run/systemd/system"),
            "manager": _manager(),
            "linger": os.path.exists("/var/lib/systemd/linger/" + account.pw_name),
            "root_dir": root,
            "root_dir_is": _kind(root),
            "port_holder": _holder(job["port"]) if job["port"] else "",
            "script": _script(job["python"], job["program"], home),
            "name_taken": _taken(name, home),
        }
    )


def _manager() -> bool:
    """Whether a user manager answers: there may be systemd without one (su, cron, no pam_systemd)."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            ["systemctl", "--user", "show", "-p", "Version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=helper_environment(),
            timeout=10,
            check=False,
        )
        return done.returncode == 0
    return False


def _kind(path: str) -> str:
    if not os.path.lexists(path):
        return "missing"
    if not os.path.isdir(path):
        return "file"
    return "writable" if os.access(path, os.W_OK | os.X_OK) else "readonly"


def _script(python: str, program: str, home: str) -> str:
    """Return the program's script, "" where it can only be run as a module of `python`."""
    beside = os.path.dirname(python)
    places = [beside] if os.path.exists(os.path.join(beside, "..", "pyvenv.cfg")) else [
        beside, os.path.join(home, ".local/bin"), "/usr/local/bin",
    ]  # fmt: skip
    found = [os.path.join(place, program) for place in places if os.access(os.path.join(place, program), os.X_OK)]
    return found[0] if found else ""


def _holder(port: int) -> str:
    """Return in words who listens on `port`, "" when nobody does."""
    inodes = {inode for inode, number in processes.listeners().items() if number == port}
    for name in os.listdir("/proc") if inodes else []:
        if name.isdigit() and processes.sockets_of(int(name)) & inodes:
            words = b" ".join(processes.argv_of(int(name))).decode("utf-8", "replace")
            return "process %s (%s)" % (name, words[:200])
    return "a process of another user" if inodes or not _free(port) else ""


def _free(port: int) -> bool:
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
    except OSError as error:
        return error.errno != errno.EADDRINUSE
    return True


def _taken(name: str, home: str) -> list[str]:
    """Return what already has the name: a unit file or a pid file."""
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(home, ".local/state")
    paths = [os.path.join(config, "systemd/user", name + ".service"), "/etc/systemd/system/%s.service" % name]
    paths += [os.path.join(state, "jupytui/servers", name + ".pid")]
    return [path for path in paths if os.path.lexists(path)]
