"""The tunnels as they are meant to be, in a file that outlives the keeper."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from jupytui.errors import JupytuiError
from jupytui.tunnels.keeper.protocol import Remembered
from jupytui.tunnels.models import Status, Trouble, TunnelState

MAX_BYTES = 8 * 2**20


class _File(msgspec.Struct):
    tunnels: tuple[Remembered, ...] = ()


def recall(path: Path) -> tuple[Remembered, ...]:
    """Return what was saved; nothing when there is no such file, or it cannot be understood.

    Raises JupytuiError when it is a link or belongs to somebody else.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise JupytuiError(f"{path} cannot be read: {error.strerror}.", "Look who made it, and remove it.") from None
    with os.fdopen(handle, "rb") as file:
        if os.fstat(handle).st_uid != os.geteuid():
            raise JupytuiError(f"{path} belongs to another user.", "Look who made it, and remove it.")
        return _decode(file.read(MAX_BYTES))


def _decode(data: bytes) -> tuple[Remembered, ...]:
    try:
        return msgspec.json.decode(data, type=_File).tunnels
    except (msgspec.MsgspecError, ValueError):
        return ()


def save(path: Path, tunnels: Iterable[Remembered]) -> None:
    """Replace the file, 0600; it is as before or wholly new, and a link at its place is replaced. Raises OSError."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(_File(tuple(tunnels))))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def without_keeper(path: Path) -> tuple[Status, ...]:
    """Return how the remembered tunnels stand while no keeper runs: none of them carries. Raises JupytuiError."""
    return tuple(_at_rest(remembered, _changed(path)) for remembered in recall(path))


def _at_rest(remembered: Remembered, since: float) -> Status:
    unkept = Trouble("Nothing keeps it up just now.", "It comes up with the next jupytui.") if remembered.up else None
    return Status(remembered.tunnel, TunnelState.DOWN, since, error=unkept)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
