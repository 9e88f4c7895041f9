"""What the steps of one check share: the wire, what is known so far, and the evidence of the step under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from jupytui.hosts.base import Host
from jupytui.jupyter.http import Reply
from jupytui.reachability.models import Cause, Expected, FarLook, Fix
from jupytui.reachability.wire import Wire
from jupytui.secret import Secret
from jupytui.text import clean_line

_SAID = 160  # characters of a body that are kept as evidence


class Fails(Exception):
    """A step failed: why, in words, and what to do."""

    def __init__(self, cause: Cause, words: str, *fixes: Fix) -> None:
        super().__init__(words)
        self.cause, self.words, self.fixes = cause, words, fixes


@dataclass(slots=True)
class Visit:
    """One check under way."""

    host: Host
    wire: Wire
    far: FarLook | None
    expected: Expected
    password: Secret
    token: Secret
    in_clear: bool
    evidence: list[str] = field(default_factory=list)
    version: str | None = None
    credentials: Mapping[str, bytes] = field(default_factory=dict)
    addresses: Sequence[str] = ()

    def saw(self, line: str) -> None:
        """Keep a line of evidence."""
        self.evidence.append(clean_line(line, 400))

    async def ask(self, method: str, path: str, headers: Mapping[str, bytes] | None = None, body: bytes = b"") -> Reply:
        """Ask without credentials, and keep what was sent and what came back."""
        reply = await self.wire.request(method, path, headers, body)
        said = "".join(f" {name}: {value.decode('latin-1')}," for name, value in (headers or {}).items())
        text = "" if reply.body.lstrip().startswith(b"<") else clean_line(reply.body, _SAID)
        self.saw(f"{self._question(method, path)},{said} {answered(reply)} {text}".rstrip())
        return reply

    async def ask_inside(self, method: str, path: str, headers: Mapping[str, bytes], body: bytes = b"") -> Reply:
        """Ask with credentials; of the answer only its status is kept, since a server may echo what it was sent."""
        reply = await self.wire.request(method, path, {**self.credentials, **headers}, body)
        self.saw(f"{self._question(method, path)}, signed in, {answered(reply)}")
        return reply

    def _question(self, method: str, path: str) -> str:
        target = self.wire.target
        return f"{method} {path if path.startswith('/') else target.base_url + path}, Host: {target.netloc}"


def answered(reply: Reply) -> str:
    """Return the first line of an answer, and who says it gave it."""
    phrase = HTTPStatus(reply.status).phrase if reply.status in HTTPStatus._value2member_map_ else ""
    server = header(reply, b"server")
    return f"→ {reply.status} {phrase}".rstrip() + (f" ({server})" if server else "")


def header(reply: Reply, name: bytes) -> str:
    """Return the first header of that lowercase name, cleaned; "" when there is none."""
    return clean_line(dict(reversed(reply.headers)).get(name, b""), 300)
