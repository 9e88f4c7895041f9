"""Changes one key in the text of a .json file; every other byte stays."""

from __future__ import annotations

import json

from jupytui.jupyter.settings.models import CannotEdit
from jupytui.jupyter.settings.read_json import Member, Object, object_at, top

_NEW = "{{\n  {}: {{\n    {}: {}\n  }}\n}}\n"


def set_json(data: bytes | None, section: str, trait: str, value: object) -> bytes:
    """Return `data` (valid, an object; None: no file) with the key set: in its place, else behind its neighbours."""
    if data is None:
        return _NEW.format(json.dumps(section), json.dumps(trait), _json(value)).encode()
    text = data.decode()
    outer = top(text)
    member = outer.member(section)
    if member is None:
        return _added(text, outer, section, _section(text, outer, trait, value)).encode()
    if text[member.value] != "{":
        raise CannotEdit(f"{section} in this file is no object, so nothing can be set in it.", "Mend it first.")
    inner = object_at(text, member.value)
    if found := inner.member(trait):
        return (text[: found.value] + _json(value) + text[found.end :]).encode()
    return _added(text, inner, trait, _json(value), outer).encode()


def remove_json(data: bytes, section: str, trait: str) -> bytes:
    """Return `data` without the key; its section stays, if need be empty."""
    text = data.decode()
    while (inner := _inner(text, section)) and inner.member(trait):
        text = _without(text, inner, next(at for at, each in enumerate(inner.members) if each.key == trait))
    return text.encode()


def _inner(text: str, section: str) -> Object | None:
    member = top(text).member(section)
    return object_at(text, member.value) if member and text[member.value] == "{" else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _added(text: str, found: Object, key: str, value: str, outer: Object | None = None) -> str:
    """Put a pair behind the last one, spaced as that one is."""
    if not found.members:
        lead, tail = _first(text, found, outer)
        return text[: found.start + 1] + f"{lead}{json.dumps(key)}: {value}{tail}" + text[found.end - 1 :]
    last = found.members[-1]
    pair = f",{_lead(text, found)}{json.dumps(key)}{_colon(text, last)}{value}"
    return text[: last.end] + pair + text[last.end :]


def _lead(text: str, found: Object) -> str:
    """What stands between the comma (or brace) and the last pair."""
    last = found.members[-1]
    at = last.start
    while text[at - 1] in " \t\r\n":
        at -= 1
    return text[at : last.start] or " "


def _colon(text: str, member: Member) -> str:
    behind = text[member.start : member.value]
    return behind[len(behind.rstrip(": \t\r\n")) :]


def _first(text: str, found: Object, outer: Object | None) -> tuple[str, str]:
    """What stands around the only pair of `found`: a line of its own where the object around it has such."""
    if outer is None or not outer.members or "\n" not in (lead := _lead(text, outer)):
        return ("\n  ", "\n") if outer is None and not text[found.end :].strip() else ("", "")
    return lead + (lead.rpartition("\n")[2] or "  "), lead


def _section(text: str, outer: Object, trait: str, value: object) -> str:
    lead = _lead(text, outer) if outer.members else "\n  "
    if "\n" not in lead:
        return f"{{{json.dumps(trait)}: {_json(value)}}}"
    step = lead.rpartition("\n")[2] or "  "
    return f"{{{lead}{step}{json.dumps(trait)}: {_json(value)}{lead}}}"


def _without(text: str, found: Object, at: int) -> str:
    members = found.members
    if len(members) == 1:
        return text[: found.start + 1] + text[found.end - 1 :]
    if at:
        return text[: members[at - 1].end] + text[members[at].end :]
    return text[: members[0].start] + text[members[1].start :]
