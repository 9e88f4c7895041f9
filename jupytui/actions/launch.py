"""Start a new server on a host."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from jupytui.actions import environments
from jupytui.actions.base import Action, Answers, Confirmation, Context, Field, Form, Refused, Subjects
from jupytui.errors import JupytuiError, WrongAnswer
from jupytui.fleet.subject import Scope
from jupytui.jupyter.models import App

if TYPE_CHECKING:
    from jupytui.hosts.base import Host
    from jupytui.jupyter.environments.models import Environment, Environments, Plan
    from jupytui.jupyter.launch.ground import Ground
    from jupytui.jupyter.launch.spec import Spec
    from jupytui.jupyter.launch.start import Launched

APPS = (App.LAB.value, App.NOTEBOOK.value, App.SERVER.value)
KEEPS = ("user-unit", "system-unit", "process")
_PACKAGE = {App.LAB: "jupyterlab", App.NOTEBOOK: "notebook", App.SERVER: "jupyter_server"}
_KERNEL = "ipykernel"  # without it a server has nothing to run


def fitting(found: Environments, app: App) -> list[Environment]:
    """Return the environments that can run `app`, best first: the user's own before the system's."""
    return sorted((e for e in found.environments if _runs(e, app)), key=lambda e: e.managed)


def _runs(environment: Environment, app: App) -> bool:
    return environment.has_jupyter and bool(getattr(environment, _PACKAGE[app]))


def pick(found: Environments, place: str, app: App) -> str | None:
    """Return the Python to run `app` from: that of `place` ("": the best); None where it must be installed first.

    Raises Refused for a name that fits no environment, or more than one.
    """
    if not place:
        return next((e.python for e in fitting(found, app)), None)
    there = environments.named(found, place)
    if there is None and "/" not in place:
        known = ", ".join(e.prefix for e in fitting(found, app))
        raise Refused(f"There is no environment {place}.", f"There are: {known}." if known else "Name a directory.")
    return there.python if there and _runs(there, app) else None


def plan_missing(found: Environments, place: str, app: App) -> Plan:
    """Return how to bring `app` to `place` ("": the usual one). Raises JupytuiError."""
    from jupytui.jupyter.environments.models import Wish

    place = place or environments.USUAL_PLACE.replace("~", found.home, 1)
    there = environments.named(found, place)
    lacks = tuple(name for name in (_PACKAGE[app], _KERNEL) if there is None or not getattr(there, name))
    return environments.plan_for(found, place, Wish(packages=lacks))


def check_port(text: str) -> str | None:
    """Return what is wrong with a port as it is typed; nothing is a free one."""
    text = text.strip()
    return None if not text or (text.isdecimal() and 0 < int(text) < 65536) else "A port is a number from 1 to 65535."


def check_extra(text: str) -> str | None:
    """Return what is wrong with options as they are typed."""
    try:
        words = shlex.split(text)
    except ValueError:
        return "A quote is not closed."
    return None if all(word.startswith("-") for word in words) else "Options begin with --; write --name=value."


async def _form(context: Context, subjects: Subjects) -> Form:
    from jupytui.hosts.directories import subdirectories

    host = context.fleet.host(subjects[0].host or "")
    found, _ = await environments.look(context.fleet, host.name)
    return Form(
        f"New server on {host.name}",
        (
            Field("environment", "Environment", choices=_offered(found)),
            Field("app", "Program", APPS[0], choices=APPS),
            Field(
                "root_dir",
                "Directory",
                "~",
                help="what the server shows; it cannot be left from there",
                browse=partial(subdirectories, host),
            ),
            Field(
                "port", "Port", "", help="that one or none; empty: the first free one from 8888 on", check=check_port
            ),
            Field("address", "Address", "", help="empty: this machine alone, or as configured"),
            Field("keep", "Kept alive as", KEEPS[0], choices=KEEPS, help="a user unit needs no root"),
            Field("name", "Name", "", help="of its unit and its log; empty: by its port"),
            Field("memory_max", "Memory limit", "", help="8G, 50%; empty: none"),
            Field("cpu_quota", "CPU limit", "", help="400% is four CPUs; empty: none"),
            Field(
                "harden", "Hardened", "no", choices=("no", "yes"), help="units only: loses rights, no GPU, no compiler"
            ),
            Field("extra", "Options", "", help="passed on as they are", check=check_extra),
        ),
        submit="Start",
    )


def _offered(found: Environments) -> tuple[str, ...]:
    """Return what a server can be run from: what is there, and where a new environment can be."""
    there = [environments.label(found, environment) for environment in fitting(found, App.SERVER)]
    taken = environments.named(found, environments.USUAL_PLACE.replace("~", found.home, 1))
    if taken and taken.has_jupyter:
        return tuple(there)
    return (*there, f"{environments.USUAL_PLACE} · {'' if taken else 'a new one: '}Jupyter is installed first")


def spec_from(answers: Answers, python: str) -> Spec:
    """Return the server wanted, run by `python`. Raises WrongAnswer for what makes no sense."""
    from jupytui.jupyter.launch.spec import Keep, Spec
    from jupytui.systemd.hardening import lines

    port = answers.get("port", "").strip()
    for name, wrong in (("port", check_port(port)), ("extra", check_extra(answers.get("extra", "")))):
        if wrong:
            raise WrongAnswer(wrong, field=name)
    extra = tuple(shlex.split(answers.get("extra", "")))
    keep = Keep(answers.get("keep") or Keep.USER_UNIT)
    hardened = answers.get("harden") == "yes" and keep is not Keep.PROCESS
    return Spec(
        python=python,
        app=App(answers.get("app") or App.LAB),
        root_dir=answers.get("root_dir") or "~",
        port=int(port) if port else None,
        address=answers.get("address", "").strip(),
        extra=tuple(word for word in extra if word != "--allow-root"),
        keep=keep,
        name=answers.get("name", "").strip(),
        memory_max=answers.get("memory_max", "").strip() or None,
        cpu_quota=answers.get("cpu_quota", "").strip() or None,
        hardening=lines(keep.scope) if hardened else (),
        allow_root="--allow-root" in extra,
    )


async def _run(context: Context, subjects: Subjects, answers: Answers) -> str:
    name = subjects[0].host_in(context.fleet.store).name
    host = context.fleet.host(name)
    spec = spec_from(answers, "")
    context.progress("Looking for Jupyter")
    found, place = await environments.look(context.fleet, name, environments.place_of(answers.get("environment", "")))
    if python := pick(found, place, spec.app):
        spec = msgspec.structs.replace(spec, python=python)
        return await _launch(context, name, spec) if await _agreed(context, name, spec) else ""
    plan = plan_missing(found, place, spec.app)
    warnings = await _early(host, found, spec)
    context.progress(f"{name} has no {_PACKAGE[spec.app]} in {plan.prefix}: it is installed first")
    if await environments.carry_out(context, name, plan, warnings) is None:
        return ""
    try:
        return await _launch(context, name, msgspec.structs.replace(spec, python=f"{plan.prefix}/bin/python"))
    except JupytuiError as failure:
        failure.hint = f"{failure.hint} Jupyter is installed in {plan.prefix}; trying again uses it.".lstrip()
        raise


async def _agreed(context: Context, name: str, spec: Spec) -> bool:
    """Whether the person starts it in spite of what is to be said of that. Raises Unlaunchable."""
    from jupytui.jupyter.launch import ground
    from jupytui.jupyter.launch.start import plan

    facts = await ground.look(context.fleet.host(name), spec)
    if not (warnings := _warnings(spec, facts)):
        return True
    runs = shlex.join(plan(spec, facts).command)
    return await context.front.confirm(Confirmation(f"Start {spec.title} on {name}", (), runs, notes=warnings))


async def _early(host: Host, found: Environments, spec: Spec) -> tuple[str, ...]:
    """Return the warnings, asked by another Python: minutes of installing are not spent on a port that is taken.

    Raises Unlaunchable.
    """
    from jupytui.jupyter.environments.choose import base_python
    from jupytui.jupyter.environments.models import USUAL
    from jupytui.jupyter.launch import ground

    base = base_python(found, USUAL)
    if base is None or base.python is None:
        return ()
    spec = msgspec.structs.replace(spec, python=base.python)
    return _warnings(spec, await ground.look(host, spec))


def _warnings(spec: Spec, facts: Ground) -> tuple[str, ...]:
    from jupytui.jupyter.launch import ground

    ground.refuse(spec, facts)
    return tuple(f"{problem.message} {problem.hint}".rstrip() for problem in ground.problems(spec, facts))


async def _launch(context: Context, name: str, spec: Spec) -> str:
    from jupytui.jupyter.launch.start import STEPS, launch

    host, prompter = context.fleet.host(name), context.fleet.prompter(name)
    launched = await launch(host, spec, prompter, lambda step: context.progress(STEPS.get(step, step)))
    await context.fleet.refresh([name])
    return said(spec, name, launched)


def said(spec: Spec, host: str, launched: Launched) -> str:
    """Return the sentence about a server that was started."""
    where = f"{host}:{launched.answer.port or launched.answer.sock}"
    kept = f"as {launched.plan.unit}" if launched.plan.unit_path else f"as process {launched.answer.pid}"
    lingering = " It runs on while nobody is logged in: lingering was switched on." if launched.plan.linger else ""
    log = f" Its log is {launched.plan.log}." if launched.plan.log else ""
    return f"{spec.title.partition(' on port')[0]} answers at {where}, {kept}.{lingering}{log}"


NEW = Action(
    id="server.new",
    title="New server",
    help="Starts a Jupyter server that stays alive; it is shown once it has answered, or nothing of it is left.",
    scope=Scope.HOST,
    keys=("n",),
    command=("new",),
    form=_form,
    run=_run,
)

ACTIONS = (NEW,)
