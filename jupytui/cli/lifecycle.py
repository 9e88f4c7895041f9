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
            services = (await services_of(context, name)).services
            if there := already(views[0], services, arguments.server):
                say(f"{' and '.join(there)} {'run' if len(there) > 1 else 'runs'} already.")
                return 0
            service = stopped(services, name, arguments.server)
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
    idle = [service for service in services if not service.running]
    fitting = _meant(idle, host, wanted)
    return _one(fitting, wanted, [f"{host}:{service.name}" for service in fitting or idle], "is stopped")


def already(view: HostView, services: Sequence[Service], wanted: str) -> Sequence[str]:
    """Return what runs of what is to be started, () where something meant is stopped."""
    meant = _meant(services, view.name, wanted)
    if not all(service.running for service in meant):
        return ()
    servers = [s.id for s in view.servers if s.health is not Health.STALE and wanted in {view.name, s.id}]
    return servers or [f"{view.name}:{service.name}" for service in meant]


def _meant(services: Sequence[Service], host: str, wanted: str) -> Sequence[Service]:
    from jupytui.jupyter.launch.services import port_of

    what = wanted.removeprefix(host).removeprefix(":")
    names = [(s, {"", s.name, s.name.removesuffix(".service"), s.id, str(port_of(s))}) for s in services]
    return [service for service, known in names if what in known]


def _one(fitting: Sequence[T], wanted: str, candidates: Sequence[str], state: str) -> T:
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{wanted} fits {len(fitting)}: {', '.join(candidates)}.", "Name one.")
    there = f"There: {', '.join(candidates)}." if candidates else "`jupytui status` lists what runs."
    raise UsageError(f"No server {wanted} {state}.", there)
