"""What can be done to tunnels: all that changes one goes to the keeper; what is to last goes to hosts.toml, too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from msgspec.structs import replace

from jupytui.actions import tunnel_form, tunnel_login, way
from jupytui.actions.base import Action, Answers, Context, Loss, Subjects
from jupytui.actions.hosts_toml import edit
from jupytui.actions.tunnel_words import address, all_tunnels, names, status_of, told
from jupytui.config.edit import add_tunnel, remove_tunnels
from jupytui.config.load import load_config
from jupytui.config.model import LOCAL, TunnelEntry, TunnelKind
from jupytui.errors import JupytuiError, WrongAnswer
from jupytui.figures import plural
from jupytui.fleet.subject import Scope, Subject
from jupytui.jupyter.models import Server
from jupytui.jupyter.page import Page
from jupytui.tunnels import known
from jupytui.tunnels.keeper.listed import tunnel_of
from jupytui.tunnels.models import Status, Tunnel, TunnelState


async def bring_up(context: Context, tunnel: Tunnel) -> Status:
    """Have `tunnel` up, with this description and no other; return how it stands once it carries, fails or waits.

    Raises JupytuiError.
    """
    keeper = await context.tunnels.keeper()
    there = context.tunnels.status(tunnel.name)
    if there and there.tunnel != tunnel:
        await keeper.remove(tunnel.name)
    return await context.tunnels.settled(await keeper.add(tunnel))


async def _add(context: Context, _subjects: Subjects, answers: Answers) -> str:
    context.config.watched([answers["host"]])
    await context.tunnels.keeper()
    statuses = all_tunnels(context)
    entry = tunnel_form.entry_of(answers, known.promised(statuses))
    there = next((status.tunnel for status in statuses if status.tunnel.name == entry.name), None)
    if there and there.local and not answers.get("local"):
        entry = replace(entry, local=there.local.path or there.local.port)
    if there and there != tunnel_of(entry):
        raise WrongAnswer(f"There is another tunnel {entry.name} already.", "Choose another name.", field="name")
    if there is None and entry.kind is not TunnelKind.REMOTE and (taken := tunnel_form.taken(entry.local, statuses)):
        raise WrongAnswer(taken, field="local")
    entry, status = await _brought_up(context, entry, chosen=not (there or answers.get("local")))
    if entry.up and not any(listed.name == entry.name for listed in context.config.tunnels):
        edit(context, partial(add_tunnel, tunnel=entry))
    return told(status) + (tunnel_login.without_service() if entry.up else "")


async def _brought_up(context: Context, entry: TunnelEntry, *, chosen: bool) -> tuple[TunnelEntry, Status]:
    """Bring it up; a port that nobody asked for, and that somebody else was faster to take, is chosen anew."""
    while True:
        try:
            return entry, await bring_up(context, tunnel_of(entry))
        except JupytuiError:
            port = entry.local if chosen and entry.kind is not TunnelKind.REMOTE else None
            if not isinstance(port, int) or tunnel_form.taken(port, ()) is None:
                raise
            entry = replace(entry, local=tunnel_form.next_port(port, known.promised(all_tunnels(context))))


async def _to_server(context: Context, subjects: Subjects, _answers: Answers) -> str:
    return told(await way.to_server(context, subjects[0]))


async def _show(context: Context, subjects: Subjects, _answers: Answers) -> str:
    await context.front.show("5", subjects[0])
    return ""


async def _up(context: Context, subjects: Subjects, _answers: Answers) -> str:
    wanted = [_as_listed_now(context, status_of(context, subject)) for subject in subjects]
    return _outcome(await asyncio.gather(*(bring_up(context, tunnel) for tunnel in wanted)))


def _as_listed_now(context: Context, status: Status) -> Tunnel:
    """Return what hosts.toml says of a tunnel by now, else what is known of it. Raises ConfigError, UsageError."""
    return known.as_listed(load_config(context.config.path), status.tunnel)


def _outcome(statuses: Sequence[Status]) -> str:
    """Return how they stand, in words. Raises JupytuiError for one that has failed."""
    failed = [status for status in statuses if status.state is TunnelState.FAILED]
    return "\n".join(told(status) for status in failed or statuses)


async def _down(context: Context, subjects: Subjects, _answers: Answers) -> str:
    keeper = await context.tunnels.keeper()
    for subject in subjects:
        if context.tunnels.status(subject.tunnel or ""):
            await keeper.down(subject.tunnel or "")
    return f"{names(subjects)} down."


async def _retry(context: Context, subjects: Subjects, _answers: Answers) -> str:
    wanted = [status_of(context, subject) for subject in subjects]
    return _outcome(await asyncio.gather(*(_tried(context, status) for status in wanted)))


async def _tried(context: Context, status: Status) -> Status:
    """Have one tried again, as hosts.toml says by now; return how it stands after that. Raises JupytuiError."""
    tunnel = _as_listed_now(context, status)
    if tunnel != status.tunnel:
        return await bring_up(context, tunnel)
    await way.try_now(await context.tunnels.keeper(), status)
    return await context.tunnels.settled(status)


async def _remove(context: Context, subjects: Subjects, _answers: Answers) -> str:
    gone = [subject.tunnel or "" for subject in subjects]
    if any(entry.name in gone for entry in context.config.tunnels):
        edit(context, partial(remove_tunnels, names=gone))
    keeper = await context.tunnels.keeper()
    for name in gone:
        if context.tunnels.status(name):
            await keeper.remove(name)
    return f"{names(subjects)} removed."


def _cut_off(context: Context, subject: Subject) -> Sequence[Loss]:
    status = status_of(context, subject)
    count = status.open_connections
    return [Loss(status.tunnel.name, f"{plural(count, 'open connection')} through it will break")] if count else ()


def _forgotten(context: Context, subject: Subject) -> Sequence[Loss]:
    if not tunnel_login.listed(context, subject):
        return _cut_off(context, subject)
    return [*_cut_off(context, subject), Loss(f"its entry in {context.config.path.name}", "is taken out")]


async def _open(context: Context, subjects: Subjects, _answers: Answers) -> str:
    from jupytui.actions import browser
    from jupytui.actions.open import show
    from jupytui.actions.table import BY_ID

    status = status_of(context, subjects[0])
    server = _server_behind(context, status)
    opens = BY_ID.get("server.open")
    if opens and server:
        return await opens.run(context, [Subject(status.tunnel.host, server.id)], {})
    page = Page(status.tunnel.name, address(status))
    if status.tunnel.kind is TunnelKind.PUBLIC and browser.command() is None:
        return await context.front.offer(page)  # from afar it is reached without a tunnel of theirs
    return await show(context, page)


def _server_behind(context: Context, status: Status) -> Server | None:
    view = context.fleet.store.host(status.tunnel.host)
    servers = view.servers if view else ()
    return next((one for one in servers if known.leads_to(status.tunnel, status.tunnel.host, one)), None)


def _no_page(context: Context, subject: Subject) -> str | None:
    status = status_of(context, subject)
    name, kind = status.tunnel.name, status.tunnel.kind
    if kind not in {TunnelKind.LOCAL, TunnelKind.PUBLIC}:
        return f"{name} leads to no page."
    if kind is TunnelKind.LOCAL and status.local is None and _server_behind(context, status) is None:
        return f"{name} does not listen: bring it up first."
    return None if address(status).startswith("http") else f"{name} has no address just now."


async def _copy(context: Context, subjects: Subjects, _answers: Answers) -> str:
    return await context.front.copy(address(status_of(context, subjects[0])))


Refuse = Callable[[Context, Subject], str | None]


def _when(fits: Callable[[Status], bool], unfit: str) -> Refuse:
    """Return the `refuse` of an action that needs a tunnel which stands in a certain way."""

    def refuse(context: Context, subject: Subject) -> str | None:
        status = status_of(context, subject)
        return None if fits(status) else f"{status.tunnel.name} {unfit}."

    return refuse


def _no_tunnel_needed(context: Context, subject: Subject) -> str | None:
    here = subject.host == LOCAL and subject.server_in(context.fleet.store).port
    return f"{subject.server} runs on this machine: it needs no tunnel." if here else None


Run = Callable[[Context, Subjects, Answers], Awaitable[str]]


def _action(words: tuple[str, str, str, str], run: Run, refuse: Refuse) -> Action:
    verb, key, title, help_ = words
    command = ("tunnel", verb) if verb in {"up", "down", "retry", "rm"} else ()
    id_ = "tunnel.remove" if verb == "rm" else f"tunnel.{verb}"
    losses = {"down": _cut_off, "rm": _forgotten}.get(verb, lambda _context, _subject: ())
    return Action(
        id=id_,
        title=title,
        help=help_,
        scope=Scope.TUNNEL,
        keys=(key,),
        command=command,
        many=verb not in {"open", "copy"},
        changes=verb not in {"open", "copy"},
        refuse=refuse,
        losses=losses,
        runs=lambda _context, subject: f"jupytui tunnel {verb} {subject.tunnel}",
        run=run,
    )


ADD = Action(
    id="tunnel.add",
    title="Add a tunnel",
    help="Makes a tunnel to a host, from one, or a SOCKS proxy into one; it survives cuts, sleep and this program.",
    scope=Scope.FLEET,
    keys=("t",),
    command=("tunnel", "add"),
    form=tunnel_form.form,
    run=_add,
)

TO_SERVER = Action(
    id="server.tunnel",
    title="Tunnel",
    help="Makes the server reachable on a port of this machine, or brings the tunnel to it up again.",
    scope=Scope.SERVER,
    keys=("t",),
    refuse=_no_tunnel_needed,
    run=_to_server,
)

SHOW = Action(
    id="host.tunnels",
    title="Show tunnels",
    help="Lists the tunnels to this host.",
    scope=Scope.HOST,
    changes=False,
    run=_show,
)

_ANY = _when(lambda _status: True, "")
_AT_REST = _when(lambda s: s.state in {TunnelState.DOWN, TunnelState.FAILED}, "is up already, or on its way")
_NOT_DOWN = _when(lambda s: s.state is not TunnelState.DOWN, "is down already")
_NOT_WELL = _when(lambda s: s.state not in {TunnelState.UP, TunnelState.DOWN}, "needs no new try")
_TO_COPY = _when(lambda s: bool(address(s)), "has no address just now")

ACTIONS = (
    ADD,
    TO_SERVER,
    SHOW,
    _action(("open", "o", "Open in the browser", "Opens what is behind the tunnel."), _open, _no_page),
    _action(("up", "u", "Bring tunnel up", "Listens again, and carries."), _up, _AT_REST),
    _action(("down", "S", "Take tunnel down", "Ends it; its description stays."), _down, _NOT_DOWN),
    _action(("retry", "r", "Retry tunnel now", "Does not wait for the next try."), _retry, _NOT_WELL),
    _action(("copy", "y", "Copy address of tunnel", "Copies where it listens."), _copy, _TO_COPY),
    _action(("rm", "D", "Remove tunnel", "Takes it down and forgets it, also in hosts.toml."), _remove, _ANY),
    *tunnel_login.ACTIONS,
)
