"""Legacy keys under the names they have today, in the files they are in: what Jupyter applies stays the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jupytui.jupyter.settings.edit import TODAY, Edit, Knowledge, changes, writable, written
from jupytui.jupyter.settings.models import CannotEdit, ConfigFile, Entry, Found, plain
from jupytui.jupyter.settings.programs import DEPRECATED, SERVER
from jupytui.jupyter.settings.splice import remove_key, set_key


def legacy(found: Found, knowledge: Knowledge = TODAY) -> tuple[tuple[Entry, str], ...]:
    """Return the entries of files whose name is not today's, each with the key it should have."""
    return tuple(_legacy(found, knowledge))


def _legacy(found: Found, knowledge: Knowledge) -> Iterator[tuple[Entry, str]]:
    for file in found.files:
        for entry in () if file.drop_in else file.reading.entries:
            if entry.key in DEPRECATED:
                yield entry, ".".join(DEPRECATED[entry.key])
            elif entry.section != SERVER and knowledge.moves(entry.section, entry.trait):
                yield entry, ".".join(DEPRECATED.get(f"{SERVER}.{entry.trait}", (SERVER, entry.trait)))


def migrate(found: Found, knowledge: Knowledge = TODAY) -> Edit:
    """Return the edit that renames all legacy keys. Raises CannotEdit: it names what would change by it."""
    changed = found
    for entry, key in legacy(found, knowledge):
        file = changed.file(entry.path)
        if file and file.data is not None and any(each.key == entry.key for each in file.reading.entries):
            writable(changed, file, file.path)
            changed = written(changed, file.path, _renamed(file, entry, key))
    before, after = (_applied(each, knowledge) for each in (found, changed))
    if different := sorted(key for key in before | after if before.get(key) != after.get(key)):
        raise CannotEdit(
            f"With today's names another value would win for {', '.join(different)}.",
            "Take out the values that lose first.",
        )
    return Edit(changes(found, changed), uid=found.uid)


def _applied(found: Found, knowledge: Knowledge) -> dict[str, object]:
    settings = knowledge.resolve(found)
    return {setting.key: plain(setting.value) for setting in settings if setting.winner}


def _renamed(file: ConfigFile, entry: Entry, key: str) -> bytes:
    assert file.data is not None
    section, _, trait = key.rpartition(".")
    if not file.path.endswith(".json"):
        return _renamed_in_place(file, entry, key)
    if any(each.key == key for each in file.reading.entries):
        raise CannotEdit(f"{file.path} holds both {entry.key} and {key}.", "Take one of them out first.")
    value = next(each.value for each in file.reading.entries if each.key == entry.key)
    return remove_key(file.path, set_key(file.path, file.data, section, trait, value), entry.section, entry.trait)


def _renamed_in_place(file: ConfigFile, entry: Entry, key: str) -> bytes:
    """Only the name changes: where it stands decides which assignment counts, and what is computed stays so."""
    assert file.data is not None
    data = file.data
    section, _, trait = key.rpartition(".")
    target = re.compile(rf"\b{re.escape(entry.section)}\.{re.escape(entry.trait)}\b".encode())
    for each in sorted(file.reading.entries, key=lambda each: -each.line):
        if each.key == entry.key:
            if each.whole is None or each.span is None:
                raise CannotEdit(f"{each.where}: {each.key} is not plainly assigned, so it is left to you.")
            head, many = target.subn(f"{section}.{trait}".encode(), data[each.whole.start : each.span.start])
            if many != 1:
                raise CannotEdit(f"{each.where}: {each.key} is not plainly assigned, so it is left to you.")
            data = data[: each.whole.start] + head + data[each.span.start :]
    return data
