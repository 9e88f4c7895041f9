"""Where a keeper and its front ends meet, and what makes that place safe to meet in.

There is one keeper per hosts.toml, for a tunnel names its host by a name in there; and per machine, for a home
directory may be shared by several.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jupytui.config.paths import Paths, private_directory
from jupytui.errors import JupytuiError

LONGEST = 103 if sys.platform == "darwin" else 107  # bytes of a socket's path: sun_path in unix(4) and unix(7)


@dataclass(frozen=True, slots=True)
class Place:
    """`run` holds the socket, `state` what outlives the keeper, `logs` its log; `hosts` is hosts.toml."""

    run: Path
    state: Path
    logs: Path
    hosts: Path
    key: str

    @property
    def socket(self) -> Path:
        """Where a keeper that is started here and now listens."""
        return _socket(self.run, self.key)

    @property
    def spare(self) -> Path:
        """Where it listens once that directory has been swept away."""
        return _socket(self.state / "run", self.key)

    def sockets(self) -> Iterator[Path]:
        """Yield where a keeper may listen: here, and where the last one wrote that it does.

        One that was started by cron, or before a login, has no /run/user, or another one.
        """
        yield self.socket
        told = _told(self.lock)
        if told and told != self.socket and told.name == self.socket.name:
            yield told

    @property
    def lock(self) -> Path:
        """Held by the keeper. It is not beside the socket: at a logout the system may sweep that directory away."""
        return self.state / f"keeper-{self.key}.lock"

    @property
    def memory(self) -> Path:
        """The tunnels as they are meant to be."""
        return self.state / f"tunnels-{self.key}.json"

    @property
    def log(self) -> Path:
        """What the keeper writes about itself."""
        return self.logs / f"keeper-{self.key}.log"


def find_place(paths: Paths, environ: Mapping[str, str] = os.environ) -> Place:
    """Return where the keeper for `paths` is; nothing is made. Raises JupytuiError when every path is too long."""
    key = hashlib.sha256(os.fsencode(f"{os.uname().nodename}\0{paths.hosts}")).hexdigest()[:8]
    runtime = [directory / "jupytui" for directory in _runtime_directories(environ)]
    for run in (*runtime, paths.state / "run"):
        if len(os.fsencode(_socket(run, key))) <= LONGEST:
            return Place(run, paths.state, paths.logs, paths.hosts, key)
    raise JupytuiError(f"{paths.state} is too long a path for a socket.", "Set XDG_RUNTIME_DIR to a shorter one.")


def _socket(run: Path, key: str) -> Path:
    return run / f"keeper-{key}.sock"


def _told(lock: Path) -> Path | None:
    """Return the path in the lock's file, None when it holds none or is not ours."""
    with suppress(OSError):
        handle = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            said = file.read(LONGEST)
            if said.startswith(b"/") and b"\0" not in said and os.fstat(handle).st_uid == os.geteuid():
                return Path(os.fsdecode(said))
    return None


def _runtime_directories(environ: Mapping[str, str]) -> list[Path]:
    """Return those that are ours: `sudo -E` keeps the variable of somebody else."""
    named = [environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{os.geteuid()}"]
    first = next((Path(name) for name in named if name.startswith("/") and Path(name).is_dir()), None)
    return [first] if first and first.stat().st_uid == os.geteuid() else []


def make_private(directory: Path) -> None:
    """Make `directory` if need be, 0700, and check it. Raises JupytuiError when it is a link or not ours."""
    try:
        private_directory(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise JupytuiError(f"{directory} cannot be made: {error.strerror}.") from None
    check_private(directory)


def check_private(directory: Path) -> None:
    """Make sure that only we can look into `directory`. Raises JupytuiError; FileNotFoundError when there is none."""
    try:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError:
        raise JupytuiError(f"{directory} is no directory of yours.", "Look who made it, and remove it.") from None
    try:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid():
            raise _foreign(directory, found.st_uid)
        if found.st_mode & 0o077:
            os.fchmod(handle, 0o700)
    finally:
        os.close(handle)


def check_socket(path: Path) -> None:
    """Make sure that what is at `path` is a socket of ours. Raises JupytuiError; FileNotFoundError if there is none."""
    check_private(path.parent)
    found = path.lstat()
    if found.st_uid != os.geteuid():
        raise _foreign(path, found.st_uid)
    if not stat.S_ISSOCK(found.st_mode):
        raise JupytuiError(f"{path} is no socket.", "Look who made it, and remove it.")


def _foreign(path: Path, owner: int) -> JupytuiError:
    return JupytuiError(f"{path} belongs to another user (uid {owner}).", "Look who made it, and remove it.")
