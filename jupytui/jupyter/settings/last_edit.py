"""The last edit of ours to a server's files, kept on its host, so that anybody's next jupytui can take it back.

Kept are paths and digests, and which server it was for; what the files said stands in their backups beside them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from jupytui.errors import CommandError
from jupytui.hosts.base import Host
from jupytui.jupyter.settings.commit import Done
from jupytui.jupyter.settings.edit import PRIVATE, Edit, FileChange
from jupytui.jupyter.settings.models import CannotEdit, Found
from jupytui.text import clean, clean_line

# A link in place of the directory would have files of ours written elsewhere.
_PLACE = r"""
umask 077
place=$HOME/.local/state/jupytui/last-edits
mkdir -p "$place" && [ ! -L "$place" ] && [ -O "$place" ] && chmod 700 "$place" && printf '%s\n' "$place" || exit 1
"""
_LIST = f'{_PLACE} ls "$place"'


class _File(msgspec.Struct):
    path: str
    after: str | None
    backup: str | None
    mode: int | None


class _Record(msgspec.Struct):
    title: str
    files: list[_File]
    uid: int = -1
    server: str = ""
    python: str = "python3"


@dataclass(frozen=True, slots=True)
class LastEdit:
    """What it was called, the edit that takes it back, and a Python of its host that can make that."""

    title: str
    undo: Edit
    python: str


async def remember(host: Host, found: Found, title: str, done: Done, server: str = "") -> str:
    """Keep what was just done for the server with this id, in place of the edit before.

    Returns why that is not possible, "" when it is kept. Raises HostTrouble.
    """
    files = [_file(change, done.backups) for change in done.edit.files]
    record = _Record(title, files, done.edit.uid, _of(server), found.python)
    try:
        await host.write(await _path(host, found), msgspec.json.encode(record))
    except CommandError as error:
        return f"It cannot be undone by jupytui: {error.message} Backups: {', '.join(done.backups) or 'none'}."
    return ""


def _of(server: str) -> str:
    """Return what names a server on its host, whatever people call that: its port or socket; "" for a mere process."""
    name = server.partition(":")[2]
    return "" if name.startswith("#") else name


def _file(change: FileChange, backups: Sequence[str]) -> _File:
    backup = next((path for path in backups if path.rpartition(".bak-")[0] == change.path), None)
    return _File(change.path, _digest(change.after), backup, change.mode_before)


async def recall(host: Host, found: Found) -> LastEdit | None:
    """Return the last edit of files that a server reads; None if there is none, or it was taken back.

    Raises CannotEdit: its files have changed since, or its backups.
    """
    record = await _read(host, await _path(host, found))
    return await _recalled(host, record) if record else None


async def recall_for(host: Host, server: str) -> LastEdit | None:
    """Return the last edit that was made for a server which does not run; `server` is its id, or the host's name.

    Raises CannotEdit, also where several fit.
    """
    place, *names = await _told(host, _LIST)
    records = [await _read(host, f"{place}/{name}") for name in names if name.endswith(".json")]
    fitting = [each for each in records if each and _of(server) in {"", each.server}]
    if len(fitting) > 1:
        known = ", ".join(f"{host.name}:{each.server} ({each.title})" for each in fitting)
        raise CannotEdit(f"There are several edits of ours on {host.name}: {clean_line(known)}.", "Name one server.")
    return await _recalled(host, fitting[0]) if fitting else None


async def _read(host: Host, path: str) -> _Record | None:
    try:
        return msgspec.json.decode(await host.read(path), type=_Record)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, PermissionError):
        raise CannotEdit(f"The record of the last edit on {host.name} cannot be read.") from None


async def _recalled(host: Host, record: _Record) -> LastEdit | None:
    changes = [await _change(host, file) for file in reversed(record.files)]
    if all(change.before == change.after for change in changes):
        return None
    return LastEdit(clean_line(record.title), Edit(tuple(changes), uid=record.uid), record.python)


async def _change(host: Host, file: _File) -> FileChange:
    now = await _bytes(host, file.path)
    old = await _bytes(host, file.backup) if file.backup else None
    if now != old and _digest(now) != file.after:
        raise CannotEdit(
            f"{file.path} on {host.name} has changed since our last edit; undoing that would undo this too.",
            f"What it was before is in {file.backup}." if file.backup else "",
        )
    if file.backup and old is None:
        raise CannotEdit(f"The backup {file.backup} on {host.name} has gone.")
    return FileChange(file.path, now, old, PRIVATE, file.mode or PRIVATE)


async def _bytes(host: Host, path: str) -> bytes | None:
    try:
        return await host.read(path)
    except FileNotFoundError:
        return None
    except PermissionError:
        raise CannotEdit(f"{path} on {host.name} cannot be read.") from None


def _digest(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


async def _path(host: Host, found: Found) -> str:
    """Servers that read the same files share it: a port, for one, may be what was edited."""
    (place,) = await _told(host, _PLACE)
    name = hashlib.sha256(f"{found.user_directory}\n{found.prefix}".encode()).hexdigest()[:16]
    return f"{place}/{name}.json"


async def _told(host: Host, script: str) -> list[str]:
    done = await host.run(script)
    lines = done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
    if done.status or not lines[0]:
        raise CommandError(f"Nothing can be kept on {host.name}.", detail=clean(done.stderr))
    return lines
