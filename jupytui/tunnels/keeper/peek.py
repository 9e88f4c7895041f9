"""A look at the tunnels that starts nothing."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from jupytui.config.paths import Paths
from jupytui.errors import JupytuiError
from jupytui.tunnels.keeper import protocol
from jupytui.tunnels.keeper.memory import without_keeper
from jupytui.tunnels.keeper.peer import check_peer
from jupytui.tunnels.keeper.place import check_socket, find_place
from jupytui.tunnels.models import Status

PATIENCE = 2.0  # seconds


def peek(paths: Paths) -> Sequence[Status]:
    """Return how all tunnels stand now; without a keeper at once, the remembered ones, none of which is up.

    Blocks, for milliseconds: the keeper is on this machine. Raises JupytuiError when it does not answer within two
    seconds, or what is there is not ours.
    """
    place = find_place(paths)
    try:
        for path in place.sockets():
            with suppress(FileNotFoundError, ConnectionRefusedError):
                return _ask(path)
    except OSError as error:
        raise JupytuiError(f"The tunnels' keeper does not answer: {error.strerror or 'it takes too long'}.") from None
    return without_keeper(place.memory)


def _ask(path: Path) -> Sequence[Status]:
    check_socket(path)
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(PATIENCE)
        wire.connect(str(path))
        check_peer(wire)
        wire.sendall(protocol.encode(protocol.hello()) + protocol.encode(protocol.List(1)))
        with wire.makefile("rb") as lines:
            while line := lines.readline(protocol.LONGEST_REPLY):
                if isinstance(reply := protocol.read_reply(line), protocol.Statuses):
                    return reply.statuses
    raise ConnectionRefusedError  # it is leaving
