"""What a host has to run Jupyter with, and to install it with, as frozen values."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What made an environment, and so what may change it."""

    VENV = "venv"
    CONDA = "conda"
    PYENV = "pyenv"
    UV = "uv"  # a Python that uv downloaded
    SYSTEM = "system"
    PIPX = "pipx"
    UV_TOOL = "uv tool"
    OTHER = "other"  # a whole Python under a prefix of its own


class Installer(StrEnum):
    """What can install packages."""

    UV = "uv"
    PIP = "pip"
    MAMBA = "mamba"
    MICROMAMBA = "micromamba"
    CONDA = "conda"


class Builder(StrEnum):
    """Who is behind an incomplete environment."""

    ALIVE = "alive"  # it is being worked on now
    DEAD = "dead"  # its builder was killed with the machine: the next attempt undoes it
    ELSEWHERE = "elsewhere"  # another machine that shares this directory


class Incomplete(msgspec.Struct, frozen=True):
    """An environment that is not as it should be: `what` is "new" or "upgrade"."""

    what: str
    builder: Builder


class Kernelspec(msgspec.Struct, frozen=True):
    """A kernel that servers can start; `directory` holds its kernel.json."""

    name: str
    directory: str
    display_name: str = ""
    language: str = ""
    command: str = ""  # argv[0]


class Environment(msgspec.Struct, frozen=True):
    """One Python. `prefix` and `python` are absolute; versions are None where the package is not there.

    `managed`: EXTERNALLY-MANAGED (PEP 668), only the system's own tools may change it. `makes_venvs`: `python -m venv`
    works with it; with `has_venv` alone it lacks ensurepip, as Debian has it without its python3-venv.
    """

    prefix: str
    kind: Kind
    python: str | None = None
    version: str | None = None
    managed: bool = False
    writable: bool = False
    broken: bool = False  # its bin/python leads nowhere: the Python it was made from is gone
    has_pip: bool = False
    has_venv: bool = False
    makes_venvs: bool = False
    incomplete: Incomplete | None = None
    jupyter_server: str | None = None
    jupyterlab: str | None = None
    notebook: str | None = None
    ipykernel: str | None = None
    kernelspecs: tuple[Kernelspec, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether it can be started at all."""
        return self.python is not None and not self.broken and not self.incomplete

    @property
    def has_jupyter(self) -> bool:
        """Whether a server can be started from it."""
        return self.usable and self.jupyter_server is not None


class Tool(msgspec.Struct, frozen=True):
    """An installer and where it is."""

    installer: Installer
    path: str


class Environments(msgspec.Struct, frozen=True):
    """All of a host. `free` is bytes at the home directory; `os` is os-release's ID and ID_LIKE.

    `kernelspecs` are those that every server sees. `truncated`: there was more than time allowed to look at.
    `configured`: installers for which the host has a configuration file (an index, a directory of wheels).
    """

    home: str = ""
    system: str = ""
    os: tuple[str, ...] = ()
    free: int | None = None
    tools: tuple[Tool, ...] = ()
    configured: frozenset[Installer] = frozenset()
    environments: tuple[Environment, ...] = ()
    kernelspecs: tuple[Kernelspec, ...] = ()
    truncated: bool = False

    def tool(self, installer: Installer) -> str | None:
        """Return the path of an installer, None where the host lacks it."""
        return next((tool.path for tool in self.tools if tool.installer is installer), None)

    def at(self, prefix: str) -> Environment | None:
        """Return the environment (not a system Python) in `prefix`."""
        return next((e for e in self.environments if e.prefix == prefix and e.kind is not Kind.SYSTEM), None)


class Wish(msgspec.Struct, frozen=True):
    """What the user asks for. `wheels`: a directory (or URL) of wheels on the host, which is then the only index.

    `packages` empty means the usual ones; `installer` None whichever suits; `python` the base of a new environment.
    """

    packages: tuple[str, ...] = ()
    installer: Installer | None = None
    wheels: str | None = None
    python: str | None = None


USUAL = Wish()


class Choice(msgspec.Struct, frozen=True):
    """An installer that could do it, or `why_not`."""

    installer: Installer
    why_not: str = ""


class Step(msgspec.Struct, frozen=True):
    """One command, a line of sh, run as it is shown; `share` of the whole time it is likely to take."""

    title: str
    command: str
    share: float
    proof: bool = False


class Plan(msgspec.Struct, frozen=True):
    """What will be run, in turn, on the host. `notes` are sentences to be read before agreeing."""

    prefix: str
    new: bool
    installer: Installer
    packages: tuple[str, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    @property
    def commands(self) -> tuple[str, ...]:
        """The command lines, as they can be shown and copied."""
        return tuple(step.command for step in self.steps)
