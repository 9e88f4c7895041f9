"""What an ACME server wants to see, and who shows it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from jupytui.errors import JupytuiError


class ChallengeFailed(JupytuiError):
    """The answer to a challenge cannot be shown, or nobody sees it; no certificate was issued, nothing was changed."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One question about `name` (RFC 8555, 8.3 and 8.4). None of it is secret.

    `path` and `answer` are for http-01; `record` and `value` (TXT) for dns-01.
    """

    name: str
    token: str
    answer: str
    value: str

    @property
    def path(self) -> str:
        """Where the answer is looked for on port 80."""
        return f"/.well-known/acme-challenge/{self.token}"

    @property
    def record(self) -> str:
        """The name of the TXT record."""
        return f"_acme-challenge.{self.name.removeprefix('*.')}"


class Solver(Protocol):
    """A way of answering: `kind` is "http-01" or "dns-01"."""

    @property
    def kind(self) -> str:
        """As in RFC 8555."""
        ...

    def answering(self, challenge: Challenge) -> AbstractAsyncContextManager[None]:
        """Show the answer for as long as the context is held; entering it waits until it can be seen.

        Raises ChallengeFailed, HostTrouble.
        """
        ...
