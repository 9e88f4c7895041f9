"""Can it be reached from here: name, route, port, SSH; server, Host, Origin, TLS, login, websocket. The first failure.

A server on loopback is reached through its host; one that listens on more is tried from this machine as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from jupytui.doctor import known
from jupytui.doctor.models import Finding, Fix, HostFacts, ServerFacts, Severity
from jupytui.doctor.words import Rule, finding
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Auth, Health
from jupytui.jupyter.settings.edit import joined
from jupytui.reachability.models import Cause, Report, Step

_HOSTS = {
    HostState.UNREACHABLE: (
        "does not answer",
        "Wake it, or switch it on; bring up the network or VPN it is in; or put right its name or address.",
    ),
    HostState.REFUSED: ("refuses connections", "Start its SSH server, or name the port that listens."),
    HostState.AUTH_FAILED: (
        "does not let you log in",
        "Load the right key into the agent, or name it in ~/.ssh/config; `ssh -v` shows which ones are tried.",
    ),
    HostState.KEY_UNKNOWN: (
        "shows a key nobody has vouched for",
        "Compare its fingerprint with the machine's own, and accept it.",
    ),
    HostState.KEY_CHANGED: ("shows another key than before", "Find out why before you connect to it again."),
    HostState.NO_SHELL: ("gives no shell", "Give its user a shell that runs commands."),
    HostState.DOWN: ("has lost its connection", "Look again: it is dialled anew."),
    HostState.CONNECTING: ("is not connected yet", "Look again when it is."),
}
_OTHERWISE = ("cannot be used", "Look again.")
# What other rules find, and say better.
_ELSEWHERE = {Cause.OPEN, Cause.NO_CREDENTIALS, Cause.EXPIRED, Cause.NOT_YET_VALID}


def host(facts: HostFacts) -> Iterator[Finding]:
    """The host itself: its name, the way there, its port, its key, the login."""
    if facts.up:
        return
    view = facts.view
    error = view.error
    message, hint = (error.message, error.hint) if error else (f"{view.name} is {view.state}.", "")
    detail = (error.detail if error else "").splitlines()[:8]
    plight, fix = _HOSTS.get(view.state, _OTHERWISE)
    # A hint that asks something is for whoever waits for the host; here something has to be done.
    words, fix = (f"{message} {hint}", fix) if "?" in hint else (message, hint or fix)
    yield finding(
        facts, f"reach.host-{view.state.value}", Severity.CRITICAL, f"{view.name} {plight}", words, view.address,
        *detail, fix=Fix(fix),
    )  # fmt: skip


def through(facts: ServerFacts) -> Iterator[Finding]:
    """On its own host, as a tunnel reaches it."""
    yield from _of(facts, facts.through, "on its own host")
    if facts.through is None and facts.server.health is Health.SILENT:
        words = "Its process is there, and nothing answers."
        yield finding(
            facts, "reach.silent", Severity.CRITICAL, "Does not answer", words, facts.socket,
            fix=Fix("Its log may say why (l); else restart it (R)."),
        )  # fmt: skip


def direct(facts: ServerFacts) -> Iterator[Finding]:
    """From here, at the address of its host, where it listens for that."""
    if facts.through is None or facts.through.failed is None or _explained(facts.through):
        yield from _of(facts, facts.direct, "from this machine")


def _explained(report: Report) -> bool:
    return report.failed is not None and report.failed.cause in _ELSEWHERE


def _of(facts: ServerFacts, report: Report | None, whence: str) -> Iterator[Finding]:
    step = report.failed if report else None
    if report and step and step.cause not in _ELSEWHERE:
        title = f"Not reachable {whence}: {step.cause or step.part}"
        proven = [f"✓ {done.part}" for done in report.steps if done is not step]
        yield finding(
            facts, f"reach.{_slug(step.cause)}", Severity.CRITICAL, title, step.words, report.url, *proven,
            f"✖ {step.part}", *step.evidence, fix=_fix(step, facts),
        )  # fmt: skip


def _slug(cause: Cause | None) -> str:
    return (cause.name if cause else "unknown").lower().replace("_", "-")


def _fix(step: Step, facts: ServerFacts) -> Fix | None:
    if not step.fixes:
        return None
    first = step.fixes[0]
    # Each of these lets more people come to it: not by a key, before there is a password to stop them.
    settings = {} if facts.server.auth is Auth.NONE else first.settings
    wishes = {key: joined(value, facts.value(key)) for key, value in settings.items()}
    return Fix(" ".join(filter(None, (first.words, first.proxy))), wishes)


RULES = (Rule(through, known.through), Rule(direct, known.direct))
HOST_RULES = (Rule(host, known.always),)
