"""What an agent is started from: a directory of its own with its configuration, a launcher and a leash.

pyngrok starts what `ngrok_path` names: it hands no environment, no stdin and no stderr of our choice to it, and tells
nobody which process it is before the agent has spoken. The launcher makes up for that. The leash is a FIFO whose only
writer is this process: when we end, however that happens, a watcher beside the agent sees the end of it and ends the
agent. A share never outlives its owner.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from jupytui.config.private import PrivateDirectory
from jupytui.secret import Secret
from jupytui.tunnels.models import LOOPBACK

_PREFIX = "agent-"
# `read` succeeds on a line (the agent has ended, and its pid may be another's by now), fails at the end of the FIFO.
# What else the watcher holds open is closed: pyngrok reads the agent's stdout to its end.
_LAUNCHER = """\
#!/bin/sh
exec 3<{leash} </dev/null 2>/dev/null
echo lvl=info msg=launched
( exec >/dev/null; read -r _ <&3 || kill -KILL $$ ) &
exec {binary} "$@" 3<&-
"""


class Leash:
    """One agent's directory, held until `drop`. Raises OSError and NotPrivateError."""

    def __init__(self, parent: Path, binary: Path, token: Secret) -> None:
        PrivateDirectory(parent).make()
        _sweep(parent)
        self._files = PrivateDirectory(Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent)))  # 0700
        self._lock = _lock(self._files.path)
        fifo = self._files.path / "leash"
        os.mkfifo(fifo, 0o600)
        self._end = os.open(fifo, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.config = self._files.write("ngrok.yml", _configuration(token))
        launcher = _LAUNCHER.format(leash=shlex.quote(str(fifo)), binary=shlex.quote(str(binary)))
        self.launcher = self._files.write("ngrok", launcher.encode(), 0o700)

    def pull(self) -> None:
        """End the agent now, whatever it is doing. Safe to call twice."""
        end, self._end = self._end, -1
        if end >= 0:
            os.close(end)

    def drop(self) -> None:
        """Clear up after an agent that has ended. Safe to call twice."""
        if self._end >= 0:
            with suppress(OSError):
                os.write(self._end, b"\n")
        self.pull()
        shutil.rmtree(self._files.path, ignore_errors=True)
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def _configuration(token: Secret) -> bytes:
    """ngrok.yml, version 3 (https://ngrok.com/docs/agent/config/v3). JSON is YAML.

    Requests are not kept for inspection: they hold passwords, and anybody on this machine may ask `web_addr`.
    """
    agent = {
        "authtoken": token.reveal(),
        "web_addr": f"{LOOPBACK}:{_free_port()}",
        "inspect_db_size": -1,
        "console_ui": False,
        "remote_management": False,
        "update_check": False,
    }
    return json.dumps({"version": 3, "agent": agent}, indent=1).encode()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        return int(sock.getsockname()[1])


def _lock(directory: Path) -> int | None:
    """Hold `directory`, so that nobody sweeps it; None where it is held by another."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _sweep(parent: Path) -> None:
    """Remove what owners left behind who were killed: each holds a token."""
    for left in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if (handle := _lock(left)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(handle)
