"""`jupytui share SERVER --ngrok | --url URL | --lan | --off-lan | --check URL | --stop | --forget`."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from jupytui.actions.base import Action, Context, Result, perform
from jupytui.actions.share import CHECK, FORGET, LAN, NGROK, OFF_LAN, STOP, URL
from jupytui.actions.share_ngrok import shared_of
from jupytui.actions.share_url import check_url
from jupytui.cli import FAILED, say, tell
from jupytui.cli.configured import configured
from jupytui.cli.front import TerminalFront
from jupytui.cli.lifecycle import running
from jupytui.cli.look import open_fleet, open_tunnels, run_until_done, say_unreached
from jupytui.config.model import Config
from jupytui.config.paths import Paths
from jupytui.errors import UsageError
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.base import SecretPrompt, UnknownKey
from jupytui.reachability.recipes import KINDS
from jupytui.secret import Secret

_WAYS = {"ngrok": NGROK, "url": URL, "lan": LAN, "off_lan": OFF_LAN, "check": CHECK, "stop": STOP, "forget": FORGET}


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument("server", metavar="SERVER", nargs="?", default="", help="HOST, HOST:PORT or HOST:/socket")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--ngrok", action="store_true", help="put it on the internet through your ngrok account")
    way.add_argument("--url", metavar="URL", help="set it up for a public address made elsewhere, and prove it")
    way.add_argument("--lan", action="store_true", help="serve it on the local network")
    way.add_argument("--off-lan", action="store_true", help="have it listen on its own machine alone again")
    way.add_argument("--check", metavar="URL", help="try an address as others will; changes nothing")
    way.add_argument("--stop", action="store_true", help="take it off ngrok")
    way.add_argument("--forget", action="store_true", help="forget ngrok's token")
    parser.add_argument("--domain", metavar="D", default="", help="with --ngrok: the domain of your account")
    parser.add_argument("--kind", choices=KINDS, default="proxy", help="with --url: what makes that address (proxy)")
    parser.add_argument("--address", metavar="IP", default="", help="with --lan: that one alone (all of the machine)")
    parser.add_argument("--ca", metavar="FILE", default="", help="PEM file of an authority this system does not know")
    parser.add_argument("--restart", action="store_true", help="consent to what is written, and to a restart")
    parser.add_argument("--yes", action="store_true", help="consent to what is written, and to fetch ngrok's agent")
    parser.add_argument("--stdin", action="store_true", help="take what is asked from stdin: one answer a line")
    parser.add_argument("--json", action="store_true", help="the steps as JSON on stdout")


def run(arguments: Namespace) -> int:
    """Share a server, or check that; the address is the last line of stdout, the steps are said on stderr."""
    way = next(name for name in _WAYS if getattr(arguments, name))
    _check(arguments, way)
    paths, config = configured(arguments)
    return run_until_done(_share(paths, config, arguments, _WAYS[way]))


def _check(arguments: Namespace, way: str) -> None:
    if not arguments.server and way != "forget":
        value = " URL" if way in {"url", "check"} else ""
        way = way.replace("_", "-")
        raise UsageError(f"It is: jupytui share SERVER --{way}{value}.", "`jupytui status` lists the servers.")
    url = arguments.url or arguments.check
    if url and (wrong := check_url(url)):
        raise UsageError(f"{url}: {wrong}")


async def _share(paths: Paths, config: Config, arguments: Namespace, action: Action) -> int:
    # What is to be stopped need not run, nor its host be reached, nor be in hosts.toml any more.
    names = [arguments.server.partition(":")[0]] if arguments.server and action is not STOP else []
    prompter = _Lines() if arguments.stdin else None
    async with open_fleet(config, names, prompter) as fleet, open_tunnels(paths) as tunnels:
        if names and (unreached := say_unreached(await fleet.look_once())):
            return unreached
        await tunnels.keeper()
        front = _Front(yes=arguments.yes)
        context = Context(fleet, front, config, arguments.read_only, tell, tunnels)
        done = await perform(action, context, _subjects(context, arguments.server, action), _answers(arguments))
    return _ended(front.result, done, as_json=arguments.json)


def _subjects(context: Context, wanted: str, action: Action) -> Sequence[Subject]:
    if action.scope is not Scope.SERVER:
        return ()
    if action is STOP:
        return (_shared(context, wanted),)
    name = wanted.partition(":")[0]
    return (Subject(name, running(Subject(name).host_in(context.fleet.store), wanted).id),)


def _shared(context: Context, wanted: str) -> Subject:
    """Return the server whose share is meant. Raises UsageError with the candidates where a host has several."""
    name, port, _ = wanted.partition(":")
    if port or not (found := shared_of(context.tunnels, name)):
        return Subject(name, wanted)
    if len(found) > 1:
        raise UsageError(f"{name} has {len(found)}: {', '.join(one.server or '' for one in found)}.", "Name one.")
    return found[0]


def _answers(arguments: Namespace) -> dict[str, str]:
    return {
        "domain": arguments.domain,
        "url": arguments.url or arguments.check or "",
        "kind": arguments.kind,
        "address": arguments.address,
        "ca": arguments.ca,
        "restart": "yes" if arguments.restart else "no",
    }


def _ended(result: Result | None, done: str | None, *, as_json: bool) -> int:
    say(f"{result.title}." if result else done or "left as it was.")
    if as_json and result:
        print(json.dumps(_decoded(result), indent=2))
    elif result and result.good and result.url:
        print(result.url)
    # Without a result something was done that could not be proven yet, or needs no proof.
    return 0 if (result.good if result else done) else FAILED


def _decoded(result: Result) -> dict[str, object]:
    steps = [{"step": f.what, "state": f.state, "words": f.words, "details": f.details} for f in result.findings]
    return {"url": result.url or None, "good": result.good, "steps": steps, "notes": result.notes}


class _Front(TerminalFront):
    """Keeps what there is to report."""

    result: Result | None = None

    async def report(self, result: Result) -> None:
        """Say what did not go well, and what to do about it; each step itself was said when it was made."""
        self.result = result
        for finding in result.findings:
            for detail in finding.details:
                say(f"  {detail}")
        await super().report(result)


class _Lines:
    """Answers by the lines of stdin, in the order of the questions; trusts nobody."""

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        """Return the next line, None when there is none, or it is empty."""
        line = sys.stdin.readline().rstrip("\n")
        return Secret(line) if line else None

    async def trust(self, question: UnknownKey) -> bool:
        """Decline."""
        return False
