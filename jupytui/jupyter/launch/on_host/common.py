"""What runs on the host itself, by a Python there: 3.7 or newer, its standard library alone. This part: the basics.

It takes a session of its own and so outlives the connection that brought it; see `near`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from typing import Any

HELPER_SECONDS = 90  # for one systemctl: a unit's own stop may take that long


class Failure(Exception):
    """It did not work; `facts` say how, and are put into words by the side that can be read."""

    def __init__(self, kind: str, **facts: Any) -> None:
        super().__init__(kind)
        self.facts = dict(facts, kind=kind)


class Gone(Exception):
    """The near side has gone, has changed its mind, or was silent for too long."""


def detach() -> None:
    """Leave the process group that ends with the connection. Handlers, not SIG_IGN: children must not inherit them."""
    os.setsid()
    os.chdir("/")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, lambda *_: None)


def say(**event: Any) -> None:
    """Tell the near side; if there is none any more, go on."""
    data = json.dumps(event).encode() + b"\n"
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError:
        pass


class Near:
    """The side that sent us: lines on our stdin. What was begun is undone when it ends, or says nothing for `lease`."""

    def __init__(self, lease: float) -> None:
        self._rest = b""
        self._ends = time.monotonic() + lease

    def line(self, seconds: float) -> str | None:
        """Return the next line, None when there was none for `seconds`. Raises Gone."""
        until = min(time.monotonic() + seconds, self._ends)
        while b"\n" not in self._rest:
            if not select.select([0], [], [], max(0.0, until - time.monotonic()))[0]:
                if time.monotonic() >= self._ends:
                    raise Gone("the connection was silent for too long")
                return None
            data = os.read(0, 65536)
            if not data:
                raise Gone("the connection ended")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def check(self, seconds: float = 0.0) -> None:
        """Wait for `seconds`. Raises Gone, also for the wish to stop."""
        if self.line(seconds) is not None:
            raise Gone("stopped on request")


def helper_environment() -> dict[str, str]:
    """Return an environment in which systemctl speaks English and finds the user's manager."""
    runtime = os.environ.get("XDG_RUNTIME_DIR") or "/run/user/%d" % os.getuid()
    return dict(os.environ, LC_ALL="C", SYSTEMD_PAGER="", SYSTEMD_COLORS="0", XDG_RUNTIME_DIR=runtime)


def helper(*argv: str, check: bool = True) -> str:
    """Run a command and return its stdout. Raises Failure("command")."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=helper_environment(),
            timeout=HELPER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure("command", command=" ".join(argv), text=str(error), status=-1) from None
    if check and done.returncode:
        text = (done.stderr + done.stdout).decode("utf-8", "replace")[-4000:]
        raise Failure("command", command=" ".join(argv), text=text, status=done.returncode)
    return done.stdout.decode("utf-8", "replace")


def systemctl(scope: str, *words: str, check: bool = True) -> str:
    """Run systemctl for the "user" or the "system" manager."""
    return helper("systemctl", *(["--user"] if scope == "user" else []), "--no-ask-password", *words, check=check)


def tail(path: str, lines: int = 60, size: int = 16384) -> str:
    """Return the last lines of a file, "" when it cannot be read."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - size))
            return b"\n".join(file.read(size).splitlines()[-lines:]).decode("utf-8", "replace")
    except OSError:
        return ""
