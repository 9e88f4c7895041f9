"""Changes one key in the text of a .py file: one assignment is replaced, added at the end, or taken away."""

from __future__ import annotations

import re

from jupytui.jupyter.settings.models import Entry, Span
from jupytui.jupyter.settings.read_py import BOM

_COMMENT = re.compile(rb"[ \t\f]*(#[^\r\n]*)?(\r\n|\r|\n|\Z)")


def set_py(data: bytes | None, section: str, trait: str, value: object, last: Entry | None) -> bytes:
    """Return `data` with the key set: in `last`, the assignment that counts, else in one more at the end."""
    text = repr(value).encode()
    if data is None:
        data = b"c = get_config()  # noqa\n"
    if last and last.span:
        return data[: last.span.start] + text + data[last.span.end :]
    newline = b"\r\n" if b"\r\n" in data else b"\n"
    gap = b"" if not data.removeprefix(BOM) or data.endswith((b"\n", b"\r")) else newline
    return data + gap + f"c.{section}.{trait} = ".encode() + text + newline


def remove_py(data: bytes, entries: tuple[Entry, ...]) -> bytes:
    """Return `data` without these assignments, all of whose places are known."""
    for entry in sorted(entries, key=lambda entry: -entry.line):
        assert entry.whole
        data = _without(data, entry.whole)
    return data


def _without(data: bytes, whole: Span) -> bytes:
    """Take away its line, with the comment on it; where it shares that with something, `pass` takes its place."""
    before = data[: whole.start].removeprefix(BOM)
    rest = _COMMENT.match(data, whole.end)
    alone = not before or (before.endswith((b"\n", b"\r")) and not before.rstrip(b"\r\n").endswith(b"\\"))
    if alone and rest:
        return data[: whole.start] + data[rest.end() :]
    return data[: whole.start] + b"pass" + data[whole.end :]
