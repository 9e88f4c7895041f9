"""How exposed a server is, in one line."""

from __future__ import annotations

from collections.abc import Iterable

from jupytui.doctor.models import Finding, ServerFacts, Severity
from jupytui.jupyter.models import Auth

_AUTH = {
    Auth.NONE: "no login",
    Auth.TOKEN: "token",
    Auth.PASSWORD: "password",
    Auth.BOTH: "token and password",
    Auth.UNKNOWN: "login unknown",
}


def verdict(facts: ServerFacts, findings: Iterable[Finding]) -> str:
    """Return who reaches it, how they get in, and what that comes to: "loopback · token · http · 2.21.1 · safe"."""
    server = facts.server
    where = "socket" if server.sock else {"all": "all addresses", None: "?"}.get(server.bind, server.bind or "?")
    own = [each for each in findings if each.server == server.id and each.id.startswith("exposure.")]
    parts = (where, _AUTH[server.auth], "TLS" if server.tls else "http", server.version or "", _word(facts, own))
    return " · ".join(filter(None, parts))


def _word(facts: ServerFacts, own: list[Finding]) -> str:
    if facts.unseen and not facts.found:
        return "not seen whole"
    if any(each.severity is Severity.CRITICAL for each in own):
        return "OPEN to anyone"
    if any(each.severity is Severity.WARNING for each in own):
        return "exposed: " + min(own, key=lambda each: list(Severity).index(each.severity)).title.lower()
    listens = facts.server.bind or facts.server.sock
    return "safe" if listens and facts.server.auth is not Auth.UNKNOWN else "not known"
