"""Which port of this machine leads to which server: the same one every time.

Jupyter names its login cookie after the address in the browser (`username-127-0-0-1-8888`), and a browser keeps one
page's storage apart from another's by that address. So a server whose port here changed would ask for its token again
and have lost its layout, and two servers that took turns at one port would log each other out.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from jupytui.config.paths import private_directory
from jupytui.config.private import PrivateDirectory
from jupytui.errors import JupytuiError
from jupytui.tunnels import ports
from jupytui.tunnels.keeper.place import Place
from jupytui.tunnels.models import Address

FILE = "ports.json"
MOST = 500  # targets remembered; the one not asked for longest goes first


class _File(msgspec.Struct):
    ports: dict[str, int] = {}


class RememberedPorts:
    """Ports by target, over all hosts.toml of this user: no two targets have the same one.

    In a file of `state`, 0600, replaced whole. Methods raise JupytuiError when that place is not safe or not writable.
    """

    def __init__(self, state: Path, key: str) -> None:
        """`key` tells one hosts.toml from another, for a host is a name in there."""
        self._state, self._key = state, key

    @classmethod
    def at(cls, place: Place) -> RememberedPorts:
        """Return those of a keeper's hosts.toml."""
        return cls(place.state, place.key)

    def port(
        self, host: str, to: Address, base_url: str = "/", *, is_free: Callable[[int], bool] = ports.is_free
    ) -> int:
        """Return the port for the server at `to` on `host`, chosen now if this is the first time.

        Its own number if that is free here and nobody else's, else the next one that is both. One that is remembered
        is returned whether it is free or not: whoever holds it now will go. A unix socket begins at 8888.
        """
        target = f"{self._key} {host} {to} {base_url}"
        with self._held() as directory:
            known = _decode(directory.read(FILE))
            port = known.pop(target, None)
            if port is None:
                taken = set(known.values())
                port = ports.next_free(to.port or ports.USUAL, lambda one: one not in taken and is_free(one))
            known[target] = port
            directory.write(FILE, msgspec.json.encode(_File(dict(list(known.items())[-MOST:]))))
            return port

    @contextmanager
    def _held(self) -> Iterator[PrivateDirectory]:
        """Keep other jupytuis out between reading and writing. Some network file systems cannot lock."""
        try:
            handle = os.open(private_directory(self._state), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise JupytuiError(f"{self._state} cannot be used: {error.strerror}.") from None
        try:
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield PrivateDirectory(self._state)
        except OSError as error:
            raise JupytuiError(f"{self._state / FILE} cannot be written: {error.strerror}.") from None
        finally:
            os.close(handle)


def _decode(data: bytes | None) -> dict[str, int]:
    """Return what was saved; nothing of a file that cannot be understood, and no number that is no port."""
    try:
        found = msgspec.json.decode(data or b"{}", type=_File).ports
    except (msgspec.MsgspecError, ValueError):
        return {}
    return {target: port for target, port in found.items() if 0 < port < 65536}
