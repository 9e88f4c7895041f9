"""Reads a .json configuration file as Jupyter does, and where in its bytes each value stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from jupytui.jupyter.settings.models import Entry, Note, Reading, Span, guarded

_SPACE = " \t\n\r"
_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Member:
    """A pair of an object: from `start` (its key's quote) to `end`, the value from `value`. Positions in the text."""

    key: str
    start: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class Object:
    """An object in the text: from its brace at `start` to behind the other at `end`."""

    start: int
    end: int
    members: tuple[Member, ...]

    def member(self, key: str) -> Member | None:
        """Return the pair that counts for `key`: the last one."""
        return next((member for member in reversed(self.members) if member.key == key), None)


def read_json(data: bytes, path: str) -> Reading:
    """Return what the file says. JSON in which Jupyter sees no configuration is `broken` too."""
    try:
        text = data.decode("utf-8")
        tree = json.loads(text)
    except UnicodeDecodeError as error:
        return Reading(broken=Note(data.count(b"\n", 0, error.start) + 1, "is not UTF-8"))
    except json.JSONDecodeError as error:
        return Reading(broken=Note(error.lineno, f"is not JSON: {error.msg}"))
    except (RecursionError, ValueError) as error:
        return Reading(broken=Note(1, f"cannot be read: {type(error).__name__}"))
    if not isinstance(tree, dict):
        return Reading(broken=Note(1, "holds no object"))
    if tree.get("version", 1) != 1:
        return Reading(broken=Note(1, "has an unknown version"))
    return Reading(tuple(_entries(text, path)))


def top(text: str) -> Object:
    """Return the outermost object of a text that is known to be one."""
    return object_at(text, _skip(text, 0))


def object_at(text: str, start: int) -> Object:
    """Return the object that begins at `start` in valid JSON."""
    members = []
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, behind = _decoder.raw_decode(text, at)
        value = _skip(text, _skip(text, behind) + 1)
        _, end = _decoder.raw_decode(text, value)
        members.append(Member(key, at, value, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return Object(start, at + 1, tuple(members))


def is_section(key: str, value: object) -> bool:
    """Whether traitlets takes a pair as a class with its traits (traitlets.config.loader._is_section_key)."""
    return isinstance(value, dict) and bool(key) and key[0].upper() == key[0] and not key.startswith("_")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _entries(text: str, path: str) -> Iterator[Entry]:
    """Pairs in the order of the text; of a key that stands twice in one object only the last one counts."""
    for section in _counting(top(text)):
        if text[section.value] == "{":
            yield from _traits(text, path, section.key, object_at(text, section.value))


def _traits(text: str, path: str, section: str, found: Object) -> Iterator[Entry]:
    for member in _counting(found):
        value = json.loads(text[member.value : member.end])
        if is_section(member.key, value):
            yield from _traits(text, path, f"{section}.{member.key}", object_at(text, member.value))
        else:
            yield Entry(
                section=section, trait=member.key, value=guarded(member.key, value), path=path,
                line=text.count("\n", 0, member.start) + 1,
                span=_bytes(text, member.value, member.end), whole=_bytes(text, member.start, member.end),
            )  # fmt: skip


def _counting(found: Object) -> Iterator[Member]:
    return (member for member in found.members if found.member(member.key) is member)


def _bytes(text: str, start: int, end: int) -> Span:
    before = len(text[:start].encode())
    return Span(before, before + len(text[start:end].encode()))
