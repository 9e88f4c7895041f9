"""Writes an edit on its host: all of its files or none, and only if they are still as they were read."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from jupytui.errors import CommandError
from jupytui.hosts.base import Host
from jupytui.jupyter.rights import REFUSED, SHELL, refusal
from jupytui.jupyter.settings.edit import Edit, FileChange
from jupytui.jupyter.settings.models import CannotEdit
from jupytui.jupyter.settings.sources import source
from jupytui.text import clean, clean_line

SECONDS = 30.0
_RUN = SHELL + 'exec_as "$3" "$1" -I -S -c "$2"'


async def apply(host: Host, python: str, edit: Edit, *, backups: bool = True) -> tuple[str, ...]:
    """Write `edit`; return the paths of the backups (NAME.bak-TIME, 0600), which stay beside the files.

    `python` is any Python there. Killed or cut off at any moment, all files are as before or as after once somebody
    looks again (`discover.look`). Raises CannotEdit (nothing was written), CommandError, DeadlineError, HostTrouble.
    """
    facts = await _run(host, python, work(edit, backups=backups))
    return tuple(clean_line(str(path), 4096) for path in facts.get("backups", ()))


async def recover(host: Host, python: str, uid: int = -1) -> int:
    """Undo edits of user `uid` on `host` that were killed halfway; how many. Raises as `apply`."""
    return int((await _run(host, python, work(Edit((), uid=uid), backups=False))).get("recovered", 0))


def work(edit: Edit, *, backups: bool) -> Mapping[str, Any]:
    """Return the job of on_host/change.py that makes `edit`."""
    return {"files": [_job(file) for file in edit.files], "backups": backups, "uid": edit.uid}


def _job(file: FileChange) -> dict[str, Any]:
    return {
        "path": file.path,
        "before": _digest(file.before),
        "after": _digest(file.after),
        "data": file.after.decode("utf-8", "surrogateescape") if file.after is not None else None,
        "mode": file.mode_after,
        "mtime": file.mtime_after,
    }


def _digest(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


async def _run(host: Host, python: str, job: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was sent is done, whatever becomes of whoever waits for it."""
    sent = msgspec.json.encode(job)
    owner = str(max(job["uid"], 0))  # -1 is whoever we are, root included
    done = await asyncio.shield(host.run(_RUN, python, source("change"), owner, stdin=sent, deadline=SECONDS))
    try:
        facts = msgspec.json.decode(done.stdout)
    except msgspec.DecodeError:
        facts = None
    if done.status == REFUSED:
        raise refusal(host, done.stderr)
    if done.status or not isinstance(facts, dict):
        raise CommandError(f"Files on {host.name} could not be changed.", detail=clean(done.stderr))
    if kind := facts.get("failed"):
        raise _refusal(str(kind), clean_line(str(facts.get("path"))), clean_line(str(facts.get("text"))), host.name)
    return facts


def _refusal(kind: str, path: str, text: str, host: str) -> CannotEdit:
    if kind == "changed":
        return CannotEdit(f"{path} on {host} has changed since it was read; nothing was written.", "Look again.")
    if kind == "foreign":
        return CannotEdit(f"These files on {host} belong to another user.", "Connect as that user, or as root.")
    return CannotEdit(f"{path} on {host} cannot be written ({text}); all files are as they were.")
