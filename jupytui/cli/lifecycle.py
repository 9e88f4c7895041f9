"""`jupytui start|stop|restart SERVER [--yes]`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from jupytui.actions.base import Action, Context, perform
from jupytui.actions.services import services_of
from jupytui.cli import FAILED, say, tell
from jupytui.cli.configured import configured
from jupytui.cli.front import TerminalFront
from jupytui.cli.look import open_fleet, run_until_done, say_unreached
from jupytui.config.model import Config
from jupytui.errors import UsageError
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Health, Server

T = TypeVar("T")

if TYPE_CHECKING:
    from jupytui.systemd.units import Service


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument("server", metavar="SERVER", help="HOST, HOST:PORT or HOST:/socket")
    parser.add_argument("--yes", action="store_true", help="consent to what is lost")


def run_action(action: Action, arguments: Namespace) -> int:
    """Carry out `action` on the server named. Raises UsageError with the candidates when it is not one."""
    _paths, config = configured(arguments)
    return run_until_done(_act(action, config, arguments))


async def _act(action: Action, config: Config, arguments: Namespace) -> int:
    name = arguments.server.partition(":")[0]
    async with open_fleet(config, [name]) as fleet:
        views = await fleet.look_once()
        if unreached := say_unreached(views):
            return unreached
        context = Context(fleet, TerminalFront(yes=arguments.yes), config, arguments.read_only, progress=tell)
        if action.id == "server.start":
            service = stopped((await services_of(context, name)).services, name, arguments.server)
            done = await perform(action, context, [Subject(name)], {"unit": service.id})
        else:
            server = running(views[0], arguments.server)
            done = await perform(action, context, [Subject(name, server.id)])
    say(done if done is not None else "left as it was.")
    return 0 if done is not None else FAILED


def running(view: HostView, wanted: str) -> Server:
    """Return the server meant by HOST, HOST:PORT or HOST:/socket. Raises UsageError with the candidates."""
    alive = [server for server in view.servers if server.health is not Health.STALE]
    fitting = [server for server in alive if wanted in {view.name, server.id}]
    return _one(fitting, wanted, [server.id for server in fitting or alive], "runs")


def stopped(services: Sequence[Service], host: str, wanted: str) -> Service:
    """Return the stopped service meant, by HOST, HOST:PORT or HOST:UNIT. Raises UsageError with the candidates."""
    from jupytui.jupyter.launch.services import port_of

    idle = [service for service in services if not service.running]
    what = wanted.removeprefix(host).removeprefix(":")
    names = [(s, {"", s.name, s.name.removesuffix(".service"), s.id, str(port_of(s))}) for s in idle]
    fitting = [service for service, known in names if what in known]
    return _one(fitting, wanted, [f"{host}:{service.name}" for service in fitting or idle], "is stopped")


def _one(fitting: Sequence[T], wanted: str, candidates: Sequence[str], state: str) -> T:
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{wanted} fits {len(fitting)}: {', '.join(candidates)}.", "Name one.")
    there = f"There: {', '.join(candidates)}." if candidates else "`jupytui status` lists what runs."
    raise UsageError(f"No server {wanted} {state}.", there)
