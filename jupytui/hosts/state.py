"""How things stand with a host: apart from `base`, for the screen needs it before anything else of a host."""

from __future__ import annotations

from enum import StrEnum


class HostState(StrEnum):
    """How things stand between us and a host; the values are those of `status --json`."""

    UP = "up"
    CONNECTING = "connecting"
    UNREACHABLE = "unreachable"  # no such name, no route, no answer
    REFUSED = "refused"  # the machine answers, its SSH port does not
    AUTH_FAILED = "auth-failed"
    KEY_UNKNOWN = "key-unknown"
    KEY_CHANGED = "key-changed"
    NO_SHELL = "no-shell"  # logged in, but nothing there runs a command
    DOWN = "down"  # was up, and the connection was lost
