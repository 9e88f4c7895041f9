"""Which installer and which Python to take, and in words why none can be."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from jupytui.errors import JupytuiError
from jupytui.jupyter.environments.models import Choice, Environment, Environments, Installer, Kind, Wish

CONDAS = (Installer.MAMBA, Installer.MICROMAMBA, Installer.CONDA)
OLDEST = (3, 10)  # Requires-Python of JupyterLab 4.6
_UV = "Or install uv, which brings its own Python."


def choices(found: Environments, environment: Environment | None, wish: Wish) -> tuple[Choice, ...]:
    """Return every installer, the one that would be taken first, each with the reason where it cannot be used.

    `environment` None: for a new one.
    """
    every = [Choice(i, _why_not(found, environment, i, wish)) for i in _preference(found, environment)]
    return tuple(sorted(every, key=lambda choice: bool(choice.why_not)))


def choose(found: Environments, environment: Environment | None, wish: Wish) -> Installer:
    """Return the wished installer, or the one that suits. Raises JupytuiError with what to do instead."""
    offered = choices(found, environment, wish)
    best = next((choice for choice in offered if choice.installer is wish.installer), offered[0])
    if not best.why_not:
        return best.installer
    if wish.installer and wish.installer is not Installer.PIP:
        raise JupytuiError(f"{wish.installer} cannot be used: {best.why_not}.", "Choose another installer.")
    raise _no_venv(found, wish) if environment is None else _no_pip(environment)


def base_python(found: Environments, wish: Wish) -> Environment | None:
    """Return the Python to make a venv from: the wished one; else the system's if new enough; else the newest."""
    able = [e for e in found.environments if e.usable and e.makes_venvs]
    if wish.python:
        return next((e for e in able if wish.python in {e.python, e.prefix}), None)
    system = [e for e in able if e.kind is Kind.SYSTEM and short_version(e) >= OLDEST]
    return max(system or able, key=short_version, default=None)


def short_version(environment: Environment) -> tuple[int, ...]:
    """Return (3, 11) for 3.11.2."""
    return tuple(int(number) for number in (environment.version or "0").split(".")[:2])


def _preference(found: Environments, environment: Environment | None) -> Sequence[Installer]:
    if environment and environment.kind is Kind.CONDA:
        return (*CONDAS, Installer.PIP, Installer.UV)
    # uv does not read pip's configuration: where only pip was told of an index, uv would go to the internet.
    if found.configured == {Installer.PIP}:
        return (Installer.PIP, Installer.UV, *CONDAS)
    return (Installer.UV, Installer.PIP, *CONDAS)


def _why_not(found: Environments, environment: Environment | None, installer: Installer, wish: Wish) -> str:
    if installer is not Installer.PIP and not found.tool(installer):
        return f"{installer} is not there"
    if installer in CONDAS and wish.wheels:
        return f"{installer} takes no wheels"
    if installer in CONDAS and environment and environment.kind is not Kind.CONDA:
        return "it is not a conda environment"
    if installer is Installer.PIP and environment:
        return "" if environment.has_pip else "the environment has no pip"
    if installer is Installer.PIP and not base_python(found, wish):
        return "no Python there can make environments"
    return ""


def _no_pip(environment: Environment) -> JupytuiError:
    ensure = shlex.join([environment.python or "python3", "-m", "ensurepip"])
    return JupytuiError(f"{environment.prefix} has no pip, and the host has no uv.", f"Run there: {ensure}. {_UV}")


def _no_venv(found: Environments, wish: Wish) -> JupytuiError:
    lacking = [e for e in found.environments if e.has_venv and not e.makes_venvs and wish.python in {None, e.python}]
    if wish.python and not lacking:
        return JupytuiError(f"{wish.python} is no Python that can make environments.", "Choose another.")
    if not lacking:
        return JupytuiError("There is no Python there that can make environments.", _what_to_install(found, "3"))
    short = ".".join(map(str, short_version(max(lacking, key=short_version))))
    return JupytuiError(
        f"Python {short} there cannot make environments: its venv module is incomplete.", _what_to_install(found, short)
    )


def _what_to_install(found: Environments, short: str) -> str:
    """The exact package where venv is shipped apart (Debian and its children); elsewhere it comes with python3."""
    if {"debian", "ubuntu"} & set(found.os):
        return f"As root there: apt install python{short}-venv. {_UV}"
    if {"fedora", "rhel", "centos"} & set(found.os):
        return f"As root there: dnf install python3. {_UV}"
    return f"Install python3 with its venv module there. {_UV}"
