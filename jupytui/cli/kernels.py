"""`jupytui kernels ls|interrupt|restart|shutdown [KERNEL…] [--yes]`: the verbs are those of the action table."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from jupytui import figures
from jupytui.actions.base import Action, Context, perform
from jupytui.actions.losses import kernel_name
from jupytui.actions.table import ACTIONS
from jupytui.cli import FAILED, say
from jupytui.cli.configured import configured
from jupytui.cli.front import TerminalFront
from jupytui.cli.look import open_fleet, run_until_done, say_unreached
from jupytui.cli.table import Cell, Column, Long, render, room
from jupytui.config.model import Config
from jupytui.errors import UsageError
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Kernel, Server

VERBS = {action.command[1]: action for action in ACTIONS if action.command[:1] == ("kernels",)}

COLUMNS = (
    Column("KERNEL"),
    Column("NOTEBOOK"),
    Column("SERVER"),
    Column("SPEC", rank=7),
    Column("STATE"),
    Column("SINCE", right=True, rank=3),
    Column("PID", right=True, rank=5),
    Column("CPU", right=True, rank=2),
    Column("RAM", right=True, rank=1),
    Column("GPU", right=True, rank=4),
    Column("CLIENTS", right=True, rank=6),
)


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    verbs = {"ls": "list them", **{verb: action.help or action.title for verb, action in VERBS.items()}}
    text = "; ".join(f"{verb}: {does.rstrip('.')}" for verb, does in verbs.items())
    parser.add_argument("verb", choices=tuple(verbs), help=text)
    text = "the start of its id, or its notebook; ls: a HOST or SERVER, too"
    parser.add_argument("kernels", metavar="KERNEL", nargs="*", default=[], help=text)
    parser.add_argument("--yes", action="store_true", help="consent to what is lost")


def run(arguments: Namespace) -> int:
    """List kernels or act on them. Raises UsageError for a name that fits no kernel, or more than one."""
    if arguments.verb != "ls" and not arguments.kernels:
        raise UsageError("Name the kernels.", "`jupytui kernels ls` lists them.")
    _paths, config = configured(arguments)
    return run_until_done(_kernels(config, arguments))


async def _kernels(config: Config, arguments: Namespace) -> int:
    async with open_fleet(config, _hosts(config, arguments)) as fleet:
        views = await fleet.look_once()
        unreached = say_unreached(views)
        found = _meant(views, arguments)
        if action := VERBS.get(arguments.verb):
            context = Context(fleet, TerminalFront(yes=arguments.yes), config, arguments.read_only)
            return await _act(action, context, tuple(found)) or unreached
    if found:
        print(_table(found, datetime.now(UTC)))
    return unreached


def _hosts(config: Config, arguments: Namespace) -> Sequence[str]:
    """Return the hosts to look at, () for all: for `ls` those named, where nothing else is."""
    named = {name.partition(":")[0] for name in arguments.kernels} if arguments.verb == "ls" else set()
    return arguments.host or (tuple(named) if named <= {host.name for host in config.hosts} else ())


def _meant(views: Sequence[HostView], arguments: Namespace) -> dict[Subject, Kernel]:
    """Return the kernels named, all if none is; `ls` takes hosts and servers as well. Raises UsageError."""
    found = {subject: kernel for view in views for subject, kernel in _all(view)}
    if not arguments.kernels:
        return found
    meant: dict[Subject, Kernel] = {}
    for name in arguments.kernels:
        if arguments.verb == "ls" and any(name in (view.name, *(s.id for s in view.servers)) for view in views):
            meant |= {subject: kernel for subject, kernel in found.items() if name in {subject.host, subject.server}}
        else:
            meant |= [_named(found, name)]
    return meant


async def _act(action: Action, context: Context, subjects: Sequence[Subject]) -> int:
    done = await perform(action, context, subjects)
    say(done if done is not None else "left as it was.")
    return 0 if done is not None else FAILED


def _all(view: HostView) -> Iterator[tuple[Subject, Kernel]]:
    for server in view.servers:
        for kernel in server.kernels:
            yield Subject(view.name, server.id, kernel.id), kernel


def kernel_named(view: HostView, server: Server, name: str) -> str:
    """Return the id of the one kernel of `server` that `name` fits. Raises UsageError with the candidates."""
    found = {subject: kernel for subject, kernel in _all(view) if subject.server == server.id}
    return _named(found, name)[1].id


def _named(kernels: dict[Subject, Kernel], name: str) -> tuple[Subject, Kernel]:
    """Return the one kernel meant. Raises UsageError with the candidates."""
    fitting = [(subject, kernel) for subject, kernel in kernels.items() if _fits(subject, kernel, name)]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise UsageError(f"There is no kernel {name!r}.", "`jupytui kernels ls` lists them.")
    candidates = ", ".join(f"{kernel.id} ({kernel_name(kernel)} on {subject.server})" for subject, kernel in fitting)
    raise UsageError(f"{name!r} fits {len(fitting)} kernels: {candidates}.", "Name one by its id.")


def _fits(subject: Subject, kernel: Kernel, name: str) -> bool:
    path = kernel.path or None
    return kernel.id.startswith(name) or path == name or (path is not None and path.rsplit("/", 1)[-1] == name)


def _table(kernels: dict[Subject, Kernel], now: datetime) -> str:
    return render(COLUMNS, [_row(subject, kernel, now) for subject, kernel in kernels.items()], room())


def _row(subject: Subject, kernel: Kernel, now: datetime) -> Sequence[Cell]:
    return (
        *(kernel.id[:8], Long(kernel.path or "(no notebook)", front=True), Long(subject.server or "", front=True)),
        Long(kernel.spec or figures.UNKNOWN),
        *(
            kernel.state,
            figures.age(figures.seconds_since(kernel.last_activity, now)),
            figures.count(kernel.pid),
        ),
        *(figures.percent(kernel.cpu_percent), figures.size(kernel.rss), figures.size(kernel.gpu_memory)),
        figures.count(kernel.clients),
    )
