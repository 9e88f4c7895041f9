"""Changes one key in a file's bytes, and makes sure that nothing else in it has changed."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable

from jupytui.jupyter.settings.models import CannotEdit, Entry, Reading, plain
from jupytui.jupyter.settings.read_json import read_json
from jupytui.jupyter.settings.read_py import plain_text, read_py
from jupytui.jupyter.settings.splice_json import remove_json, set_json
from jupytui.jupyter.settings.splice_py import remove_py, set_py


def read(path: str, data: bytes | None) -> Reading:
    """Return what a file with this name and these bytes says."""
    if data is None:
        return Reading()
    return read_json(data, path) if path.endswith(".json") else read_py(data, path)


def set_key(path: str, data: bytes | None, section: str, trait: str, value: object) -> bytes:
    """Return the file's bytes with "section.trait" set. `data` None: there is no such file. Raises CannotEdit."""
    before = _readable(path, data)
    if path.endswith(".json"):
        if "." in section:
            raise CannotEdit(f"{section}.{trait} cannot be written to {path}.")
        after = set_json(data, section, trait, _writable(value))
    else:
        last = _last(path, before, section, trait)
        after = set_py(data, section, trait, _literal(value), last)
    _check(path, before, after, (section, trait), (plain(value),))
    return after


def remove_key(path: str, data: bytes, section: str, trait: str) -> bytes:
    """Return the file's bytes without "section.trait". Raises CannotEdit."""
    before = _readable(path, data)
    mine = tuple(entry for entry in before.entries if (entry.section, entry.trait) == (section, trait))
    if unsure := next((entry for entry in mine if entry.whole is None), None):
        raise CannotEdit(_unsure(unsure), "Take it out with an editor.")
    after = remove_json(data, section, trait) if path.endswith(".json") else remove_py(data, mine)
    _check(path, before, after, (section, trait), ())
    return after


def _readable(path: str, data: bytes | None) -> Reading:
    reading = read(path, data)
    if reading.broken:
        raise CannotEdit(f"{path} does not parse: line {reading.broken.line} {reading.broken.words}.", "Mend it first.")
    if data is not None and path.endswith(".py") and not plain_text(data):
        raise CannotEdit(f"{path} is not written in UTF-8.")
    if lost := next((note for note in reading.unclear if "UTF-8" in note.words or "name of the" in note.words), None):
        raise CannotEdit(f"{path} cannot be changed with certainty: line {lost.line} {lost.words}.")
    return reading


def _last(path: str, reading: Reading, section: str, trait: str) -> Entry | None:
    """Return the assignment that counts, None if there is none. Raises CannotEdit where that is not certain."""
    mine = [entry for entry in reading.entries if (entry.section, entry.trait) == (section, trait)]
    if unsure := next((entry for entry in mine if not entry.certain), None):
        raise CannotEdit(_unsure(unsure), "Change it with an editor.")
    if mine and mine[-1].span is None:
        raise CannotEdit(f"{mine[-1].where} sets {section}.{trait} together with something else.")
    return mine[-1] if mine else None


def _unsure(entry: Entry) -> str:
    why = entry.why or "shares its statement with something else"
    return f"{entry.where}: {entry.key} {why}, so it cannot be changed with certainty."


def _writable(value: object) -> object:
    value = plain(value)
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise CannotEdit("This value cannot be written as JSON.") from None
    return value


def _literal(value: object) -> object:
    value = plain(value)
    try:
        same = ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError):
        same = False
    if not same:
        raise CannotEdit("This value cannot be written as Python.")
    return value


def _check(path: str, before: Reading, after: bytes, key: tuple[str, str], values: tuple[object, ...]) -> None:
    """Make sure that the file still parses, says what is wanted, and of everything else what it said."""
    reading = read(path, after)
    others = [_said(each, key) for each in (before.entries, reading.entries)]
    mine = [entry for entry in reading.entries if (entry.section, entry.trait) == key]
    right = [plain(entry.value) for entry in mine[-1:]] == list(values) and all(entry.certain for entry in mine)
    notes = [[note.words for note in each.unclear] for each in (before, reading)]
    if reading.broken or others[0] != others[1] or notes[0] != notes[1] or not right:
        raise CannotEdit(f"{path} cannot be changed with certainty.", "Change it with an editor.")


def _said(entries: Iterable[Entry], key: tuple[str, str]) -> list[tuple[str, object, bool]]:
    return [(entry.key, plain(entry.value), entry.certain) for entry in entries if (entry.section, entry.trait) != key]
