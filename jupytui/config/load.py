"""Read hosts.toml: a whole, valid `Config`, or a ConfigError that names file, line, key and what was expected."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupytui.config import fields
from jupytui.config.fields import Field
from jupytui.config.model import LOCAL, Config, HostEntry, Settings, TunnelEntry, TunnelKind, did_you_mean
from jupytui.config.statements import line_of, unreadable_line
from jupytui.errors import ConfigError
from jupytui.text import clean_line

MAX_BYTES = 2**20

Key = tuple[str, ...]


class _Wrong(Exception):
    """The value at `key` cannot be used."""

    def __init__(self, key: Key, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.key, self.problem, self.hint = key, problem, hint


def load_config(path: Path) -> Config:
    """Return what hosts.toml at `path` says; without such a file, the defaults: this machine only.

    Raises ConfigError when it is there and cannot be read or is not wholly right.
    """
    return parse_config(path, read_source(path))


def read_source(path: Path) -> bytes | None:
    """Return the bytes of the file, None when there is none. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            source = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        if path.is_symlink():
            raise ConfigError(f"{path} is a link to a file that is not there: {path.readlink()}.") from None
        return None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a directory; expected a file.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    if len(source) > MAX_BYTES:
        raise ConfigError(f"{path} is longer than {MAX_BYTES} bytes; that is no list of hosts.")
    return source


def parse_config(path: Path, source: bytes | None) -> Config:
    """Return what `source`, the bytes of `path`, says. Raises ConfigError."""
    if source is None:
        return Config(path)
    text = _decode(path, source)
    try:
        return _config(path, source, _parse(path, text))
    except _Wrong as wrong:
        raise _at(path, line_of(text, wrong.key), f"{_dotted(wrong.key)}: {wrong.problem}", wrong.hint) from None


def key_error(config: Config, key: Key, problem: str, hint: str = "") -> ConfigError:
    """Return the error to raise when `key` of a valid file turns out wrong later."""
    return _at(config.path, line_of(_source_text(config), key), f"{_dotted(key)}: {problem}", hint)


def action_error(config: Config, action: str, problem: str, hint: str = "") -> ConfigError:
    """Return the error for an action in [keys] that does not exist, its id written with quotes or without."""
    text = _source_text(config)
    line = max(line_of(text, ("keys", action)), line_of(text, ("keys", *action.split("."))))
    return _at(config.path, line, f"keys.{clean_line(action)}: {problem}", hint)


def _source_text(config: Config) -> str:
    return (config.source or b"").decode()


def _at(path: Path, line: int, problem: str, hint: str = "") -> ConfigError:
    return ConfigError(f"{path}, line {line}: {problem}.", hint)


def _dotted(key: Key) -> str:
    return clean_line(".".join(part if re.fullmatch(r"[\w-]+", part) else f'"{part}"' for part in key), 200)


def _decode(path: Path, source: bytes) -> str:
    try:
        return source.decode()
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise _at(path, line, f"byte 0x{source[error.start]:02x} is not UTF-8") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem, line = _position(str(error), text)
        raise _at(path, line, f"this is not TOML: {clean_line(problem, 200)}") from None
    except (ValueError, RecursionError):  # a number of 5 000 digits, a list in a list in a list …
        raise _at(path, unreadable_line(text), "a value too large or too deep to be read") from None


def _position(message: str, text: str) -> tuple[str, int]:
    """Split tomllib's "… (at line 3, column 5)"; "… (at end of document)" means a statement that does not end."""
    problem, _, place = message.rpartition(" (at ")
    found = re.match(r"line (\d+), column (\d+)", place)
    return (f"{problem}, column {found[2]}", int(found[1])) if found else (problem or message, unreadable_line(text))


def _config(path: Path, source: bytes, raw: dict[str, Any]) -> Config:
    for name in raw:
        _known((name,), fields.TABLES)
    tables = {name: _table((name,), raw.get(name, {})) for name in fields.TABLES}
    return Config(
        path,
        source,
        _hosts(tables["hosts"]),
        Settings(**_values(("settings",), tables["settings"], fields.SETTINGS)),
        dict(_keys((), tables["keys"])),
        tuple(_tunnel(name, value) for name, value in tables["tunnels"].items()),
    )


def _hosts(raw: dict[str, Any]) -> tuple[HostEntry, ...]:
    hosts = tuple(_host(name, value) for name, value in raw.items())
    return hosts if LOCAL in raw else (HostEntry(LOCAL), *hosts)


def _host(name: str, raw: object) -> HostEntry:
    key = ("hosts", name)
    if fields.HOST_NAME.accept(name) is None:
        raise _Wrong(key, f"expected {fields.HOST_NAME.expected}")
    values = _values(key, raw, fields.HOST)
    if name != LOCAL:
        values.setdefault("ssh", name)
    elif "ssh" in values:
        raise _Wrong((*key, "ssh"), f"`{LOCAL}` is this machine and takes no ssh", "Give the host another name.")
    return HostEntry(name, **values)


def _tunnel(name: str, raw: object) -> TunnelEntry:
    key = ("tunnels", name)
    if fields.HOST_NAME.accept(name) is None:
        raise _Wrong(key, f"expected {fields.HOST_NAME.expected}")
    tunnel = _values(key, raw, fields.TUNNEL)
    needed = {"host"} if tunnel.get("kind") == TunnelKind.SOCKS else {"host", "to"}
    for missing in sorted(needed - tunnel.keys()):
        raise _Wrong(key, f"needs `{missing}`, {fields.TUNNEL[missing].expected}")
    return TunnelEntry(name, **tunnel)


def _keys(action: Key, raw: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """`server.restart = "R"` without quotes around the id is a table in TOML, and means the same here."""
    found = []
    for name, value in raw.items():
        if isinstance(value, dict):
            found += _keys((*action, name), value)
        else:
            found.append((".".join((*action, name)), _value(("keys", *action, name), value, fields.KEYS)))
    return found


def _values(key: Key, raw: object, known: Mapping[str, Field]) -> dict[str, Any]:
    table = _table(key, raw)
    for name in table:
        _known((*key, name), known)
    return {name: _value((*key, name), value, known[name]) for name, value in table.items()}


def _value(key: Key, raw: object, field: Field) -> Any:
    value = field.accept(raw)
    if value is None:
        raise _Wrong(key, f"expected {field.expected}, found {_shown(raw)}")
    return value


def _table(key: Key, raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise _Wrong(key, f"expected a table, [{_dotted(key)}], found {_shown(raw)}")
    return raw


def _known(key: Key, known: Mapping[str, Field] | tuple[str, ...]) -> None:
    if key[-1] not in known:
        raise _Wrong(key, f"unknown key; expected {', '.join(known)}", did_you_mean(key[-1], list(known)))


def _shown(raw: object) -> str:
    if isinstance(raw, dict):
        return "a table"
    if isinstance(raw, bool):
        return str(raw).lower()
    return clean_line(f'"{raw}"' if isinstance(raw, str) else str(raw), 60)
