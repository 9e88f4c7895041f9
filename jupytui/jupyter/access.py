"""How to reach one server's HTTP API from its own machine, and what lets us in."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupytui.secret import Secret


@dataclass(frozen=True, slots=True)
class Access:
    """Where a server answers: `address` and `port`, or `sock`; `token` is false when we hold none."""

    address: str = "127.0.0.1"
    port: int | None = None
    sock: str | None = None
    tls: bool = False
    base_url: str = "/"
    token: Secret = field(default_factory=lambda: Secret(""))

    @property
    def host_header(self) -> str:
        """The Host a server lets in without `allow_remote_access`: "localhost" is in its list by default."""
        return "localhost" if self.port is None else f"localhost:{self.port}"
