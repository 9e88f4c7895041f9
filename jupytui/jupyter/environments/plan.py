"""What would be run to install or upgrade Jupyter: decided here, shown, and only then run by `install`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jupytui.errors import JupytuiError
from jupytui.figures import size
from jupytui.jupyter.environments import commands
from jupytui.jupyter.environments.choose import OLDEST, base_python, choose, short_version
from jupytui.jupyter.environments.models import USUAL, Environment, Environments, Kind, Plan, Wish

DEFAULT_PACKAGES = ("jupyterlab", "ipykernel")
ROOM = 400 * 2**20  # what a new environment with JupyterLab 4.6 takes, its installation included

# PEP 508 without markers and URLs: what needs no quoting and is no option.
_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*(?:\[[\w,-]+\])?(?:(?:[=!~]=|[<>]=?)[\w.*+!]+(?:,(?=[=<>!~]))?)*")
_OWNERS = {
    Kind.PIPX: ("pipx", "pipx upgrade --include-injected"),
    Kind.UV_TOOL: ("uv tool", "uv tool upgrade"),
}


def plan_new(found: Environments, prefix: str, wish: Wish = USUAL) -> Plan:
    """Return how to make an environment in `prefix` (absolute, or from `~/`) and install into it.

    Raises JupytuiError with what to do instead.
    """
    prefix = _directory(found, prefix)
    packages = _requirements(wish.packages or DEFAULT_PACKAGES)
    installer = choose(found, None, wish)
    steps = commands.creation(found, installer, prefix, packages, wish)
    proof = commands.proof(prefix, packages)
    return Plan(prefix, True, installer, packages, (*steps, *proof), _notes(found, base_python(found, wish)))


def plan_upgrade(found: Environments, environment: Environment, wish: Wish = USUAL) -> Plan:
    """Return how to install into an environment that is there, or upgrade in it. Raises JupytuiError."""
    _refuse(environment)
    there = commands.present(environment)
    packages = _requirements(wish.packages or there or DEFAULT_PACKAGES)
    installer = choose(found, environment, wish)
    steps = commands.change(found, installer, environment, packages, wish)
    proof = commands.proof(environment.prefix, packages)
    notes = ("Servers that run from it keep what they have loaded until they are restarted.",) if there else ()
    return Plan(environment.prefix, False, installer, packages, (*steps, *proof), notes)


def _directory(found: Environments, prefix: str) -> str:
    if prefix.startswith("~/"):
        prefix = f"{found.home}/{prefix[2:]}"
    prefix = prefix.rstrip("/")
    if not prefix.startswith("/") or {".", ".."} & set(prefix.split("/")) or not prefix.isprintable():
        raise JupytuiError(f"{prefix!r} is not the path of a directory.", "Give it from / or from ~/.")
    if prefix == found.home.rstrip("/"):
        raise JupytuiError("The home directory itself cannot be an environment.", "Name a directory in it.")
    if (there := found.at(prefix)) and not there.incomplete:
        raise JupytuiError(f"{prefix} is an environment already.", "Upgrade it, or choose another directory.")
    return prefix


def _requirements(packages: Sequence[str]) -> tuple[str, ...]:
    for package in packages:
        if not _REQUIREMENT.fullmatch(package):
            raise JupytuiError(f"{package!r} is not a package.", "Write name, name==1.2 or name>=1.2,<2.")
    return tuple(packages)


def _refuse(environment: Environment) -> None:
    """Raise JupytuiError when nothing may be installed into it, with what to do instead."""
    where = environment.prefix
    if environment.kind in _OWNERS:
        owner, command = _OWNERS[environment.kind]
        raise JupytuiError(f"{where} belongs to {owner}.", f"Run there: {command} {where.rpartition('/')[2]}")
    if environment.managed or environment.kind is Kind.SYSTEM:
        raise JupytuiError(
            f"{environment.python} belongs to the system, and only the system's own tools may change it.",
            "Make a new environment from it instead.",
        )
    if environment.incomplete and environment.incomplete.what == "new":
        raise JupytuiError(f"{where} was never finished.", "Make it anew in the same place, or clear it.")
    if not environment.incomplete and (environment.broken or environment.python is None):
        raise JupytuiError(f"{where} is broken: its Python is gone.", "Remove it and make a new one.")
    if not environment.writable:
        raise JupytuiError(f"{where} belongs to somebody else: this user may not change it.", "Make one of your own.")


def _notes(found: Environments, base: Environment | None) -> tuple[str, ...]:
    notes = []
    if base and short_version(base) < OLDEST:
        notes.append(f"Python {base.version} is old: an old JupyterLab will be installed.")
    if found.free is not None and found.free < ROOM:
        notes.append(f"Only {size(found.free)} are free in the home directory; JupyterLab takes about {size(ROOM)}.")
    return tuple(notes)
