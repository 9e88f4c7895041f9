"""An edit as text: a unified diff in which no secret is seen."""

from __future__ import annotations

import difflib
import re

from jupytui.jupyter.settings.edit import Edit, FileChange
from jupytui.jupyter.settings.models import SECRET_ENDING, SECRET_TRAITS, Entry, plain
from jupytui.jupyter.settings.splice import read
from jupytui.secret import MASK
from jupytui.text import clean

_LINE = re.compile(
    rf"(?P<key>\b(?:{'|'.join(sorted(SECRET_TRAITS))}|\w*{SECRET_ENDING})\b[\"'\]]*\s*[:=]\s*)(?P<value>(?!\s*[\"']?{MASK}).+)"
)


def diff(edit: Edit) -> str:
    """Return what `edit` does to its files, as `diff -u` would show it; secrets masked, the new ones said to be new."""
    return "\n".join(_file(change) for change in edit.files)


def _file(change: FileChange) -> str:
    known = {plain(entry.value) for entry in _secrets(change, change.before)}
    before, after = (_shown(change, data, known) for data in (change.before, change.after))
    names = (
        "/dev/null" if change.before is None else change.path,
        "/dev/null" if change.after is None else change.path,
    )
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="")
    return "\n".join(lines)


def _secrets(change: FileChange, data: bytes | None) -> list[Entry]:
    entries = read(change.path, data).entries
    return [entry for entry in entries if entry.trait in SECRET_TRAITS and entry.span and plain(entry.value)]


def _shown(change: FileChange, data: bytes | None, known: set[object]) -> str:
    text = data or b""
    for entry in sorted(_secrets(change, data), key=lambda entry: -entry.span.start if entry.span else 0):
        assert entry.span
        mask = MASK if plain(entry.value) in known else f"{MASK} (new)"
        text = text[: entry.span.start] + f'"{mask}"'.encode() + text[entry.span.end :]
    return _LINE.sub(lambda match: match["key"] + MASK, clean(text, 2**20))
