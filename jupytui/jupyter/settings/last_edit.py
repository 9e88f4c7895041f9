"""The last edit of ours to a server's files, kept on its host, so that anybody's next jupytui can take it back.

Kept are paths and digests; what the files said stands in their backups beside them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from jupytui.errors import CommandError
from jupytui.hosts.base import Host
from jupytui.jupyter.settings.edit import PRIVATE, Edit, FileChange
from jupytui.jupyter.settings.models import CannotEdit, Found
from jupytui.text import clean, clean_line

# A link in place of the directory would have files of ours written elsewhere.
_PLACE = r"""
umask 077
place=$HOME/.local/state/jupytui/last-edits
mkdir -p "$place" && [ ! -L "$place" ] && [ -O "$place" ] && chmod 700 "$place" && printf %s "$place"
"""
_FORGET = 'rm -f -- "$1"'


class _File(msgspec.Struct):
    path: str
    after: str | None
    backup: str | None
    mode: int | None


class _Record(msgspec.Struct):
    title: str
    files: list[_File]
    uid: int = -1


@dataclass(frozen=True, slots=True)
class LastEdit:
    """What it was called, and the edit that takes it back."""

    title: str
    undo: Edit


async def remember(host: Host, found: Found, title: str, edit: Edit, backups: tuple[str, ...]) -> None:
    """Keep `edit`, which was just made, in place of the one before. Raises CommandError, HostTrouble."""
    files = [_file(change, backups) for change in edit.files]
    await host.write(await _path(host, found), msgspec.json.encode(_Record(title, files, edit.uid)))


def _file(change: FileChange, backups: tuple[str, ...]) -> _File:
    backup = next((path for path in backups if path.rpartition(".bak-")[0] == change.path), None)
    return _File(change.path, _digest(change.after), backup, change.mode_before)


async def recall(host: Host, found: Found) -> LastEdit | None:
    """Return the last edit, None if there is none. Raises CannotEdit: its files have changed since, or its backups."""
    try:
        record = msgspec.json.decode(await host.read(await _path(host, found)), type=_Record)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, PermissionError):
        raise CannotEdit(f"The record of the last edit on {host.name} cannot be read.") from None
    changes = [await _change(host, file) for file in reversed(record.files)]
    return LastEdit(clean_line(record.title), Edit(tuple(changes), uid=record.uid))


async def forget(host: Host, found: Found) -> None:
    """The last edit was taken back."""
    await host.run(_FORGET, await _path(host, found))


async def _change(host: Host, file: _File) -> FileChange:
    now = await _bytes(host, file.path)
    if _digest(now) != file.after:
        raise CannotEdit(
            f"{file.path} on {host.name} has changed since our last edit; undoing that would undo this too.",
            f"What it was before is in {file.backup}." if file.backup else "",
        )
    old = await _bytes(host, file.backup) if file.backup else None
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
    done = await host.run(_PLACE)
    if done.status or not done.stdout:
        raise CommandError(f"Nothing can be kept on {host.name}.", detail=clean(done.stderr))
    name = hashlib.sha256(f"{found.user_directory}\n{found.prefix}".encode()).hexdigest()[:16]
    return f"{done.stdout.decode('utf-8', 'surrogateescape')}/{name}.json"
