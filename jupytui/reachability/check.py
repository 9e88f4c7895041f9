"""The check of a URL from the client's side: one step after the other, up to the first that fails."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import h11

from jupytui.errors import ConfigError, JupytuiError
from jupytui.hosts.base import Host
from jupytui.reachability import certificate, network, server, session
from jupytui.reachability.models import Cause, Expected, FarLook, Fix, Outcome, Part, Report, Step
from jupytui.reachability.target import Target
from jupytui.reachability.visit import Fails, Visit
from jupytui.reachability.wire import Wire
from jupytui.secret import Secret

DEADLINE = 10.0  # seconds for one question
_SHORT = 3.0  # for a question that is asked only to explain a failure
_QUESTIONS = 4  # the most that one step asks
_NONE = Secret("")
_UNKNOWN = Expected()

_STEPS: tuple[tuple[Part, Callable[[Visit], Awaitable[str]]], ...] = (
    (Part.NAME, network.resolve),
    (Part.CONNECT, network.connect),
    (Part.TLS, certificate.handshake),
    (Part.HTTP, server.answers),
    (Part.HOST, server.host_accepted),
    (Part.ORIGIN, server.origin_accepted),
    (Part.LOGIN, server.login_required),
    (Part.PAGE, server.page_shows),
    (Part.SIGN_IN, session.signs_in),
    (Part.POST, session.posts),
    (Part.WEBSOCKET, session.websocket),
    (Part.SAME, session.same_server),
)


def trusting(ca_file: str = "") -> ssl.SSLContext:
    """Return a context with this system's authorities, and those in a PEM file. Raises ConfigError."""
    context = ssl.create_default_context()
    try:
        if ca_file:
            context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError):
        raise ConfigError(f"{ca_file} holds no certificate that can be read.") from None
    return context


@dataclass(frozen=True, slots=True)
class Check:
    """A check of `url`, made from the host `seen_from`.

    `password` and `token` are sent only when all before has passed, and unencrypted only when `in_clear`. `context`
    says whom TLS trusts (default: this system). `far` is what the machine itself says of the port, where the URL leads
    to that machine and to no proxy. `posts` False leaves out the POST, of which the server's log tells as of an error;
    where nothing is in between, nothing refuses it. `deadline` is seconds per question; `until` the last step to try
    (not TLS, which a plain URL has not).
    """

    url: str
    seen_from: Host
    password: Secret = _NONE
    token: Secret = _NONE
    context: ssl.SSLContext | None = None
    expected: Expected = _UNKNOWN
    far: FarLook | None = None
    in_clear: bool = False
    posts: bool = True
    deadline: float = DEADLINE
    until: Part = Part.SAME

    async def report(self) -> Report:
        """Return all steps when they are done. Raises UsageError for what is no URL, CancelledError, nothing else."""
        found = tuple([step async for step in self.steps()])
        return Report(Target.parse(self.url).url, self.seen_from.name, found)

    async def steps(self) -> AsyncIterator[Step]:
        """Try one thing after the other and yield each step as it ends; a failure is the last. Raises as `report`."""
        visit = await self._visit(Target.parse(self.url))
        for part, run in _STEPS:
            if (part is Part.TLS and not visit.wire.target.tls) or (part is Part.POST and not self.posts):
                continue
            step = await _tried(visit, part, run)
            yield step
            if step.outcome is Outcome.FAILED or part is self.until:
                return

    async def _visit(self, target: Target) -> Visit:
        context = self.context
        if context is None:
            context = await asyncio.to_thread(trusting)
        wire = Wire(self.seen_from, target, context, self.deadline)
        return Visit(self.seen_from, wire, self.far, self.expected, self.password, self.token, self.in_clear)


async def _tried(visit: Visit, part: Part, run: Callable[[Visit], Awaitable[str]]) -> Step:
    visit.evidence.clear()
    began = time.monotonic()
    outcome, cause = Outcome.OK, None
    fixes: tuple[Fix, ...] = ()
    try:
        async with asyncio.timeout(visit.wire.deadline * _QUESTIONS):
            words = await run(visit)
    except session.Passes as passed:
        outcome, cause, words, fixes = passed.outcome, passed.cause, passed.words, passed.fixes
    except (Fails, OSError, EOFError, h11.ProtocolError, JupytuiError) as error:
        failure = error if isinstance(error, Fails) else await _translated(visit, error)
        outcome, cause, words, fixes = Outcome.FAILED, failure.cause, failure.words, failure.fixes
    return Step(part, outcome, words, tuple(visit.evidence), cause, fixes, time.monotonic() - began)


async def _translated(visit: Visit, error: Exception) -> Fails:
    if isinstance(error, JupytuiError):
        visit.saw(error.message)
        return Fails(Cause.NOT_POSSIBLE, error.message, Fix(error.hint))
    target = visit.wire.target
    unlike_http = isinstance(error, EOFError | ConnectionResetError | h11.ProtocolError)
    if unlike_http and not target.tls and await _speaks_tls(visit):
        url = f"https://{target.netloc}{target.base_url}"
        return Fails(Cause.TLS_EXPECTED, "TLS is spoken on that port.", Fix(f"Use {url}.", url=url))
    if isinstance(error, h11.ProtocolError):
        visit.saw("what came back is not HTTP")
        words = f"What answers on port {target.port} does not speak HTTP."
        return Fails(Cause.NOT_HTTP, words, Fix("Name the port that Jupyter listens on: something else has this one."))
    return network.cut(visit, error)


async def _speaks_tls(visit: Visit) -> bool:
    try:
        async with asyncio.timeout(min(visit.wire.deadline, _SHORT)):
            stream = await visit.wire.secure(await visit.wire.connect(), None)
            await stream.close()
    except (OSError, EOFError):
        return False
    return True
