"""What a check of a URL finds: steps in their order, and what to do about the first that fails. Frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Part(StrEnum):
    """What a step proves, in the order in which they are tried."""

    NAME = "name resolves"
    CONNECT = "port answers"
    TLS = "certificate is trusted"
    HTTP = "Jupyter answers"
    HOST = "Host accepted"
    ORIGIN = "Origin accepted"
    LOGIN = "login required"
    PAGE = "login page shows"
    SIGN_IN = "sign-in works"
    POST = "API takes a POST"
    WEBSOCKET = "websocket passes"
    SAME = "the same server"


class Outcome(StrEnum):
    """How a step ended. A failure is the last step; a warning is no failure."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Cause(StrEnum):
    """Why a step failed, or what it warns of."""

    NO_NAME = "name unknown"
    REFUSED = "refused"  # nothing listens, or a firewall's REJECT: nobody can tell from here alone
    NOT_LISTENING = "nothing listens"
    REJECTED = "rejected by a firewall"  # it listens, and yet we are refused
    LOOPBACK_ONLY = "listens on loopback only"
    OTHER_ADDRESS = "listens on another address"
    FILTERED = "filtered"  # silence
    NO_ROUTE = "no route"
    RESET = "reset in between"
    NO_TLS = "no TLS on that port"
    TLS_HANGS = "handshake hangs"
    TLS_FAILS = "handshake fails"
    SELF_SIGNED = "self-signed certificate"
    EXPIRED = "certificate expired"
    NOT_YET_VALID = "certificate not valid yet"
    WRONG_NAME = "certificate for another name"
    UNKNOWN_AUTHORITY = "unknown authority"
    INCOMPLETE_CHAIN = "incomplete chain"
    UNTRUSTED = "certificate refused"
    TLS_EXPECTED = "TLS expected"  # http:// where https:// is spoken
    SILENT = "no answer"
    CLOSED = "connection closed"
    NOT_HTTP = "not HTTP"
    NOT_JUPYTER = "not Jupyter"
    PROXY_NO_SERVER = "proxy finds no server"  # 502, 503
    PROXY_TIMEOUT = "proxy waits in vain"  # 504
    PROXY_NO_ROUTE = "proxy knows no such address"  # its own 404
    PROXY_FORBIDS = "proxy forbids"
    PROXY_LOGIN = "another login in front"
    REDIRECT = "redirected"
    BASE_URL = "wrong base URL"
    SERVER_ERROR = "server error"
    HOST = "Host refused"
    ORIGIN = "Origin refused"
    OPEN = "open to anyone"
    NO_PAGE = "no login page"
    WRONG_PASSWORD = "wrong password"
    INSECURE_COOKIE = "cookie not marked secure"
    IN_CLEAR = "not encrypted"
    NOT_SIGNED_IN = "not signed in"
    POST_REFUSED = "POST refused"
    NO_UPGRADE = "proxy without websockets"
    WEBSOCKET_REFUSED = "websocket refused"
    WEBSOCKET_SILENT = "websocket mute"
    OTHER_SERVER = "another server"
    NO_CREDENTIALS = "no credentials"
    NOT_POSSIBLE = "cannot be tried"


@dataclass(frozen=True, slots=True)
class Fix:
    """One way out, complete in itself: every part of it that is given must be done.

    `settings` are Jupyter's, as `{"ServerApp.local_hostnames": ["localhost", "lab.example"]}`; they need a restart. A
    list is to be joined with the one that is set already. `proxy` says what to do on the other side, in words; `url`
    is another address to use.
    """

    words: str
    settings: Mapping[str, object] = field(default_factory=dict)
    proxy: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried. `evidence` is what was sent and what came back, cleaned, without secrets.

    `fixes` are alternatives, the surest first.
    """

    part: Part
    outcome: Outcome
    words: str
    evidence: Sequence[str] = ()
    cause: Cause | None = None
    fixes: Sequence[Fix] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """A check of `url` from the machine `seen_from`; `steps` end with the first that failed."""

    url: str
    seen_from: str
    steps: Sequence[Step]

    @property
    def failed(self) -> Step | None:
        """The step that failed."""
        return next((step for step in self.steps if step.outcome is Outcome.FAILED), None)

    @property
    def warnings(self) -> Sequence[Step]:
        """Steps that work but should be better."""
        return tuple(step for step in self.steps if step.outcome is Outcome.WARNING)

    @property
    def proven(self) -> bool:
        """Whether every step was tried and none failed."""
        return all(step.outcome in {Outcome.OK, Outcome.WARNING} for step in self.steps)


@dataclass(frozen=True, slots=True)
class FarLook:
    """What the machine itself says of the port: whether it `listens`, and on what.

    `bind` is as in `jupyter.models.Server`: "loopback", "all", or addresses joined by commas.
    """

    listens: bool
    bind: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """The server that should be behind a URL: `version` of GET /api, `started` of GET /api/status; None: unknown.

    Its pid is not among what HTTP tells; the moment it was started stands for it.
    """

    version: str | None = None
    started: datetime | None = None
