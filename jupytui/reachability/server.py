"""What answers: is it Jupyter, and does it take the Host and the Origin that a browser would send?

From jupyter_server's base/handlers.py: `check_host` answers 403 to everything, GET /api too, which needs no login;
`check_origin` answers 404 to an API request whose Origin is not its Host. Its pages name their own place in their
Content-Security-Policy ("report-uri /base/api/security/csp-report"), by which they are told from a proxy's.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from jupytui.jupyter.http import Reply
from jupytui.reachability.models import Cause, Fix
from jupytui.reachability.target import Target
from jupytui.reachability.visit import Fails, Visit, header
from jupytui.text import clean_line

_API = "api?no_track_activity=1"
_REPORTS = re.compile(r"report-uri (/[!-~]*?)api/security/csp-report")


async def answers(visit: Visit) -> str:
    """Have GET /api answered by a Jupyter."""
    reply = await visit.ask("GET", _API)
    visit.version = version_in(reply)
    if visit.version:
        return f"Jupyter {visit.version} answers."
    if reply.status == 403 and is_jupyters(reply):
        return "Jupyter answers."
    if 300 <= reply.status < 400:
        raise _moved(visit.wire.target, header(reply, b"location"))
    if reply.status == 404:
        raise await _not_there(visit, reply)
    raise _status(visit.wire.target, reply)


def version_in(reply: Reply) -> str | None:
    """Return the version that GET /api told, None when it told none."""
    fields = decoded(reply)
    version = fields.get("version") if reply.status == 200 and isinstance(fields, dict) else None
    return clean_line(version, 40) or None if isinstance(version, str) else None


def decoded(reply: Reply) -> Any:
    """Return the JSON of an answer, None when it is none."""
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def is_jupyters(reply: Reply) -> bool:
    """Whether a refusal is Jupyter's own and not that of a proxy before it."""
    fields = decoded(reply)
    in_json = isinstance(fields, dict) and "message" in fields and "reason" in fields
    return in_json or bool(_base(reply))


def _moved(target: Target, location: str) -> Fails:
    goal = urlsplit(urljoin(target.url, location))
    where = clean_line(f"{goal.scheme}://{goal.netloc}{goal.path}", 200)
    if goal.hostname == target.host and goal.scheme == "https" and not target.tls:
        url = f"https://{goal.netloc}{target.base_url}"
        return Fails(Cause.REDIRECT, "It wants to be spoken to over https.", Fix(f"Use {url}.", url=url))
    if goal.netloc in {target.netloc, ""}:
        return Fails(Cause.BASE_URL, f"It leads to {where}: nothing of Jupyter's is at this path.", _use(where))
    words = f"It sends everybody on to {where} first: another login, or a page in between."
    return Fails(Cause.PROXY_LOGIN, words, Fix("Let that service pass this address through, or sign in there first."))


def _use(url: str) -> Fix:
    return Fix(f"Use {url}.", url=url)


async def _not_there(visit: Visit, reply: Reply) -> Fails:
    target, base = visit.wire.target, _base(reply)
    if not base:
        words = f"{target.netloc} answers, but knows no such address: there is no way from it to a Jupyter."
        return Fails(Cause.PROXY_NO_ROUTE, words, _TO_JUPYTER)
    if base == target.base_url:
        words = "What answers is Jupyter's kin, but has no API."
        return Fails(Cause.NOT_JUPYTER, words, Fix("Name the port that Jupyter listens on."))
    ways = [_use(target.origin + base)] if version_in(await visit.ask("GET", base + _API)) else []
    ways += [Fix(f"Have it live below {target.base_url}.", {"ServerApp.base_url": target.base_url})]
    return Fails(Cause.BASE_URL, f"Jupyter is there, but lives below {base}.", *ways)


def _base(reply: Reply) -> str:
    """Where a Jupyter lives, from where its pages are to report violations; "" when it is none."""
    found = _REPORTS.search(header(reply, b"content-security-policy"))
    return found[1] if found else ""


_TO_JUPYTER = Fix("Add a rule to the proxy that passes this name and path on to Jupyter's address and port.")
_STATUSES = {
    401: (Cause.PROXY_LOGIN, "Something in front asks for a login of its own.", "Sign in there, or let it pass."),
    403: (Cause.PROXY_FORBIDS, "Something in front of Jupyter forbids it.", "Look at the rules of the proxy."),
    502: (
        Cause.PROXY_NO_SERVER,
        "The proxy answers, but finds no server behind it.",
        "Is Jupyter running, and at the address and port the proxy passes to? From a proxy on another machine, "
        "Jupyter must listen on an address that it can reach.",
    ),
    504: (
        Cause.PROXY_TIMEOUT,
        "The proxy answers, but waits in vain for the server behind it.",
        "A firewall between them drops what the proxy sends, or Jupyter hangs.",
    ),
}
_STATUSES[503] = _STATUSES[502]


def _status(target: Target, reply: Reply) -> Fails:
    if reply.status == 400 and b"HTTPS port" in reply.body and not target.tls:
        url = f"https://{target.netloc}{target.base_url}"
        return Fails(Cause.TLS_EXPECTED, "TLS is spoken on that port.", _use(url))
    if is_jupyters(reply):
        words = f"Jupyter answers with status {reply.status}."
        return Fails(Cause.SERVER_ERROR, words, Fix("The server's log says why."))
    if reply.status in _STATUSES:
        cause, words, fix = _STATUSES[reply.status]
        return Fails(cause, words, Fix(fix))
    words = f"Something else than Jupyter answers (status {reply.status})."
    return Fails(Cause.NOT_JUPYTER, words, _TO_JUPYTER)


async def host_accepted(visit: Visit) -> str:
    """Have Jupyter take the name in the address bar."""
    reply = await visit.ask("GET", _API)
    if reply.status == 403:
        target = visit.wire.target
        words = f"Jupyter blocks every request, because {target.host} is not a local name to it."
        raise Fails(Cause.HOST, words, _let_in(target))
    return "Jupyter takes the Host it is sent."


def _let_in(target: Target) -> Fix:
    if target.address:  # `local_hostnames` is not asked about addresses
        return Fix("Let the server take requests for any address.", {"ServerApp.allow_remote_access": True})
    names = ["localhost", target.host]
    return Fix(f"Tell the server that it is also called {target.host}.", {"ServerApp.local_hostnames": names})


async def origin_accepted(visit: Visit) -> str:
    """Have Jupyter take requests of its own pages: their Origin must be its Host, or be allowed."""
    target = visit.wire.target
    reply = await visit.ask("GET", _API, {"Origin": target.origin.encode()})
    if version_in(reply):
        return f"Requests of pages at {target.origin} are taken."
    words = (
        f"Jupyter refuses what pages at {target.origin} ask: the proxy hands it another Host than the one in the "
        "address bar (rewritten, or without its port)."
    )
    raise Fails(
        Cause.ORIGIN,
        words,
        Fix("Allow pages of that address; the proxy stays as it is.", {"ServerApp.allow_origin": target.origin}),
        Fix(
            "Better, where the proxy is yours: hand the Host on, and tell the server its name.",
            _let_in(target).settings,
            "Pass the Host header through unchanged (nginx: “proxy_set_header Host $http_host;”).",
        ),
    )


async def login_required(visit: Visit) -> str:
    """See that somebody without credentials is kept out."""
    reply = await visit.ask("GET", "api/status")
    if reply.status == 200 and isinstance(decoded(reply), dict):
        raise Fails(
            Cause.OPEN,
            f"Anybody who finds {visit.wire.target.url} can run code on the machine: no login is asked for.",
            Fix("Set a password, then restart the server; until then, take the address down."),
        )
    if reply.status in {401, 403} or 300 <= reply.status < 400:
        return "Strangers are kept out."
    raise Fails(
        Cause.SERVER_ERROR,
        f"Whether a login is required cannot be seen: status {reply.status}.",
        Fix("The server's log says why."),
    )


async def page_shows(visit: Visit) -> str:
    """Be led to the login page as a browser is."""
    target = visit.wire.target
    front = await visit.ask("GET", target.base_url)
    goal = urlsplit(urljoin(target.url, header(front, b"location")))
    if 300 <= front.status < 400 and (goal.netloc != target.netloc or not goal.path.startswith(target.base_url)):
        raise _astray(target, clean_line(f"{goal.scheme}://{goal.netloc}{goal.path}", 200))
    reply = await visit.ask("GET", "login")
    if reply.status == 200 and b"password" in reply.body:
        return "The login page shows."
    if 300 <= reply.status < 400:
        return f"Login is elsewhere: {header(reply, b'location')}."
    words = f"There is no login page: status {reply.status}."
    raise Fails(Cause.NO_PAGE, words, Fix("The proxy may pass on some paths only: it must pass on all."))


def _astray(target: Target, where: str) -> Fails:
    whole = "Pass the path through unchanged: do not strip the prefix."
    below = Fix(f"Have it live below {target.base_url}.", {"ServerApp.base_url": target.base_url}, whole)
    return Fails(Cause.BASE_URL, f"Jupyter sends browsers to {where}, which is not below {target.url}.", below)
