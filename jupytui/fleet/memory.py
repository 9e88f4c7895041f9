"""The last known picture, kept between runs so that there is something to see before anything was dialled."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import msgspec

from jupytui.config.model import Config
from jupytui.config.private import NotPrivateError, PrivateDirectory
from jupytui.fleet.models import HostView
from jupytui.hosts.state import HostState

FILE = "fleet.json"
MAX_BYTES = 16 * 2**20
_VERSION = 1


class _Picture(msgspec.Struct):
    version: int
    config: str
    hosts: tuple[HostView, ...]


def recall(cache: Path, config: Path) -> tuple[HostView, ...]:
    """Return the hosts as they were last seen with the configuration file `config`, each waiting to be looked at.

    A picture that is missing, damaged or of another version is no picture: the next look makes a new one.
    """
    try:
        with (cache / FILE).open("rb") as file:
            picture = msgspec.json.decode(file.read(MAX_BYTES), type=_Picture)
    except (OSError, msgspec.DecodeError, RecursionError):
        return ()
    if picture.version != _VERSION or picture.config != str(config):
        return ()
    return tuple(map(_stale, picture.hosts))


def _stale(view: HostView) -> HostView:
    return msgspec.structs.replace(view, state=HostState.CONNECTING, error=None, waiting=None, rtt_ms=None)


def first_picture(config: Config, only: Collection[str], cache: Path) -> list[HostView]:
    """Return the hosts to watch as they were last seen, those never seen as names. Raises UsageError as `watched`."""
    known = {view.name: view for view in recall(cache, config.path)}
    return [known.get(entry.name) or HostView(entry.name, tags=entry.tags) for entry in config.watched(only)]


def remember(cache: Path, config: Path, views: tuple[HostView, ...]) -> None:
    """Save the picture, readable by the user alone. It holds no secret: the models have none.

    A cache that cannot be written is no reason to bother anybody.
    """
    data = msgspec.json.encode(_Picture(_VERSION, str(config), views))
    with suppress(OSError, NotPrivateError):
        PrivateDirectory(cache).write(FILE, data)
