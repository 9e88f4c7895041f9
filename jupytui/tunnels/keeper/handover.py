"""From an older keeper to a newer one: descriptions as lines, sockets beside them (SCM_RIGHTS, unix(7)).

Listening sockets never close, so nobody is refused meanwhile; connections that the older one carries end with it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jupytui import __version__
from jupytui.errors import JupytuiError
from jupytui.tunnels.keeper import protocol
from jupytui.tunnels.keeper.peer import check_peer
from jupytui.tunnels.keeper.place import Place, check_socket
from jupytui.tunnels.keeper.protocol import Handed, Handover, Message, Remembered, Taken

PATIENCE = 5.0  # seconds for each step


@dataclass(frozen=True, slots=True)
class Estate:
    """What a newer keeper gets: the tunnels, listening sockets by name, the lock, the front ends' socket and where."""

    tunnels: tuple[Remembered, ...]
    listening: dict[str, socket.socket]
    lock: int
    listener: socket.socket
    at: Path

    def drop(self) -> None:
        """Let go of everything."""
        os.close(self.lock)
        for one in (self.listener, *self.listening.values()):
            one.close()


def give(connection: socket.socket, tunnels: Sequence[Remembered], sockets: Sequence[int], own: Sequence[int]) -> None:
    """Send `tunnels`, the descriptors of those that have a socket, and `own`. Raises OSError.

    Blocks: not for the event loop.
    """
    rest = iter(sockets)
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.settimeout(PATIENCE)
        for one in tunnels:
            _send(wire, one, [next(rest)] if one.socket else [])
        _send(wire, Handed(), own)


def _send(wire: socket.socket, message: Message, descriptors: Sequence[int]) -> None:
    line = protocol.encode(message)
    sent = socket.send_fds(wire, [line], descriptors) if descriptors else 0
    wire.sendall(line[sent:])


def ask_for(place: Place) -> Estate | None:
    """Return what the running keeper has, if it is older than we are; it has left by the time this returns.

    None: it is as new as we are. Raises JupytuiError and OSError when it does not hand over.
    """
    wire, at = _reach(place)
    with wire:
        check_peer(wire)
        reader = _Reader(wire)
        wire.sendall(protocol.encode(protocol.hello()))
        welcome = reader.next()
        if not isinstance(welcome, protocol.Welcome) or not protocol.is_newer(__version__, welcome.version):
            return None
        wire.sendall(protocol.encode(Handover(1)))
        estate = reader.estate(at)
        if not _leaves(wire):
            estate.drop()
            raise JupytuiError("The older keeper does not leave.")
        return estate


def _reach(place: Place) -> tuple[socket.socket, Path]:
    """Connect to the keeper that runs, and return where it listens. Raises JupytuiError, OSError."""
    for path in place.sockets():
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(PATIENCE)
        try:
            check_socket(path)
            wire.connect(str(path))
        except (FileNotFoundError, ConnectionError):
            wire.close()
        except BaseException:
            wire.close()
            raise
        else:
            return wire, path
    raise FileNotFoundError(place.socket)


def _leaves(wire: socket.socket) -> bool:
    """Tell the older one to leave, and wait until it has: it holds ports on hosts. False: it does not, and goes on."""
    try:
        wire.sendall(protocol.encode(Taken()))
        while wire.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


class _Reader:
    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self._rest = b""
        self._descriptors: list[int] = []

    def next(self) -> protocol.Reply | None:
        while b"\n" not in self._rest:
            data, descriptors, _, _ = socket.recv_fds(self.wire, 65536, 64)
            self._descriptors += descriptors
            if not data:
                raise JupytuiError("The older keeper went away during the hand-over.")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return protocol.read_reply(line)

    def estate(self, at: Path) -> Estate:
        tunnels: list[Remembered] = []
        listening: dict[str, socket.socket] = {}
        while not isinstance(message := self.next(), Handed):
            if isinstance(message, protocol.Failed):
                raise protocol.error_of(message)
            if isinstance(message, Remembered):
                tunnels.append(message)
                if message.socket:
                    listening[message.tunnel.name] = socket.socket(fileno=self._descriptors.pop(0))
        lock, listener = self._descriptors
        return Estate(tuple(tunnels), listening, lock, socket.socket(fileno=listener), at)
