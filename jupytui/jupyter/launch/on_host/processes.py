"""What runs on the host itself: processes, who they are and what they hold. Linux by /proc, elsewhere by `ps`."""

from __future__ import annotations

import glob
import json
import os
import signal
import subprocess
import time
from typing import Any

LISTENING = "0A"
ACCEPTING = "00010000"  # __SO_ACCEPTCON: the flags in /proc/net/unix


def start_of(pid: int) -> str:
    """Return when a process started (ticks since boot, as text), "" when it is gone or only waits to be reaped.

    With its pid this names a process for good: pids are reused.
    """
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            fields = file.read().rpartition(b") ")[2].split()
    except OSError:
        return "" if os.path.exists("/proc/self/stat") else _start_by_ps(pid)
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()


def _start_by_ps(pid: int) -> str:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    words = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout.decode().split()
    return "" if not words or words[0].startswith("Z") else "-".join(words[1:])


def environment_of(pid: int) -> dict[bytes, bytes]:
    """Return the environment a process began with as bytes, {} when it may not be seen."""
    try:
        with open("/proc/%d/environ" % pid, "rb") as file:
            items = file.read().split(b"\0")
    except OSError:
        return {}
    return {name: value for name, equals, value in (item.partition(b"=") for item in items) if equals}


def argv_of(pid: int) -> list[bytes]:
    """Return the command line of a process as a list of bytes, [] when it is gone."""
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return file.read().split(b"\0")[:-1]
    except OSError:
        return []


def runtime_dirs(environment: dict[bytes, bytes], home: str) -> list[str]:
    """Return where a Jupyter with this environment keeps its runtime files (jupyter_core.paths)."""

    def of(name: bytes) -> str:
        return os.fsdecode(environment.get(name, b""))

    home = of(b"HOME") or home
    data = of(b"JUPYTER_DATA_DIR")
    mac = "Library/Jupyter" if os.uname().sysname == "Darwin" else None
    shared = os.path.join(of(b"XDG_DATA_HOME") or os.path.join(home, ".local/share"), "jupyter")
    default = os.path.join(home, mac) if mac else shared
    return [of(b"JUPYTER_RUNTIME_DIR") or os.path.join(data or default, "runtime")]


def runtime_files(pid: int, directories: list[str]) -> list[str]:
    """Return the runtime files that the server `pid` has written."""
    names = ("jpserver-%d.json", "jpserver-%d-open.html", "nbserver-%d.json", "nbserver-%d-open.html")
    paths = [os.path.join(directory, name % pid) for directory in directories for name in names]
    return [path for path in paths if os.path.lexists(path)]


def ready(pid: int, directories: list[str]) -> dict[str, Any] | None:
    """Return pid, start, path, runtime and ports of a server that can be asked, else None.

    It writes its runtime file before it listens (jupyter_server 2.7.3 to 2.21.1). Until it does, the file of that name
    may be one that a server with the same pid left before the machine was booted: another port, another token.
    """
    held = sockets_of(pid)
    ports = ports_of(held)
    for path in runtime_files(pid, directories):
        text, fields = _whole(path)
        if fields and (not _can_be_seen(pid) or _serves(held, ports, fields)):
            return {"pid": pid, "start": start_of(pid), "path": path, "runtime": text, "ports": ports}
    return None


def _whole(path: str) -> tuple[str, dict[str, Any]]:
    """Return the text of a runtime file and what it says, nothing as long as it is not whole."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(16384)
        fields = json.loads(text) if path.endswith(".json") else None
    except (OSError, ValueError):
        return "", {}
    return text, fields if isinstance(fields, dict) else {}


def _serves(held: set[str], ports: list[int], fields: dict[str, Any]) -> bool:
    return fields["sock"] in unix_listeners(held) if fields.get("sock") else fields.get("port") in ports


def _can_be_seen(pid: int) -> bool:
    """Whether it can be told what the process listens on: not on macOS, and not of another user's process."""
    try:
        return bool(os.listdir("/proc/%d/fd" % pid))
    except OSError:
        return False


def unix_listeners(inodes: set[str]) -> set[str]:
    """Return the paths of those among the sockets `inodes` that listen; those of others may be called anything."""
    with open("/proc/net/unix", "rb") as file:
        rows = [os.fsdecode(line.rstrip(b"\n")).split(None, 7) for line in file.readlines()[1:]]
    return {row[7] for row in rows if len(row) == 8 and row[3] == ACCEPTING and row[6] in inodes}


def listeners() -> dict[str, int]:
    """Return the listening TCP sockets as {inode: port}."""
    found: dict[str, int] = {}
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(path) as file:
                rows = [line.split() for line in file.readlines()[1:]]
        except OSError:
            continue
        found.update((row[9], int(row[1].rpartition(":")[2], 16)) for row in rows if row[3] == LISTENING)
    return found


def sockets_of(pid: int) -> set[str]:
    """Return the inodes of the sockets a process holds."""
    found: set[str] = set()
    for path in glob.glob("/proc/%d/fd/*" % pid):
        try:
            target = os.readlink(path)
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def ports_of(sockets: set[str]) -> list[int]:
    """Return the TCP ports on which those among the sockets (inodes) listen that do."""
    return sorted({port for inode, port in listeners().items() if inode in sockets})


def family(pid: int) -> list[int]:
    """Return a process and all below it."""
    children: dict[int, list[int]] = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError:
            continue
        children.setdefault(int(text.rpartition(b") ")[2].split()[1]), []).append(int(text.split()[0]))
    found = [pid]
    for known in found:
        found += children.get(known, [])
    return found


def wait_gone(pid: int, start: str, seconds: float, pause: float = 0.05) -> bool:
    """Whether that very process ended within `seconds`."""
    until = time.monotonic() + seconds
    while start_of(pid) == start:
        if time.monotonic() > until:
            return False
        try:
            os.waitpid(pid, os.WNOHANG)
        except OSError:
            pass
        time.sleep(pause)
    return True


def end_session(pid: int, start: str) -> None:
    """End a process that leads a session of its own: asked to, and after five seconds made to."""
    if start_of(pid) == start:
        os.kill(pid, signal.SIGTERM)
    if not wait_gone(pid, start, 5.0):
        os.killpg(pid, signal.SIGKILL)
        wait_gone(pid, start, 5.0)
