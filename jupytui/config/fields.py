"""What each key of hosts.toml may hold, and the words for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jupytui.config.model import Color, TunnelKind
from jupytui.text import clean_line


@dataclass(frozen=True, slots=True)
class Field:
    """`expected` completes "expected …"; `accept` returns the value as the model wants it, None when it is wrong."""

    expected: str
    accept: Callable[[Any], Any]


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _seconds(value: object) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 1 <= value <= 3600 else None  # type: ignore[operator, arg-type]


def _port(value: object) -> int | None:
    return value if type(value) is int and 1 <= value <= 65535 else None


def _text(value: object) -> str | None:
    """One line without anything a terminal would obey, not empty and not padded."""
    if not isinstance(value, str) or not 0 < len(value) <= 1024:
        return None
    return value if clean_line(value) == value else None


def _argument(value: object) -> str | None:
    """What may stand on a command line: `ssh -G -oProxyCommand=…` must never come from a name."""
    text = _text(value)
    return text if text and not text.startswith("-") else None


_PORTED = re.compile(r"(?:[^:\[\]]+|\[[^\]]+\]|ssh://.+):(\d+)/?")


def _destination(value: object) -> str | None:
    text = _argument(value)
    ported = _PORTED.fullmatch(text) if text else None
    return text if not ported or _port(int(ported[1])) else None


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    texts = tuple(text for text in map(_text, value) if text)
    return texts if len(texts) == len(value) else None


def _keys(value: object) -> tuple[str, ...] | None:
    return _texts([value] if isinstance(value, str) else value)


def _target(value: object) -> str | None:
    port = _port(int(value)) if isinstance(value, str) and value.isascii() and value.isdigit() else _port(value)
    if port:
        return str(port)
    text = _argument(value)
    if text and not text.startswith("/"):
        host, _, digits = text.rpartition(":")
        return text if host and digits.isascii() and digits.isdigit() and _port(int(digits)) else None
    return text


def _listening(value: object) -> int | str | None:
    text = _argument(value)
    return text if text and text.startswith("/") else _port(value)


def _one_of(kind: type[StrEnum]) -> Callable[[Any], StrEnum | None]:
    return lambda value: kind(str(value)) if str(value) in list(kind) else None


def _choices(kind: type[StrEnum]) -> str:
    *most, last = kind
    return f"{', '.join(most)} or {last}"


_TEXT = "text in quotes, on one line, not empty"

HOST_NAME = Field("a name that does not begin with '-' and has no control characters", _argument)
KEYS = Field('a key such as "R", or a list of keys', _keys)

HOST = {
    "ssh": Field('what `ssh` accepts, such as "alice@example.org:2222", ports to 65535', _destination),
    "tags": Field('a list of words such as ["gpu"]', _texts),
    "watch": Field("true or false", _flag),
}
SETTINGS = {
    "refresh": Field("a number of seconds from 1 to 3600", _seconds),
    "ssh_config": Field(f"a file: {_TEXT}", _text),
    "color": Field(_choices(Color), _one_of(Color)),
    "theme": Field(f"a theme: {_TEXT}", _text),
}
TUNNEL = {
    "host": Field("the name of a host", _argument),
    "to": Field("a port, host:port or /unix/socket", _target),
    "local": Field("a port from 1 to 65535, or a /unix/socket", _listening),
    "kind": Field(_choices(TunnelKind), _one_of(TunnelKind)),
    "up": Field("true or false", _flag),
}
TABLES = ("hosts", "settings", "keys", "tunnels")
