"""`jupytui tunnel ls|add|rm|up|down|retry|install|uninstall`: the verbs are those of the action table.

`ls` asks a keeper that runs, and starts none.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jupytui import figures
from jupytui.cli import FAILED, UNREACHED, say
from jupytui.cli.configured import configured
from jupytui.cli.table import Column, render, room
from jupytui.config.model import Config, TunnelKind, did_you_mean
from jupytui.config.paths import Paths
from jupytui.errors import UsageError
from jupytui.tunnels.models import Address, Status, TunnelState

if TYPE_CHECKING:
    from jupytui.actions.base import Action, Context
    from jupytui.fleet.subject import Subject

VERBS = {
    "ls": "list them",
    "add": "make one and bring it up",
    "rm": "take it down and forget it",
    "up": "bring it up",
    "down": "take it down",
    "retry": "try again now",
    "install": "have a systemd user unit bring up after a login what hosts.toml says is up",
    "uninstall": "remove that unit",
}
NAMING = frozenset(("rm", "up", "down", "retry"))
COLUMNS = (
    Column("TUNNEL"),
    Column("HOST", rank=1),
    Column("KIND", rank=3),
    Column("FROM"),
    Column("TO"),
    Column("STATE"),
    Column("SINCE", right=True, rank=2),
    Column("RECONNECTS", right=True, rank=7),
    Column("OPEN", right=True, rank=6),
    Column("OUT", right=True, rank=5),
    Column("IN", right=True, rank=4),
    Column("TROUBLE", sentence=True),
)


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    text = "; ".join(f"{verb}: {does}" for verb, does in VERBS.items())
    parser.add_argument("verb", choices=tuple(VERBS), help=text)
    parser.add_argument("names", metavar="NAME", nargs="*", default=[], help="what the tunnel is called")
    parser.add_argument("--all", action="store_true", help="every tunnel (rm, up, down, retry)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text (ls)")
    parser.add_argument("--to", metavar="TARGET", default="", help="port, host:port or /unix/socket it leads to (add)")
    parser.add_argument("--local", metavar="PORT", default="", help="where it listens, also a /unix/socket (add)")
    kinds = parser.add_mutually_exclusive_group()
    for kind, does in ((TunnelKind.REMOTE, "a port of the host leads here"), (TunnelKind.SOCKS, "a proxy into it")):
        kinds.add_argument(f"--{kind}", dest="kind", action="store_const", const=str(kind), help=f"{does} (add)")
    parser.set_defaults(kind=str(TunnelKind.LOCAL))
    parser.add_argument("--host", metavar="HOST", nargs=1, default=[], help="the host it leads to (add)")
    parser.add_argument("--keep", action="store_true", help="write it to hosts.toml, to be up after a login (add)")
    parser.add_argument("--yes", action="store_true", help="consent to what is lost")


def run(arguments: Namespace) -> int:
    """List tunnels or act on them. Raises UsageError for a name that is no tunnel's."""
    paths, config = configured(arguments)
    if arguments.verb == "ls":
        return _list(paths, config, arguments)
    _check(arguments)
    from jupytui.cli.look import run_until_done

    return run_until_done(_act(paths, config, arguments))


def _list(paths: Paths, config: Config, arguments: Namespace) -> int:
    from jupytui.cli.tunnel_json import encode
    from jupytui.tunnels.keeper.peek import peek
    from jupytui.tunnels.known import with_listed

    statuses = _named(with_listed(config, peek(paths)), arguments.names)
    if arguments.json:
        print(encode(statuses))
    elif statuses:
        now = datetime.now(UTC)
        print(render(COLUMNS, [_row(status, now) for status in statuses], room()))
    return 0


def _row(status: Status, now: datetime) -> Sequence[str]:
    tunnel, why = status.tunnel, status.error
    since = now.timestamp() - status.since if status.since else None
    return (
        *(tunnel.name, tunnel.host, tunnel.kind, status.url or _end(status.local or tunnel.local), _end(tunnel.to)),
        *(status.state, figures.age(since), figures.count(status.reconnects), figures.count(status.open_connections)),
        *(figures.size(status.bytes_out), figures.size(status.bytes_in)),
        f"{why.message} {why.hint}" if why else "",
    )


def _end(address: Address | None) -> str:
    return str(address) if address and (address.port or address.path) else figures.UNKNOWN


def _named(statuses: Sequence[Status], names: Sequence[str]) -> Sequence[Status]:
    """Return those named, all if none is. Raises UsageError."""
    found = {status.tunnel.name: status for status in statuses}
    for name in names:
        if name not in found:
            hint = did_you_mean(name, list(found)) or "`jupytui tunnel ls` lists them."
            raise UsageError(f"There is no tunnel {name!r}.", hint)
    return [found[name] for name in dict.fromkeys(names)] if names else list(statuses)


def _check(arguments: Namespace) -> None:
    if arguments.verb in NAMING and bool(arguments.names) is arguments.all:
        raise UsageError("Name the tunnels, or say --all.", "`jupytui tunnel ls` lists them.")
    if arguments.verb == "add":
        if len(arguments.names) != 1 or not arguments.host:
            raise UsageError("Say `jupytui tunnel add NAME --host HOST --to TARGET`.")
        if not arguments.to and arguments.kind != TunnelKind.SOCKS:
            raise UsageError("Say where it leads to: --to PORT, HOST:PORT or /unix/socket.")
        _check_ends(arguments)


def _check_ends(arguments: Namespace) -> None:
    from jupytui.actions.tunnel_form import check_local, check_target

    for option, value, check in (("to", arguments.to, check_target), ("local", arguments.local, check_local)):
        if problem := check(value):
            raise UsageError(f"--{option} {value}: {problem}")


async def _act(paths: Paths, config: Config, arguments: Namespace) -> int:
    from jupytui.actions.base import Context
    from jupytui.actions.table import ACTIONS
    from jupytui.cli.front import TerminalFront
    from jupytui.cli.look import open_fleet, open_tunnels

    action = next(action for action in ACTIONS if action.command == ("tunnel", arguments.verb))
    async with open_fleet(config) as fleet, open_tunnels(paths) as tunnels:
        front = TerminalFront(yes=arguments.yes)
        context = Context(fleet, front, config, arguments.read_only, tunnels=tunnels)
        if arguments.verb in NAMING:
            await tunnels.keeper()
            return await _on_each(action, context, arguments.names)
        return await _once(action, context, arguments)


async def _once(action: Action, context: Context, arguments: Namespace) -> int:
    from jupytui.actions.base import perform

    said = await perform(action, context, (), _answers(arguments) if arguments.verb == "add" else {})
    say(said or "left as it was.")
    if arguments.verb != "add":
        return 0
    status = context.tunnels.status(arguments.names[0])
    if status and status.local:
        print(status.local)
    return _outcome([status] if status else [])


def _answers(arguments: Namespace) -> dict[str, str]:
    return {
        "name": arguments.names[0],
        "host": arguments.host[0],
        "kind": arguments.kind,
        "to": arguments.to,
        "local": arguments.local,
        "keep": "yes" if arguments.keep else "no",
    }


async def _on_each(action: Action, context: Context, names: Sequence[str]) -> int:
    """Act on those it makes sense for; what is as it should be already is no failure."""
    from jupytui.actions.base import perform
    from jupytui.actions.tunnel_words import all_tunnels
    from jupytui.fleet.subject import Subject

    subjects: list[Subject] = []
    for status in _named(all_tunnels(context), names):
        subject = Subject(status.tunnel.host, tunnel=status.tunnel.name)
        if reason := action.refuse(context, subject):
            say(reason)
        else:
            subjects.append(subject)
    if not all_tunnels(context):
        say("There is no tunnel.")
    if not subjects:
        return 0
    said = await perform(action, context, subjects, {})
    for line in (said if said is not None else "left as it was.").splitlines():
        say(line)
    wanted = action.id in {"tunnel.up", "tunnel.retry"}
    found = [context.tunnels.status(subject.tunnel or "") for subject in subjects] if wanted else []
    return FAILED if said is None else _outcome([status for status in found if status])


def _outcome(statuses: Sequence[Status]) -> int:
    """Return the exit status: a tunnel that waits for its host is one that could not reach it."""
    states = {status.state for status in statuses}
    if states & {TunnelState.FAILED, TunnelState.ASKING}:
        return FAILED
    return UNREACHED if states & {TunnelState.WAITING, TunnelState.CONNECTING} else 0
