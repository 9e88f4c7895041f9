"""What can be done to the systemd units that run Jupyter.

The unit (`user:NAME` or `system:NAME`) is the subject's, else the answer "unit".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jupytui.actions import losses
from jupytui.actions.base import Action, Answers, Confirmation, Context, Field, Form, Loss, Refused, Subjects
from jupytui.actions.lifecycle import back
from jupytui.fleet.subject import Gone, Scope, Subject
from jupytui.hosts.base import Host, Prompter

if TYPE_CHECKING:
    from jupytui.systemd.units import Service, Services

Do = Callable[[Host, Prompter, "Service"], Awaitable[str]]
Fits = Callable[["Service"], bool]
Run = Callable[[Context, Subjects, Answers], Awaitable[str]]
Words = tuple[str, str, str, str]  # verb, key, title, help


async def services_of(context: Context, name: str) -> Services:
    """Return the services of a host that run Jupyter. Raises Gone, CommandError, HostTrouble."""
    from jupytui.jupyter.launch.services import jupyter_services

    view = context.fleet.store.host(name)
    found = await jupyter_services(context.fleet.host(name), view.servers if view else ())
    if not found.systemd:
        context.without_systemd.add(name)
    return found


def refuse(context: Context, subject: Subject) -> str | None:
    """Return why nothing can be done to services of a host, None where that is not known."""
    name = subject.host or ""
    if name in context.without_systemd or (name == "local" and not _runs_here()):
        return f"{name} runs no systemd: its servers are kept as processes."
    return None


@cache
def _runs_here() -> bool:
    return Path("/run/systemd/system").is_dir()  # sd_booted(3)


def pick_unit(title: str, fits: Fits) -> Callable[[Context, Subjects], Awaitable[Form | None]]:
    """Return the form that asks for a unit where none is selected."""

    async def form(context: Context, subjects: Subjects) -> Form | None:
        if subjects[0].unit:
            return None
        name = subjects[0].host or ""
        found = await services_of(context, name)
        if not found.systemd:
            raise Refused(f"{name} runs no systemd.", "Its servers are kept as processes.")
        units = tuple(service.id for service in found.services if fits(service))
        if not units:
            raise Refused(f"There is no such service on {name}.")
        field = Field("unit", "Service", units[0], choices=units)
        return Form(f"{title} on {name}", (field,), submit=title.split(" ", maxsplit=1)[0])

    return form


async def service_meant(context: Context, subject: Subject, answers: Answers) -> Service:
    """Return the service as it is now. Raises Gone, CommandError, HostTrouble."""
    name = subject.host_in(context.fleet.store).name
    wanted = answers.get("unit") or subject.unit or ""
    service = (await services_of(context, name)).get(wanted)
    if service is None:
        raise Gone(f"{wanted.partition(':')[2] or 'The service'} on {name} has gone.", "r looks again.")
    return service


def _run(
    title: str, do: Do, fits: Fits, unfit: str, *, ends: bool = False
) -> Callable[[Context, Subjects, Answers], Awaitable[str]]:
    async def run(context: Context, subjects: Subjects, answers: Answers) -> str:
        name = subjects[0].host_in(context.fleet.store).name
        service = await service_meant(context, subjects[0], answers)
        if not fits(service):
            raise Refused(f"{service.name} {unfit}.")
        if ends and not await _agreed(context, name, title, service):
            return ""
        said = await do(context.fleet.host(name), context.fleet.prompter(name), service)
        await context.fleet.refresh([name])
        return said

    return run


async def _agreed(context: Context, host: str, title: str, service: Service) -> bool:
    """Whether the person agrees to what ends with the service; its unit is known only now, so it is asked only now."""
    from jupytui.jupyter.launch.services import server_of
    from jupytui.systemd.control import command_line

    view = context.fleet.store.host(host)
    server = server_of(service, view.servers if view else ())
    lost = list(losses.of_server(server)) if server and service.running else []
    runs = command_line(service.scope, title.split(" ", maxsplit=1)[0].lower(), service.name)
    if title.startswith("Remove"):
        lost.append(Loss(service.fragment or service.name, "the unit's file is removed"))
        runs = f"{command_line(service.scope, 'disable', '--now', service.name)}; rm {service.fragment}"
    if not lost:
        return True
    typed = host if any(loss.grave for loss in lost) else None
    return await context.front.confirm(Confirmation(f"{title} on {host}", tuple(lost), runs, typed))


async def _start(host: Host, prompter: Prompter, service: Service) -> str:
    from jupytui.jupyter.launch.lifecycle import start_unit
    from jupytui.jupyter.models import Unit

    proof = await start_unit(host, Unit(service.name, service.scope), prompter)
    return f"{host.name}:{proof.answer.port or proof.answer.sock} answers, by {service.name}."


async def _stop(host: Host, prompter: Prompter, service: Service) -> str:
    from jupytui.systemd import control

    await control.stop(host, prompter, service.scope, service.name)
    return f"{service.name} is stopped."


async def _restart(host: Host, prompter: Prompter, service: Service) -> str:
    from jupytui.jupyter.launch.lifecycle import restart
    from jupytui.jupyter.launch.shutdown import Target

    if service.main_pid is None:
        return await _start(host, prompter, service)
    proof = await restart(host, Target(service.name, service.main_pid), prompter)
    return back(host.name, f"{host.name}:{proof.answer.port or proof.answer.sock}", proof)


async def _enable(host: Host, prompter: Prompter, service: Service) -> str:
    from jupytui.systemd import control

    await control.enable(host, prompter, service.scope, service.name)
    if service.scope == "user" and not service.linger:
        return f"{service.name} starts when you log in; with lingering it starts at boot."
    return f"{service.name} starts at boot."


async def _disable(host: Host, prompter: Prompter, service: Service) -> str:
    from jupytui.systemd import control

    await control.disable(host, prompter, service.scope, service.name)
    return f"{service.name} starts no more by itself."


async def _remove(host: Host, prompter: Prompter, service: Service) -> str:
    from jupytui.systemd import control

    if not service.fragment:
        raise Refused(f"{service.name} has no file that could be removed.")
    await control.remove(host, prompter, service.scope, service.name, service.fragment)
    return f"{service.name} is removed."


async def _reload(context: Context, subjects: Subjects, _answers: Answers) -> str:
    from jupytui.systemd import control

    name = subjects[0].host or ""
    host, prompter = context.fleet.host(name), context.fleet.prompter(name)
    changed = {service.scope for service in (await services_of(context, name)).services if service.needs_reload}
    # Asked for on a unit, its manager reads again in any case; the system's may want a password.
    for scope in sorted(changed | {(subjects[0].unit or "user:").partition(":")[0]}):
        await control.daemon_reload(host, prompter, scope)
    return f"systemd on {name} has read its unit files again."


def _not_running(service: Service) -> bool:
    return not service.running


def _running(service: Service) -> bool:
    return service.running or service.active in {"activating", "reloading"}


async def _show(context: Context, subjects: Subjects, _answers: Answers) -> str:
    await context.front.show("4", subjects[0])
    return ""


async def _show_log(context: Context, subjects: Subjects, _answers: Answers) -> str:
    await context.front.show("3", subjects[0])
    return ""


def service_action(words: Words, fits: Fits, run: Run, *, asks: bool = False) -> Action:
    """Return an action on the service that is selected, or picked from those that it `fits`."""
    verb, key, title, help_ = words
    return Action(
        id=f"service.{verb}",
        title=title,
        help=help_,
        scope=Scope.HOST,
        keys=(key,),
        refuse=refuse,
        asks=asks,
        form=pick_unit(title, fits),
        run=run,
    )


def _action(words: Words, do: Do, fits: Fits = bool, unfit: str = "", *, ends: bool = False) -> Action:
    return service_action(words, fits, _run(words[2], do, fits, unfit, ends=ends))


START = Action(
    id="server.start",
    title="Start service",
    help="Starts a unit that runs Jupyter, and shows it once it has answered.",
    scope=Scope.HOST,
    keys=("u",),
    command=("start",),
    refuse=refuse,
    form=pick_unit("Start a stopped server", _not_running),
    run=_run("Start a stopped server", _start, _not_running, "is running already"),
)

SHOW = Action(
    id="host.services",
    title="Show services",
    scope=Scope.HOST,
    changes=False,
    help="Lists the units of this host that run Jupyter.",
    run=_show,
)

LOGS = Action(
    id="service.logs",
    title="Log of the service",
    scope=Scope.HOST,
    keys=("l",),
    changes=False,
    help="Shows what the unit has written, also after it was stopped.",
    refuse=lambda _context, subject: None if subject.unit else "Select a server or a service first.",
    run=_show_log,
)

STOP = ("stop", "S", "Stop service", "Stops the unit; its server ends.")
RESTART = ("restart", "R", "Restart service", "Stops it and starts it again.")
ENABLE = ("enable", "b", "Enable service", "Lets it start at boot.")
DISABLE = ("disable", "B", "Disable service", "Lets it start no more by itself.")
REMOVE = ("remove", "x", "Remove service", "Stops it and removes its unit file.")

ACTIONS = (
    SHOW,
    LOGS,
    START,
    _action(STOP, _stop, _running, "is not running", ends=True),
    _action(RESTART, _restart, ends=True),
    _action(ENABLE, _enable, lambda s: s.enabled == "disabled", "starts by itself, or has no [Install] section"),
    _action(DISABLE, _disable, lambda s: s.enabled == "enabled", "does not start by itself"),
    _action(REMOVE, _remove, lambda s: s.removable, "is a package's, or has no file: disable it instead", ends=True),
    Action(
        id="service.reload",
        title="Reload systemd",
        scope=Scope.HOST,
        keys=("f5",),
        refuse=refuse,
        run=_reload,
        help="Reads changed unit files.",
    ),
)
