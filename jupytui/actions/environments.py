"""Install Jupyter on a host: into a new environment, or one that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupytui.actions.base import Action, Answers, Confirmation, Context, Field, Form, Refused, Subjects
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Scope, Subject
from jupytui.jupyter.models import Health

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupytui.fleet.fleet import Fleet
    from jupytui.jupyter.environments.models import Environment, Environments, Plan, Wish
    from jupytui.jupyter.environments.outcome import Outcome

USUAL_PLACE = "~/jupyter"
INSTALLERS = ("uv", "pip", "conda", "mamba", "micromamba")
SUITABLE = "whichever suits"
A_NEW_ONE = "a new environment"
_APART = " · "
_NAMES = {"jupyterlab": "JupyterLab", "notebook": "Notebook", "jupyter_server": "Jupyter Server"}
# A directory with `~` resolved and without links, as `find` names it; anything else as it is.
_RESOLVE = """\
case $1 in "~/"*) set -- "$HOME/${1#"~/"}" ;; esac
(cd -P -- "$1" && pwd) 2>/dev/null || printf '%s\\n' "$1"
"""


async def look(fleet: Fleet, name: str, place: str = "") -> tuple[Environments, str]:
    """Return the environments of a host, those first that its servers run from, that at `place` (a directory, wherever
    it lies) among them; and `place` as it is called there.
    """
    from jupytui.jupyter.environments.find import find

    host, servers = fleet.host(name), Subject(name).host_in(fleet.store).servers
    pids = [server.pid for server in servers if server.health is not Health.STALE]
    if "/" not in place:
        return await find(host, pids=pids), place
    place = (await host.run(_RESOLVE, place)).stdout.decode("utf-8", "surrogateescape").rstrip("\n")
    return await find(host, [place], pids), place


def label(found: Environments, environment: Environment) -> str:
    """Return an environment as one picks it from a list: where it is, and what it has."""
    from jupytui.jupyter.environments.models import Kind

    place = environment.prefix if environment.kind is not Kind.SYSTEM else environment.python or environment.prefix
    home = f"{found.home}/"
    place = f"~/{place.removeprefix(home)}" if place.startswith(home) else place
    has = [f"{title} {version}" for name, title in _NAMES.items() if (version := getattr(environment, name))]
    return _APART.join((place, *(has[:2] or ["no Jupyter"]), f"Python {environment.version or '?'}"))


def place_of(text: str) -> str:
    """Return the place in a `label`; whatever else was typed stays."""
    return text.partition(_APART)[0].strip()


def named(found: Environments, place: str) -> Environment | None:
    """Return the environment meant by a directory, a Python or a name. Raises Refused when there are several."""
    place = place.rstrip("/")
    for environment in found.environments:
        if place in {environment.prefix, environment.python}:
            return environment
    fitting = [e for e in found.environments if e.prefix.rpartition("/")[2] == place]
    if len(fitting) > 1:
        raise Refused(f"{len(fitting)} environments are called {place}.", "Name one by its directory.")
    return fitting[0] if fitting else None


def plan_for(found: Environments, place: str, wish: Wish) -> Plan:
    """Return how to fulfil `wish` at `place`: in what is there, or in a new environment. Raises JupytuiError."""
    from jupytui.jupyter.environments.plan import plan_new, plan_upgrade

    there = named(found, place)
    if there and not (there.incomplete and there.incomplete.what == "new"):
        return plan_upgrade(found, there, wish)
    if "/" not in place:
        raise Refused(f"There is no environment {place}.", f"For a new one name its directory: ~/{place}.")
    return plan_new(found, place, wish)


async def carry_out(context: Context, name: str, plan: Plan, notes: tuple[str, ...] = ()) -> Outcome | None:
    """Show the commands of `plan` (and `notes`) and run them; None when the person left it.

    Raises InstallError, HostTrouble.
    """
    from jupytui.jupyter.environments.install import install

    what = f"Make {plan.prefix} on {name} with" if plan.new else f"In {plan.prefix} on {name} install or upgrade"
    title = f"{what} {', '.join(plan.packages)}"
    question = Confirmation(title, (), "\n".join(plan.commands), notes=(*plan.notes, *notes))
    if not await context.front.confirm(question):
        return None
    return await install(
        context.fleet.host(name), plan, lambda now: context.progress(now.line or now.step, now.fraction)
    )


def said(plan: Plan, name: str, outcome: Outcome) -> str:
    """Return the sentence about an installation that worked."""
    if not outcome.changes:
        return f"{plan.prefix} on {name} is up to date."
    asked = {package.replace("-", "_") for package in plan.packages}
    told = [str(change) for change in outcome.changes if change.package.replace("-", "_") in asked]
    others = len(outcome.changes) - len(told)
    more = [f"{others} {'other' if told else 'of its'} packages"] if others else []
    return " ".join([f"{plan.prefix} on {name}: {', '.join([*told, *more])}.", *outcome.warnings])


def _able(found: Environments) -> list[Environment]:
    """Return the environments that may be changed."""
    from jupytui.jupyter.environments.plan import plan_upgrade

    def may(environment: Environment) -> bool:
        try:
            return bool(plan_upgrade(found, environment))
        except JupytuiError:
            return False

    return [environment for environment in found.environments if may(environment)]


def _installers(found: Environments, environments: Iterable[Environment | None]) -> Field:
    """Return the choice of what installs; what cannot, and why, is said below it."""
    from jupytui.jupyter.environments.choose import choices
    from jupytui.jupyter.environments.models import USUAL

    offered = [choice for environment in environments for choice in choices(found, environment, USUAL)]
    usable = {choice.installer.value: None for choice in offered if not choice.why_not}
    refused = {c.installer: c.why_not for c in offered if c.installer.value not in usable}
    absent = [installer for installer in refused if not found.tool(installer)]
    others = [f"{installer}: {why}" for installer, why in refused.items() if installer not in absent]
    help = "; ".join([*others, *([f"not there: {', '.join(absent)}"] if absent else [])])
    return Field("installer", "Installed by", SUITABLE, choices=(SUITABLE, *usable), help=help)


_PACKAGES = Field("packages", "Packages", "", help="name, name==1.2 or name>=1.2,<2; empty: Jupyter itself")


async def _install_form(context: Context, subjects: Subjects) -> Form:
    name = subjects[0].host or ""
    found, _ = await look(context.fleet, name)
    able = _able(found)
    return Form(
        f"Install Jupyter on {name}",
        (
            Field("where", "Where", A_NEW_ONE, choices=(A_NEW_ONE, *(label(found, e) for e in able))),
            Field("directory", "Directory of a new one", USUAL_PLACE),
            _installers(found, (None, *able)),
            _PACKAGES,
        ),
        submit="Install",
    )


async def _upgrade_form(context: Context, subjects: Subjects) -> Form:
    name = subjects[0].host or ""
    found, _ = await look(context.fleet, name)
    able = [environment for environment in _able(found) if environment.has_jupyter]
    if not able:
        raise Refused(f"No environment on {name} has a Jupyter that may be changed.", "Install it first.")
    where = Field("where", "Environment", choices=tuple(label(found, environment) for environment in able))
    return Form(f"Upgrade Jupyter on {name}", (where, _installers(found, able), _PACKAGES), submit="Upgrade")


def wish_from(answers: Answers) -> Wish:
    """Return what is to be installed, and by what."""
    from jupytui.jupyter.environments.models import Installer, Wish

    installer = answers.get("installer", "")
    return Wish(
        packages=tuple(answers.get("packages", "").replace(", ", " ").split()),
        installer=Installer(installer) if installer in INSTALLERS else None,
    )


async def _install(context: Context, subjects: Subjects, answers: Answers) -> str:
    where = place_of(answers.get("where", ""))
    if where in {"", A_NEW_ONE}:
        where = answers.get("directory", "").strip() or USUAL_PLACE
    return await _planned(context, subjects[0].host or "", where, wish_from(answers))


async def _upgrade(context: Context, subjects: Subjects, answers: Answers) -> str:
    name, where = subjects[0].host or "", place_of(answers.get("where", ""))
    found, place = await look(context.fleet, name, where)
    if named(found, place) is None:
        known = ", ".join(environment.prefix for environment in found.environments if environment.has_jupyter)
        raise Refused(f"There is no environment {where} on {name}.", f"There are: {known}." if known else "")
    return await _planned(context, name, where, wish_from(answers))


async def _planned(context: Context, name: str, where: str, wish: Wish) -> str:
    context.progress("Looking for Pythons")
    found, place = await look(context.fleet, name, where)
    plan = plan_for(found, place, wish)
    outcome = await carry_out(context, name, plan)
    return said(plan, name, outcome) if outcome else ""


INSTALL = Action(
    id="env.install",
    title="Install Jupyter",
    help="Makes an environment, or takes one that is there; a failure or escape leaves nothing half-made.",
    scope=Scope.HOST,
    command=("env", "install"),
    form=_install_form,
    run=_install,
)

UPGRADE = Action(
    id="env.upgrade",
    title="Upgrade Jupyter",
    help="Servers that run from it keep what they have loaded until they are restarted.",
    scope=Scope.HOST,
    command=("env", "upgrade"),
    form=_upgrade_form,
    run=_upgrade,
)

ACTIONS = (INSTALL, UPGRADE)
