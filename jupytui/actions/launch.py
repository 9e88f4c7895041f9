"""Start a new server on a host."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from jupytui.actions.base import Action, Answers, Context, Field, Form, Refused, Subjects
from jupytui.fleet.subject import Scope
from jupytui.jupyter.models import App

if TYPE_CHECKING:
    from jupytui.hosts.base import Host
    from jupytui.jupyter.environments.models import Environment
    from jupytui.jupyter.launch.spec import Spec
    from jupytui.jupyter.launch.start import Launched

APPS = (App.LAB.value, App.NOTEBOOK.value, App.SERVER.value)
KEEPS = ("user-unit", "system-unit", "process")
_PACKAGE = {App.LAB: "jupyterlab", App.NOTEBOOK: "notebook", App.SERVER: "jupyter_server"}


async def environments(host: Host, app: App) -> list[Environment]:
    """Return the environments of `host` that can run `app`, best first: the user's own before the system's."""
    from jupytui.jupyter.environments.find import find

    found = (await find(host)).environments
    fitting = [e for e in found if e.has_jupyter and getattr(e, _PACKAGE[app])]
    return sorted(fitting, key=lambda e: e.managed)


def pick(found: list[Environment], wanted: str, app: App) -> str:
    """Return the Python meant by `wanted`: a directory, a Python, a name or "" for the best. Raises Refused."""
    if not wanted and found:
        return found[0].python or ""
    for environment in found:
        if wanted.rstrip("/") in {environment.prefix, environment.python}:
            return environment.python or ""
    named = [e for e in found if e.prefix.rpartition("/")[2] == wanted]
    if len(named) == 1:
        return named[0].python or ""
    if named:
        raise Refused(f"{len(named)} environments are called {wanted}.", "Name one by its directory.")
    if not wanted:
        raise Refused(f"No environment there has {_PACKAGE[app]}.", "Install it first.")
    if wanted.startswith("/"):
        return wanted if wanted.rpartition("/")[2].startswith("python") else f"{wanted.rstrip('/')}/bin/python"
    raise Refused(f"There is no environment {wanted} with {_PACKAGE[app]}.", _names(found))


def _names(found: list[Environment]) -> str:
    return "There are: " + ", ".join(e.prefix for e in found) + "." if found else "Install it first."


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
    host = context.fleet.host(subjects[0].host or "")
    found = await environments(host, App.SERVER)
    if not found:
        raise Refused(f"No Python on {host.name} has Jupyter.", "Install it first.")
    pythons = tuple(environment.python or "" for environment in found)
    return Form(
        f"New server on {host.name}",
        (
            Field("environment", "Environment", pythons[0], choices=pythons),
            Field("app", "Program", APPS[0], choices=APPS),
            Field("root_dir", "Directory", "~", help="what the server shows; it cannot be left from there"),
            Field(
                "port", "Port", "", help="that one or none; empty: the first free one from 8888 on", check=check_port
            ),
            Field("address", "Address", "", help="empty: this machine alone, or as configured"),
            Field("keep", "Kept alive as", KEEPS[0], choices=KEEPS, help="a user unit needs no root"),
            Field("name", "Name", "", help="of its unit and its log; empty: by its port"),
            Field("memory_max", "Memory limit", "", help="8G, 50%; empty: none"),
            Field("cpu_quota", "CPU limit", "", help="400% is four CPUs; empty: none"),
            Field("extra", "Options", "", help="passed on as they are", check=check_extra),
        ),
        submit="Start",
    )


async def spec_from(context: Context, host: Host, answers: Answers) -> Spec:
    """Return the server wanted. Raises Refused for answers that make no sense."""
    from jupytui.jupyter.launch.spec import Keep, Spec

    app = App(answers.get("app") or App.LAB)
    wanted, port = answers.get("environment", ""), answers.get("port", "").strip()
    for wrong in (check_port(port), check_extra(answers.get("extra", ""))):
        if wrong:
            raise Refused(wrong)
    context.progress("Looking for Jupyter")
    extra = tuple(shlex.split(answers.get("extra", "")))
    return Spec(
        python=pick(await environments(host, app), wanted, app),
        app=app,
        root_dir=answers.get("root_dir") or "~",
        port=int(port) if port else None,
        address=answers.get("address", "").strip(),
        extra=tuple(word for word in extra if word != "--allow-root"),
        keep=Keep(answers.get("keep") or Keep.USER_UNIT),
        name=answers.get("name", "").strip(),
        memory_max=answers.get("memory_max", "").strip() or None,
        cpu_quota=answers.get("cpu_quota", "").strip() or None,
        allow_root="--allow-root" in extra,
    )


async def _run(context: Context, subjects: Subjects, answers: Answers) -> str:
    from jupytui.jupyter.launch.start import STEPS, launch

    name = subjects[0].host_in(context.fleet.store).name
    host = context.fleet.host(name)
    spec = await spec_from(context, host, answers)
    prompter = context.fleet.prompter(name)
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
