"""`jupytui cert ls|ca|issue|renew|import|acme|off|timer`: the verbs are those of the action table."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jupytui.actions import certs
from jupytui.actions.base import Action, Answers, Confirmation, Context, perform
from jupytui.actions.cert_authority import export, told
from jupytui.actions.cert_sources import DNS, HERE, OTHER, PRODUCTION, RESPONDER, STAGING, WEBROOT
from jupytui.certs.acme_account import TermsNotAgreed
from jupytui.cli import FAILED, UNREACHED, say, tell
from jupytui.cli.cert_ls import list_all
from jupytui.cli.configured import configured
from jupytui.cli.front import TerminalFront
from jupytui.cli.lifecycle import running
from jupytui.cli.look import open_fleet, run_until_done, say_unreached
from jupytui.config.model import Config
from jupytui.errors import UsageError
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import HostTrouble

if TYPE_CHECKING:
    from jupytui.certs.records import Installed

VERBS = {
    "ls": "what each server shows, for how long yet, and who believes it",
    "ca": "your own authority's certificate; it is made the first time",
    "issue": "sign a certificate by your own authority and install it",
    "renew": "get new ones as they were got before, without a restart; without names all of jupytui's",
    "import": "check a certificate and key that exist, and install them",
    "acme": "order one from Let's Encrypt or another ACME authority, and install it",
    "off": "turn TLS off",
    "timer": "on, off: a user timer of this machine renews what is due",
}
DIRECTORIES = {"letsencrypt": PRODUCTION, "staging": STAGING}


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    text = "; ".join(f"{verb}: {does}" for verb, does in VERBS.items())
    parser.add_argument("verb", choices=tuple(VERBS), help=text)
    text = "HOST, HOST:PORT or HOST:/socket; ls: hosts; timer: on or off"
    parser.add_argument("servers", metavar="SERVER", nargs="*", default=[], help=text)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text (ls)")
    parser.add_argument("--restart", action="store_true", help="consent to a restart, where TLS goes on or off")
    parser.add_argument("--due", action="store_true", help="only what is due; asks nothing (renew)")
    parser.add_argument("--names", nargs="+", metavar="NAME", default=[], help="what it is for (issue, acme)")
    parser.add_argument("--export", metavar="FILE", help="write it there, and say how each system trusts it (ca)")
    parser.add_argument("--only", metavar="NAME", nargs="+", default=[], help="the domains, networks it is for (ca)")
    parser.add_argument("--cert", metavar="FILE", default="", help="with its chain (import)")
    parser.add_argument("--key", metavar="FILE", default="", help="where it is not in the same file (import)")
    parser.add_argument("--on-host", action="store_true", help="the files are on the server's host (import)")
    _configure_acme(parser)


def _configure_acme(parser: ArgumentParser) -> None:
    text = "letsencrypt, staging, or the URL of another one's (acme)"
    parser.add_argument("--directory", metavar="URL", default="letsencrypt", help=text)
    parser.add_argument("--directory-ca", metavar="FILE", default="", help="the roots its own TLS is checked against")
    parser.add_argument("--agree-terms", action="store_true", help="agree to its terms (acme)")
    parser.add_argument("--email", metavar="E", default="", help="where it may write to you (acme)")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--webroot", metavar="DIR", help="prove names by a file in a web server's directory (acme)")
    ways.add_argument("--responder", action="store_true", help="by an answer on its host's port 80, by sudo (acme)")
    ways.add_argument("--dns", action="store_true", help="by a DNS record that you set (acme)")
    parser.add_argument("--http-port", metavar="N", type=int, default=80, help="where port 80 leads to (acme)")
    parser.add_argument("--dns-servers", metavar="IP", nargs="+", default=[], help="where the record is looked for")


def run(arguments: Namespace) -> int:
    """Carry it out. Raises UsageError."""
    if problem := _misused(arguments):
        raise UsageError(*problem)
    _paths, config = configured(arguments)
    if arguments.verb == "ca":
        return _ca(arguments)
    work = {"ls": list_all, "renew": _renew, "timer": _timer}.get(arguments.verb, _act)
    return run_until_done(work(config, arguments))


def _misused(arguments: Namespace) -> tuple[str, str] | None:
    verb, count = arguments.verb, len(arguments.servers)
    if verb in {"issue", "import", "acme", "off"} and count != 1:
        return "Name one server.", "`jupytui cert ls` lists them."
    if verb == "timer" and arguments.servers not in (["on"], ["off"]):
        return "The timer goes on or off.", "jupytui cert timer on"
    if verb == "import" and not arguments.cert:
        return "Name the certificate by --cert.", "Its key by --key."
    if verb == "acme" and not arguments.names:
        return "Name what it is for by --names.", "As it is in the DNS."
    if verb == "acme" and not (arguments.webroot or arguments.responder or arguments.dns):
        return "Say how the names are proven.", "--webroot DIR, --responder or --dns."
    return None


class ConsentFront(TerminalFront):
    """`--restart` is the consent to a restart; what is changed is said in any case."""

    async def confirm(self, question: Confirmation) -> bool:
        """Say the change, then ask. Raises UsageError where nobody can be."""
        if question.losses:
            say("\n".join([f"{question.title}:", *question.notes]))
        try:
            return await super().confirm(question)
        except UsageError:
            # The server itself is what comes last.
            kernels = ", ".join(loss.what for loss in question.losses[:-1])
            ends = f"ends {kernels} and " if kernels else ""
            raise UsageError(
                f"{question.title}: it {ends}restarts the server.", "Say --restart if that is meant."
            ) from None


# ca, timer


def _ca(arguments: Namespace) -> int:
    from jupytui.certs import authority, private

    ours = authority.load_or_make(private.default_directory(), arguments.only)
    say(f"{ours.certificate.subject}, until {ours.certificate.not_after:%Y-%m-%d}; its key stays in {ours.path}.")
    if arguments.export:
        path, steps = export(arguments.export)
        say("to trust it:\n" + "\n".join(map(told, steps)))
        print(path)
    else:
        sys.stdout.write(ours.pem().decode())
    return 0


async def _timer(config: Config, arguments: Namespace) -> int:
    action = certs.TIMER_ON if arguments.servers == ["on"] else certs.TIMER_OFF
    async with open_fleet(config) as fleet:
        say(await perform(action, Context(fleet, TerminalFront(yes=False), config)) or "")
    return 0


# What changes a server


async def _act(config: Config, arguments: Namespace) -> int:
    action, answers = _verb(arguments)
    async with open_fleet(config, [arguments.servers[0].partition(":")[0]]) as fleet:
        views = await fleet.look_once()
        if unreached := say_unreached(views):
            return unreached
        front = ConsentFront(yes=arguments.restart)
        context = Context(fleet, front, config, arguments.read_only, progress=tell)
        server = running(views[0], arguments.servers[0])
        try:
            done = await perform(action, context, [Subject(views[0].name, server.id)], answers)
        except TermsNotAgreed as terms:
            raise UsageError(terms.message, "Say --agree-terms if you do.") from None
    say(done or "left as it was.")
    return 0 if done else FAILED


def _verb(arguments: Namespace) -> tuple[Action, Answers]:
    if arguments.verb == "issue":
        return certs.ISSUE, {"names": " ".join(arguments.names)}
    if arguments.verb == "import":
        where = "host" if arguments.on_host else HERE
        return certs.IMPORT, {"where": where, "cert": arguments.cert, "key": arguments.key}
    return (certs.ACME, _order(arguments)) if arguments.verb == "acme" else (certs.OFF, {})


def _order(arguments: Namespace) -> Answers:
    way = WEBROOT if arguments.webroot else RESPONDER if arguments.responder else DNS
    return {
        "service": DIRECTORIES.get(arguments.directory, OTHER),
        "url": arguments.directory,
        "ca": str(Path(arguments.directory_ca).absolute()) if arguments.directory_ca else "",
        "agreed": "yes" if arguments.agree_terms else "",
        "email": arguments.email,
        "names": " ".join(arguments.names),
        "way": way,
        "webroot": arguments.webroot or "",
        "port": str(arguments.http_port),
        "dns_servers": " ".join(arguments.dns_servers),
    }


async def _renew(config: Config, arguments: Namespace) -> int:
    from jupytui.certs import private, records

    every = records.load(private.default_directory())
    chosen = records.due(every) if arguments.due else every
    names = [name.partition(":")[0] for name in arguments.servers] or [record.host for record in chosen]
    if not names:
        say("nothing is due." if arguments.due else "jupytui has installed no certificate so far.")
        return 0
    known = {entry.name for entry in config.hosts}
    async with open_fleet(
        config, [name for name in dict.fromkeys(names) if name in known or arguments.servers]
    ) as fleet:
        context = Context(fleet, ConsentFront(yes=False), config, arguments.read_only, progress=tell)
        if arguments.servers:
            views = {view.name: view for view in await fleet.look_once()}
            if unreached := say_unreached(list(views.values())):
                return unreached
            chosen = await _records(context, views, arguments.servers)
        return await _renewed(context, chosen, ask=not arguments.due)


async def _records(context: Context, views: dict[str, HostView], servers: Sequence[str]) -> tuple[Installed, ...]:
    found = [(view, running(view, name)) for name in servers for view in [views[name.partition(":")[0]]]]
    return tuple([await certs.record_of(context, Subject(view.name, server.id)) for view, server in found])


async def _renewed(context: Context, chosen: Sequence[Installed], *, ask: bool) -> int:
    outcomes = await certs.renew_records(context, chosen, ask=ask)
    for outcome in outcomes:
        say(certs.sentence(outcome))
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if any(not isinstance(error, HostTrouble) for error in errors):
        return FAILED
    return UNREACHED if errors else 0
