"""Who gets in: address x login x TLS x pages x release x files x user. One function, one rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jupytui.doctor import known
from jupytui.doctor.models import Finding, Fix, ServerFacts, Severity
from jupytui.doctor.vulnerable import Vulnerability, vulnerabilities
from jupytui.doctor.words import Rule, finding, said
from jupytui.jupyter.models import App, Auth
from jupytui.jupyter.settings.door import PASSWORD, TOKEN, Hash, door
from jupytui.jupyter.settings.edit import REMOVE
from jupytui.jupyter.settings.models import SECRET_TRAITS, Origin, plain

# Pages whose name nobody lists. Short, as a pattern may take time that doubles with every character.
STRANGERS = ("https://a.test", "http://a.test")

_TOKEN_AGAIN = Fix(
    "Leave the token to Jupyter, which makes a new one at every start; or set a password (pane 6).",
    {TOKEN: REMOVE},
)


def open_door(facts: ServerFacts) -> Iterator[Finding]:
    """Nobody is asked for a password or token."""
    if facts.server.auth is not Auth.NONE:
        return
    evidence = [facts.socket, "GET /api/status without credentials: 200", *_door_lines(facts)]
    fix = _TOKEN_AGAIN if facts.winner(TOKEN) else Fix("Set a password (pane 6), then restart the server.")
    if facts.exposed:
        words = "Everybody who can connect to it can run code as its user: no login is asked for."
        yield finding(facts, "exposure.open", Severity.CRITICAL, "Open to the network", words, *evidence, fix=fix)
    elif not facts.server.sock:
        words = "Every user of that machine can run code as its user: no login is asked for."
        yield finding(facts, "exposure.open-local", Severity.WARNING, "Open to its machine", words, *evidence, fix=fix)


def _door_lines(facts: ServerFacts) -> list[str]:
    return [said(facts.winner(key)) for key in (TOKEN, PASSWORD)]


def open_next_time(facts: ServerFacts) -> Iterator[Finding]:
    """The files say that it will ask nobody after its next start."""
    if facts.found and facts.server.auth is not Auth.NONE and door(facts.found, facts.settings).open:
        words = "It still asks for a login, but with its files as they are it will not after its next start."
        yield finding(
            facts, "exposure.open-next", Severity.WARNING, "Open after the next start", words,
            *_door_lines(facts), fix=_TOKEN_AGAIN,
        )  # fmt: skip


def in_clear(facts: ServerFacts) -> Iterator[Finding]:
    """Passwords travel the network unencrypted."""
    if facts.exposed and facts.server.tls is None and facts.server.url.startswith("http:"):
        words = "Other machines can connect, and what they send can be read on the way, passwords and tokens too."
        fix = Fix("Turn TLS on (pane 7), or listen on loopback and use a tunnel.", {"ServerApp.ip": "127.0.0.1"})
        where = said(facts.winner("ServerApp.ip"))
        yield finding(
            facts, "exposure.in-clear", Severity.WARNING, "Unencrypted", words, facts.socket, where, fix=fix
        )  # fmt: skip


def any_origin(facts: ServerFacts) -> Iterator[Finding]:
    """Pages of every site may talk to it."""
    origin, pattern = "ServerApp.allow_origin", "ServerApp.allow_origin_pat"
    for key, wide in ((origin, facts.value(origin) == "*"), (pattern, _lets_strangers_in(facts.value(pattern)))):
        if wide:
            words = "Whatever page is open in your browser may use this server as you."
            fix = Fix("Name the one address that needs it; without any, only the server's own pages.", {key: REMOVE})
            yield finding(
                facts, "exposure.origin", Severity.WARNING, "Takes requests of every page", words,
                said(facts.winner(key)), fix=fix,
            )  # fmt: skip


def _lets_strangers_in(pattern: object) -> bool:
    try:
        return isinstance(pattern, str) and any(re.fullmatch(pattern, stranger) for stranger in STRANGERS)
    except re.error:  # Jupyter lets nobody in with it either
        return False


def no_xsrf(facts: ServerFacts) -> Iterator[Finding]:
    """The check against forged requests is off."""
    key = "ServerApp.disable_check_xsrf"
    if facts.value(key) is True:
        words = "A page of another site can have your browser send requests that the server takes for yours."
        yield finding(
            facts, "exposure.xsrf", Severity.WARNING, "Takes forged requests", words, said(facts.winner(key)),
            fix=Fix("Switch the check on again.", {key: REMOVE}),
        )  # fmt: skip


def any_host(facts: ServerFacts) -> Iterator[Finding]:
    """It answers to every name though it listens on loopback only: DNS rebinding, or a public URL set up too widely."""
    key = "ServerApp.allow_remote_access"
    if facts.value(key) is True and facts.server.bind == "loopback":
        words = (
            "It listens on loopback only and still answers to every name, as a page that rebinds its own name sends."
        )
        fix = Fix(
            "For a public URL name it in ServerApp.local_hostnames (pane 8 has a preset); else leave it out.",
            {key: REMOVE},
        )
        yield finding(
            facts, "exposure.any-host", Severity.WARNING, "Answers to every name", words, said(facts.winner(key)),
            facts.socket, fix=fix,
        )  # fmt: skip


def trusts_headers(facts: ServerFacts) -> Iterator[Finding]:
    """It believes what anybody says of where they come from."""
    key = "ServerApp.trust_xheaders"
    if facts.exposed and facts.value(key) is True:
        words = "It takes X-Real-Ip and X-Scheme from everybody, because others than its proxy can connect."
        yield finding(
            facts, "exposure.xheaders", Severity.NOTICE, "Believes every proxy header", words, said(facts.winner(key)),
            facts.socket, fix=Fix(_to_its_proxy(facts), {"ServerApp.ip": "127.0.0.1"}),
        )  # fmt: skip


def _to_its_proxy(facts: ServerFacts) -> str:
    words = "Listen on loopback, where only the proxy of that machine connects."
    if facts.value("ServerApp.local_hostnames") or facts.value("ServerApp.allow_remote_access") is True:
        return words
    # Measured on jupyter_server 2.21: on loopback it takes no Host but localhost, which it did as long as it was not.
    return (
        f"{words} First name its public address in ServerApp.local_hostnames (pane 8 has a preset), or it gets a 403."
    )


def root(facts: ServerFacts) -> Iterator[Finding]:
    """It runs as root."""
    if facts.uid == 0:
        words = "Who is let in, and every notebook, may do everything on that machine."
        yield finding(
            facts, "exposure.root", Severity.WARNING, "Runs as root", words,
            f"process {facts.server.pid} is root's (uid 0)", fix=Fix("Run it as a user of its own."),
        )  # fmt: skip


def readable(facts: ServerFacts) -> Iterator[Finding]:
    """Secrets that others on the machine can read."""
    for each in facts.paths:
        key_inside = each.kind != "certificate file" or facts.value("ServerApp.keyfile") in {None, "", each.path}
        if each.open_to_others and key_inside:
            words = f"Others on that machine can read the {each.kind}."
            title = f"Others can read the {each.kind.partition(',')[0]}"
            where = f"{each.path}: mode {each.mode or 0:04o}"
            fix = Fix("Close it to others.", private=(each.path,))
            yield finding(facts, "exposure.readable", Severity.WARNING, title, words, where, fix=fix)


def secret_in_argv(facts: ServerFacts) -> Iterator[Finding]:
    """A secret on the command line, which every user of the machine can list."""
    for entry in facts.found.options if facts.found else ():
        if entry.origin is Origin.OPTION and entry.trait in SECRET_TRAITS and plain(entry.value):
            words = "Every user of that machine sees it in the list of processes."
            fix = Fix("Put it into a configuration file (pane 6 or 8) and take it out of the command or unit.")
            yield finding(
                facts, "exposure.argv", Severity.WARNING, "Its secret is on its command line", words,
                f"process {facts.server.pid}: --{entry.key}=••••••", fix=fix,
            )  # fmt: skip


def weak_hash(facts: ServerFacts) -> Iterator[Finding]:
    """A password kept as a quick hash, or as none."""
    if not facts.found:
        return
    entry, kind = facts.winner(PASSWORD), door(facts.found, facts.settings).hash
    if kind is Hash.WEAK:
        words = "Whoever gets hold of the file finds the password quickly: it is kept as a sha1 hash."
        title, severity = "Weak password hash", Severity.WARNING
    elif kind is Hash.UNUSABLE:
        words = "What is set as the password is no hash: nobody gets in with it."
        title, severity = "Password that fits nothing", Severity.WARNING
    else:
        return
    where = f"{entry.where}: {entry.key}" if entry else ""
    fix = Fix("Set the password anew (pane 6, or `jupytui passwd`): it is kept as argon2.")
    yield finding(facts, "exposure.hash", severity, title, words, where, fix=fix)


def vulnerable(facts: ServerFacts) -> Iterator[Finding]:
    """Releases with known flaws: one finding a package, all its flaws as evidence."""
    versions = dict(facts.versions)
    if facts.server.version:
        package = "notebook" if facts.server.app is App.CLASSIC else "jupyter_server"
        versions[package] = facts.server.version
    flaws = [flaw for flaw in vulnerabilities(versions) if _applies(flaw, facts)]
    for package in dict.fromkeys(flaw.package for flaw in flaws):
        own = [flaw for flaw in flaws if flaw.package == package]
        grave = [flaw for flaw in own if flaw.grave]
        title = f"{package} {versions[package]} is vulnerable: {(grave or own)[0].id}" + _more(len(own))
        lines = [f"{flaw.id}, mended in {' and '.join(flaw.fixed)}: {flaw.words} {flaw.source}" for flaw in own]
        fix = Fix("Upgrade it (`jupytui env upgrade`), then restart the server.")
        yield finding(
            facts, "exposure.vulnerable", Severity.WARNING, title, (grave or own)[0].words, *lines, fix=fix
        )  # fmt: skip


def _applies(flaw: Vulnerability, facts: ServerFacts) -> bool:
    return not flaw.only_with or bool(facts.value(flaw.only_with))


def _more(count: int) -> str:
    return f" and {count - 1} more" if count > 1 else ""


def not_restarted(facts: ServerFacts) -> Iterator[Finding]:
    """It was upgraded and runs the old release still."""
    installed, runs = facts.versions.get("jupyter_server"), facts.server.version
    numbers = re.compile(r"\d+\.\d+\.\d+$")
    if installed and runs and installed != runs and numbers.match(installed) and numbers.match(runs):
        if facts.server.app is App.CLASSIC:
            return
        words = f"jupyter_server {installed} is installed, and {runs} still runs."
        yield finding(
            facts, "exposure.old-release", Severity.NOTICE, "Upgraded, not restarted", words,
            fix=Fix("Restart the server (R)."),
        )  # fmt: skip


RULES = (
    Rule(open_door, known.login),
    Rule(open_next_time, known.configuration_and_login),
    Rule(in_clear, known.listens),
    Rule(any_origin, known.configuration),
    Rule(no_xsrf, known.configuration),
    Rule(any_host, known.configuration_and_listens),
    Rule(trusts_headers, known.configuration_and_listens),
    Rule(root, known.user),
    Rule(readable, known.modes),
    Rule(secret_in_argv, known.configuration),
    Rule(weak_hash, known.configuration),
    Rule(vulnerable, known.release),
    Rule(not_restarted, known.releases),
)
