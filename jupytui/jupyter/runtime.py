"""A server's runtime file: what it wrote about itself when it started, and whether that is still so."""

from __future__ import annotations

import posixpath
import re
from typing import Any

import msgspec

from jupytui.secret import Secret
from jupytui.text import clean_line

_NAME = re.compile(r"(jpserver|nbserver)-([0-9]{1,9})\.json")
_MAX_BYTES = 16384  # they have about 400
# Seconds by which a file may look older than the process that wrote it: clocks of a file server, a stepped clock.
_SLACK = 5


class RuntimeFile(msgspec.Struct, frozen=True):
    """A jpserver-PID.json (jupyter_server), or nbserver-PID.json (notebook <= 6: `legacy`).

    `hostname` is the *ip setting*, not a machine; `has_password` is False for a password of the current kind
    (`IdentityProvider.hashed_password`): measured on jupyter_server 2.21.1. `mtime` is unix seconds.
    """

    path: str
    mtime: int
    pid: int
    legacy: bool = False
    base_url: str = "/"
    hostname: str = ""
    has_password: bool = False
    port: int | None = None
    sock: str | None = None
    root_dir: str | None = None
    secure: bool = False
    token: Secret = Secret("")
    version: str | None = None


def parse_runtime_file(path: str, mtime: int, text: bytes) -> RuntimeFile | None:
    """Return what the runtime file at `path` says, None when it is not one (or is only half written)."""
    name = _NAME.fullmatch(posixpath.basename(path))
    fields = _fields(text)
    if name is None or not fields:
        return None
    port = fields.get("port")
    return RuntimeFile(
        path=path,
        mtime=mtime,
        pid=int(name[2]),
        legacy=name[1] == "nbserver",
        base_url=base_path(_text(fields, "base_url") or "/"),
        hostname=clean_line(_text(fields, "hostname")),
        has_password=fields.get("password") is True,
        port=port if type(port) is int and 0 < port < 65536 else None,
        sock=_text(fields, "sock") or None,
        root_dir=_text(fields, "root_dir") or _text(fields, "notebook_dir") or None,
        secure=fields.get("secure") is True,
        token=Secret(_text(fields, "token")),
        version=clean_line(_text(fields, "version"), 40) or None,
    )


def _fields(text: bytes) -> dict[str, Any]:
    if len(text) > _MAX_BYTES:
        return {}
    try:
        fields = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) and "\0" not in value else ""


def base_path(text: str) -> str:
    """Return `text` as the path a server lives under: printable ASCII that begins and ends with a slash."""
    path = re.sub(r"[^!-~]|[?#]", "", text)[:512]
    return f"/{path.strip('/')}/" if path.strip("/") else "/"


def is_stale(file: RuntimeFile, started: float | None, is_jupyter: bool, ports: frozenset[int]) -> bool:
    """Whether `file` speaks of a process that is gone; `started` (unix seconds) is of the one with its pid, if any.

    Pids are reused: a process that started after the file was written did not write it. The one exception is a
    Jupyter that listens where the file says, on a machine whose clock was wrong when it booted.
    """
    if started is None:
        return True
    if is_jupyter and file.port is not None and file.port in ports:
        return False
    return started > file.mtime + _SLACK
