"""The names a person's ssh configuration knows, for the picker that imports them. Nothing is resolved or dialled."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from jupytui.text import clean_line

MAX_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class SshAlias:
    """A name that `ssh NAME` knows; `hostname` and `user` as its own Host block states them, None where it does not."""

    name: str
    hostname: str | None = None
    user: str | None = None


def ssh_aliases(ssh_config: str | None = None, home: Path | None = None) -> tuple[SshAlias, ...]:
    """Return the concrete names (no pattern, no negation) of `Host` lines in the order OpenSSH reads them.

    `ssh_config` is another file than ~/.ssh/config. Files that cannot be read count as empty, lines that cannot be
    understood as not there. As in OpenSSH, the value that is stated first holds.
    """
    home = home or Path.home()
    path = _expanded(ssh_config, home) if ssh_config else home / ".ssh" / "config"
    aliases: dict[str, SshAlias] = {}
    block: list[str] = []
    for keyword, values in _lines(path, home, set()):
        if keyword in {"host", "match"}:
            block = [name for name in values if keyword == "host" and _concrete(name)]
            for name in block:
                aliases.setdefault(name, SshAlias(name))
        elif keyword in {"hostname", "user"} and values:
            for name in block:
                aliases[name] = _stated(aliases[name], keyword, values[0])
    return tuple(aliases.values())


def _concrete(name: str) -> bool:
    return bool(name) and not set(name) & set("*?! ,") and not name.startswith("-") and clean_line(name) == name


def _stated(alias: SshAlias, keyword: str, value: str) -> SshAlias:
    value = clean_line(value)
    if keyword == "user":
        return alias if alias.user else replace(alias, user=value)
    return alias if alias.hostname else replace(alias, hostname=value.replace("%h", alias.name))


def _lines(path: Path, home: Path, seen: set[Path]) -> Iterator[tuple[str, list[str]]]:
    """Yield keyword (lower case) and arguments of each line, those of included files in their place.

    A file is read once: read again it would say nothing new, and files that include each other would never end.
    """
    if path in seen:
        return
    seen.add(path)
    for line in _text(path).splitlines():
        keyword, values = _words(line)
        if keyword == "include":
            for included in _included(values, home):
                yield from _lines(included, home, seen)
        elif keyword:
            yield keyword, values


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def _words(line: str) -> tuple[str, list[str]]:
    """`Keyword arguments` or `Keyword=arguments`, with double or single quotes and # comments (ssh_config(5))."""
    head = line.strip().replace("\t", " ")
    keyword, _, rest = head.replace("=", " ", 1).partition(" ") if "=" in head.split(" ")[0] else head.partition(" ")
    lexer = shlex.shlex(rest.strip().removeprefix("=").strip(), posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    try:
        return ("", []) if keyword.startswith("#") else (keyword.lower(), list(lexer))
    except ValueError:  # a quote that does not end
        return "", []


def _included(patterns: list[str], home: Path) -> Iterator[Path]:
    """OpenSSH expands with glob(3), which sorts, in its C locale by bytes; relative means relative to ~/.ssh."""
    for pattern in patterns:
        found = glob.glob(str(home / ".ssh" / _expanded(pattern, home)))  # noqa: PTH207 - patterns may be absolute
        yield from (Path(name) for name in sorted(found, key=lambda name: name.encode("utf-8", "surrogateescape")))


def _expanded(name: str, home: Path) -> Path:
    return home / name[2:] if name.startswith("~/") else Path(name)
