"""Set single settings in the text of a unit file; every other byte of it stays."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SECTION = re.compile(r"\[(?P<name>[^\]]+)\]\s*")


def with_settings(text: str, changes: Iterable[tuple[str, str]], section: str = "Service") -> str:
    """Return `text` with each (key, value) set in [`section`], once: earlier lines of that key go.

    A line that ends in a backslash goes on in the next one (systemd.syntax(7)).
    """
    wanted = dict(changes)
    if not wanted:
        return text
    kept: list[str] = []
    here, ours, end = "", False, None
    for statement in _statements(text):
        if found := _SECTION.fullmatch(statement.strip()):
            here = found["name"]
        ours = here == section
        if ours and _key(statement) in wanted:
            continue
        kept.append(statement)
        if ours and statement.strip():
            end = len(kept)
    lines = [f"{key}={value}\n" for key, value in wanted.items()]
    if end is None:
        return _closed("".join(kept)) + "".join([f"\n[{section}]\n", *lines])
    return _closed("".join(kept[:end])) + "".join([*lines, *kept[end:]])


def setting(text: str, key: str, section: str = "Service") -> str:
    """Return the value of `key` that counts, the last one; "" when it is not set."""
    return next((value for name, value in reversed(settings(text, section)) if name == key), "")


def settings(text: str, section: str = "Service") -> list[tuple[str, str]]:
    """Return the (key, value) lines of [`section`], in order."""
    here, found = "", []
    for statement in _statements(text):
        if heading := _SECTION.fullmatch(statement.strip()):
            here = heading["name"]
        elif here == section and (key := _key(statement)):
            found.append((key, statement.partition("=")[2].strip()))
    return found


def _key(statement: str) -> str:
    name, equals, _value = statement.partition("=")
    return name.strip() if equals and not name.lstrip().startswith(("#", ";")) else ""


def _statements(text: str) -> Iterable[str]:
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        comment = line.lstrip().startswith(("#", ";"))
        if comment or not line.rstrip("\r\n").endswith("\\"):
            yield statement
            statement = ""
    if statement:
        yield statement


def _closed(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
