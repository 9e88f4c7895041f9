"""Which lines of a TOML text say what: for error messages with line numbers, and for edits that touch nothing else.

tomllib gives no positions, and tomlkit takes the comment above the next table along when a table goes. But TOML is a
sequence of statements, each of whole lines, and a statement cut short never parses by itself: so the shortest run of
lines that parses is one statement.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]

_LINES = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, comment or blank line: `text` as written, the `line` it begins on (from 1), the paths it names.

    `paths` hold the full path of every key it gives a value to, or of the table it opens (`header`).
    """

    text: str
    line: int
    header: bool
    paths: tuple[Path, ...]

    def within(self, path: Path) -> bool:
        """Whether it says something about `path` or below, and about nothing else."""
        return bool(self.paths) and all(named[: len(path)] == path for named in self.paths)


def split_statements(text: str) -> list[Statement]:
    """Return the statements of `text`, which must be valid TOML; their texts joined are `text` again."""
    return list(_statements(text))


def _statements(text: str) -> Iterator[Statement]:
    table: Path = ()
    chunk, line = "", 1
    for number, piece in enumerate(_LINES.findall(text), 1):
        chunk += piece
        parsed = _parsed(chunk)
        if parsed is None:
            continue
        header = chunk.lstrip().startswith("[")
        paths = tuple(_paths(parsed, () if header else table)) if parsed else ()
        if header:
            table = paths[0]
        yield Statement(chunk, line, header, paths)
        chunk, line = "", number + 1


def _parsed(chunk: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(chunk)
    except tomllib.TOMLDecodeError:
        return None


def _paths(value: object, path: Path) -> Iterator[Path]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = value[0]  # [[table]] is a list of one
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    else:
        yield path


def line_of(text: str, path: Path) -> int:
    """Return the line on which `path` (or as much of it as is there) is first named, from 1."""
    for length in range(len(path), 0, -1):
        for statement in split_statements(text):
            if any(named[:length] == path[:length] for named in statement.paths):
                return statement.line
    return 1


def unreadable_line(text: str) -> int:
    """Return the line on which the first statement begins that cannot be read by itself."""
    line = 1
    with suppress(ValueError, RecursionError):
        for statement in _statements(text):
            line = statement.line + statement.text.count("\n")
    return line
