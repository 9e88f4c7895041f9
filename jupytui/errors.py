"""What can go wrong, in words a user can act on."""

from __future__ import annotations


class JupytuiError(Exception):
    """Something failed in a way that was foreseen: what and why, and what to do about it.

    `message` is one sentence, `hint` another (may be empty). `detail` is what was run and what came back; it is
    shown only on request. None of the three may hold a secret.
    """

    def __init__(self, message: str, hint: str = "", *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class UsageError(JupytuiError):
    """The command line or a name on it cannot be understood (exit status 2)."""


class WrongAnswer(JupytuiError):
    """What was asked for cannot be had; `field` names the answer that is in the way. Nothing was done."""

    def __init__(self, message: str, hint: str = "", *, field: str) -> None:
        super().__init__(message, hint)
        self.field = field


class ConfigError(JupytuiError):
    """A file of ours cannot be used as it is (exit status 2); the message names file, line and key."""


class DeadlineError(JupytuiError):
    """Something far away took longer than it was given."""


class CommandError(JupytuiError):
    """A command on a host failed; `detail` holds its output."""
