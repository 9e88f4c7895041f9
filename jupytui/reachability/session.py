"""Signed in, as a browser is: the API takes a POST, a websocket passes, and it is the server that was meant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from jupytui.jupyter.access import Access
from jupytui.jupyter.http import HttpClient, Reply
from jupytui.jupyter.login import WrongPassword, sign_in
from jupytui.reachability.models import Cause, Fix, Outcome
from jupytui.reachability.server import decoded, is_jupyters
from jupytui.reachability.visit import Fails, Visit, answered
from jupytui.text import clean_line

_NO_KERNEL = "00000000-0000-4000-8000-000000000000"
_SECONDS = 1.0  # two readings of one start differ by how /api/status writes it


class Passes(Exception):
    """A step is not proven, and that is no failure: `outcome` is a warning, or skipped."""

    def __init__(self, outcome: Outcome, cause: Cause, words: str, *fixes: Fix) -> None:
        super().__init__(words)
        self.outcome, self.cause, self.words, self.fixes = outcome, cause, words, fixes


class _Browser(HttpClient):
    """What `sign_in` asks through: requests as a page of the target sends them."""

    def __init__(self, visit: Visit) -> None:
        super().__init__(visit.host, Access(base_url=visit.wire.target.base_url))
        self._visit = visit
        self.cookies: list[bytes] = []

    async def request(
        self, method: str, target: str, headers: Mapping[str, bytes], body: bytes = b"", deadline: float = 5.0
    ) -> Reply:
        """Ask over a connection of its own; `deadline` is the visit's."""
        origin = {"Origin": self._visit.wire.target.origin.encode()} if method == "POST" else {}
        reply = await self._visit.wire.request(method, target, {**headers, **origin}, body)
        self._visit.saw(f"{method} {target} {answered(reply)}")
        self.cookies += [value for name, value in reply.headers if name == b"set-cookie" and method == "POST"]
        return reply


async def signs_in(visit: Visit) -> str:
    """Get in by the password, or else by the token. Neither is sent to a server other than the one that was meant."""
    target = visit.wire.target
    if visit.expected.version and visit.version != visit.expected.version:
        raise _other(visit, f"version {visit.version} answers, not {visit.expected.version}")
    if not visit.password and not visit.token:
        words = "Neither a password nor a token was given, so what comes after the login is not proven."
        raise Passes(Outcome.SKIPPED, Cause.NO_CREDENTIALS, words)
    if not target.tls and not target.loopback and not visit.in_clear:
        words = "The password was not sent, because it would travel unencrypted."
        raise Passes(Outcome.SKIPPED, Cause.IN_CLEAR, words, Fix("Turn TLS on, or use a tunnel."))
    return await _by_password(visit) if visit.password else await _by_token(visit)


async def _by_password(visit: Visit) -> str:
    browser = _Browser(visit)
    try:
        visit.credentials = await sign_in(browser, visit.password)
    except WrongPassword as error:
        if error.status == 401:
            raise Fails(Cause.WRONG_PASSWORD, "The server does not take this password.", _PENDING) from None
        words = f"The login is refused with status {error.status}."
        raise Fails(Cause.POST_REFUSED, words, Fix("The proxy must let POST through, and hand cookies on.")) from None
    if await _status(visit) != 200:
        words = "The password is taken, but the cookie that comes back lets nobody in."
        raise Fails(Cause.NOT_SIGNED_IN, words, Fix("The proxy must hand Cookie and Set-Cookie on unchanged."))
    if visit.wire.target.tls and not any(b"secure" in cookie.lower() for cookie in browser.cookies):
        raise Passes(Outcome.WARNING, Cause.INSECURE_COOKIE, _INSECURE, _XHEADERS)
    return "The password lets us in."


_PENDING = Fix("A password that was changed is taken only after a restart of the server.")
_INSECURE = (
    "The password lets us in, but the server does not know that its address is https: its cookie would be sent "
    "unencrypted too."
)
_XHEADERS = Fix(
    "Let the proxy say that it speaks TLS, and the server believe it.",
    {"ServerApp.trust_xheaders": True},
    "Set X-Forwarded-Proto (nginx: “proxy_set_header X-Forwarded-Proto $scheme;”).",
)


async def _by_token(visit: Visit) -> str:
    visit.credentials = {"Authorization": b"token " + visit.token.reveal().encode()}
    if await _status(visit) == 200:
        return "The token lets us in."
    visit.credentials = {}
    fix = Fix("Give the token that counts now, and have the proxy hand the Authorization header on.")
    raise Fails(Cause.WRONG_PASSWORD, "The server does not take this token.", fix)


async def _status(visit: Visit) -> int:
    return (await visit.ask_inside("GET", "api/status", {})).status


async def posts(visit: Visit) -> str:
    """Have a POST taken that changes nothing: an interrupt for a kernel that does not exist, which Jupyter says.

    It warns of that in its log, too; every POST that it answers with success starts, ends or writes something.
    """
    _needs_login(visit)
    path = f"api/kernels/{_NO_KERNEL}/interrupt?no_track_activity=1"
    reply = await visit.ask_inside("POST", path, {"Origin": visit.wire.target.origin.encode()})
    if reply.status == 404 and _NO_KERNEL.encode() in reply.body and is_jupyters(reply):
        return "The API takes a POST."
    who = "Jupyter" if is_jupyters(reply) else "The proxy"
    raise Fails(
        Cause.POST_REFUSED,
        f"{who} refuses a POST to the API with status {reply.status}.",
        Fix("The proxy must let every method through, and hand Origin, Cookie and X-XSRFToken on."),
    )


def _needs_login(visit: Visit) -> None:
    if not visit.credentials:
        raise Passes(Outcome.SKIPPED, Cause.NO_CREDENTIALS, "Not tried: it needs a login.")


async def websocket(visit: Visit) -> str:
    """Open a websocket and have a ping come back through it."""
    _needs_login(visit)
    path = "api/events/subscribe"
    reply, ponged = await _upgrade(visit, path)
    if reply.status == 404 and (kernel := await _kernel(visit)):  # jupyter_server < 2 and notebook < 7 have no events
        reply, ponged = await _upgrade(visit, f"api/kernels/{kernel}/channels")
    elif reply.status == 404:
        raise Passes(Outcome.SKIPPED, Cause.NOT_POSSIBLE, "Not tried: this server has no websocket without a kernel.")
    if ponged:
        return "A websocket opens, and a ping comes back through it."
    raise _mute(reply)


async def _upgrade(visit: Visit, path: str) -> tuple[Reply, bool]:
    reply, ponged = await visit.wire.upgrade(path, visit.credentials)
    target = visit.wire.target
    came = "" if reply.status != 101 else ", ping came back" if ponged else ", no answer to a ping"
    visit.saw(f"GET {target.base_url}{path}, Upgrade: websocket, Origin: {target.origin}, {answered(reply)}{came}")
    return reply, ponged


async def _kernel(visit: Visit) -> str:
    kernels = decoded(await visit.ask_inside("GET", "api/kernels?no_track_activity=1", {}))
    first = kernels[0] if isinstance(kernels, list) and kernels else None
    name = first.get("id") if isinstance(first, dict) else None
    return name if isinstance(name, str) and name.replace("-", "").isalnum() and name.isascii() else ""


def _mute(reply: Reply) -> Fails:
    if reply.status == 101:
        words = "The websocket opens, and then nothing comes through: the proxy holds it back."
        return Fails(Cause.WEBSOCKET_SILENT, words, Fix(_BUFFER, proxy=_BUFFER))
    if reply.status in {400, 426, 200, 501, 502}:
        words = f"The proxy does not pass websockets on (status {reply.status}): kernels would never connect."
        return Fails(Cause.NO_UPGRADE, words, Fix("Turn websockets on in the proxy.", proxy=_UPGRADE))
    words = f"The websocket is refused with status {reply.status}."
    return Fails(Cause.WEBSOCKET_REFUSED, words, Fix("The proxy must hand Origin and Cookie on for websockets too."))


_BUFFER = "Turn buffering off for this address (nginx: “proxy_buffering off;”), and inspection of websockets."
_UPGRADE = (
    "nginx: “proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "
    '"upgrade"; proxy_read_timeout 86400;”. Elsewhere: a switch called websocket support.'
)


async def same_server(visit: Visit) -> str:
    """Compare what answers with the server that was meant: version, and the moment it was started."""
    meant = visit.expected
    if meant.version is None and meant.started is None:
        raise Passes(Outcome.SKIPPED, Cause.NOT_POSSIBLE, "Not compared: nothing is known of the server behind it.")
    if meant.version and visit.version != meant.version:
        raise _other(visit, f"version {visit.version} answers, not {meant.version}")
    if meant.started is None or not visit.credentials:
        return f"It is version {visit.version}, as it should be."
    started = _started(await visit.ask_inside("GET", "api/status", {}))
    if started is None or abs((started - meant.started).total_seconds()) > _SECONDS:
        raise _other(visit, "one that was started at another time answers")
    return "It is the very server that was meant."


def _started(reply: Reply) -> datetime | None:
    fields = decoded(reply)
    try:
        moment = datetime.fromisoformat(clean_line(str(fields["started"]), 40))
    except (KeyError, TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _other(visit: Visit, what: str) -> Fails:
    words = f"Another server is behind {visit.wire.target.url}: {what}."
    return Fails(Cause.OTHER_SERVER, words, Fix("Have the address passed on to the right machine and port."))
