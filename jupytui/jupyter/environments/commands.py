"""The command lines of each installer, as sh would be given them by hand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from jupytui.jupyter.environments.choose import CONDAS, OLDEST, base_python
from jupytui.jupyter.environments.models import Environment, Environments, Installer, Step, Wish

_PROOFS = {"jupyterlab": "jupyter-lab", "notebook": "jupyter-notebook", "jupyter_server": "jupyter-server"}


def creation(
    found: Environments, installer: Installer, prefix: str, packages: Sequence[str], wish: Wish
) -> tuple[Step, ...]:
    """Return the steps that make an environment in `prefix` and install into it."""
    tool = found.tool(installer) or installer
    base = python.python if (python := base_python(found, wish)) else None
    if installer in CONDAS:
        return _conda_creation(tool, prefix, packages)
    if installer is Installer.PIP:
        make = [base or "python3", "-m", "venv", prefix]
        return _make(make), _pip(f"{prefix}/bin/python", _index(wish), packages)
    # `%pip install` in a notebook needs a pip, which uv leaves out.
    extra = () if wish.wheels else ("pip",)
    make = [tool, "venv", "--allow-existing", *(["--python", base] if base else []), prefix]
    return _make(make), _uv(tool, prefix, _index(wish), (*packages, *extra))


def change(
    found: Environments, installer: Installer, environment: Environment, packages: Sequence[str], wish: Wish
) -> tuple[Step, ...]:
    """Return the steps that install `packages` into an environment, or upgrade them there."""
    tool = found.tool(installer) or installer
    if installer in CONDAS:
        return _conda_change(tool, environment, packages)
    if installer is Installer.PIP:
        return (_pip(f"{environment.prefix}/bin/python", ["--upgrade", *_index(wish)], packages),)
    # Its --upgrade would upgrade whatever it resolves.
    upgrades = [f"--upgrade-package={name_of(package)}" for package in packages]
    return (_uv(tool, environment.prefix, [*upgrades, *_index(wish)], packages),)


def proof(prefix: str, packages: Sequence[str]) -> tuple[Step, ...]:
    """Return the step that starts the app which was asked for, none when it was no app."""
    names = {name_of(package).replace("-", "_") for package in packages}
    program = next((program for name, program in _PROOFS.items() if name in names), None)
    if program is None:
        return ()
    return (Step("See that it starts", shlex.join([f"{prefix}/bin/{program}", "--version"]), 0.1, proof=True),)


def name_of(requirement: str) -> str:
    """Return `jupyterlab` for `jupyterlab[x]>=4`."""
    return re.split(r"[\[=<>!~]", requirement, maxsplit=1)[0]


def present(environment: Environment) -> tuple[str, ...]:
    """Return the packages of Jupyter that an environment has."""
    names = ("jupyterlab", "notebook", "jupyter_server", "ipykernel")
    return tuple(name for name in names if getattr(environment, name))


def _make(command: Sequence[str]) -> Step:
    return Step("Make the environment", shlex.join(command), 0.1)


def _index(wish: Wish) -> list[str]:
    return ["--no-index", "--find-links", wish.wheels] if wish.wheels else []


def _pip(python: str, options: Sequence[str], packages: Sequence[str]) -> Step:
    return _install([python, "-m", "pip", "install", *options, *packages])


def _uv(tool: str, prefix: str, options: Sequence[str], packages: Sequence[str]) -> Step:
    return _install(
        [tool, "pip", "install", "--python", f"{prefix}/bin/python", "--compile-bytecode", *options, *packages]
    )


def _install(command: Sequence[str], title: str = "Install the packages", share: float = 0.8) -> Step:
    return Step(title, shlex.join(command), share)


def _conda_creation(tool: str, prefix: str, packages: Sequence[str]) -> tuple[Step, ...]:
    """An empty conda-meta/history makes a directory an environment; `create` would first remove what is there."""
    meta = shlex.quote(f"{prefix}/conda-meta")
    channel = ["--override-channels", "--channel", "conda-forge"]
    python = ">=".join(["python", ".".join(map(str, OLDEST))])
    return (
        Step("Make the environment", f"mkdir {meta} && : >{meta}/history", 0.1),
        _install([tool, "install", "--yes", "--prefix", prefix, *channel, python, *packages]),
    )


def _conda_change(tool: str, environment: Environment, packages: Sequence[str]) -> tuple[Step, ...]:
    """`install` leaves alone what is there, `update` refuses what is not."""
    there = present(environment)
    bare = [package for package in packages if package in there]
    other = [package for package in packages if package not in there]
    verbs = [("update", "Upgrade the packages", bare), ("install", "Install the packages", other)]
    return tuple(
        _install([tool, verb, "--yes", "--prefix", environment.prefix, *names], title)
        for verb, title, names in verbs
        if names
    )
