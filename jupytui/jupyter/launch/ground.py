"""What a launch would meet on its host, and what is wrong with that, in words."""

from __future__ import annotations

import posixpath
import re
from enum import StrEnum

import msgspec

from jupytui.errors import CommandError, WrongAnswer
from jupytui.hosts.base import Host
from jupytui.jupyter.launch.spec import Keep, Spec
from jupytui.jupyter.launch.talk import ask
from jupytui.jupyter.models import App
from jupytui.systemd.unit_file import is_unit_name


class Ground(msgspec.Struct, frozen=True):
    """A host as a launch finds it. `manager`: a user manager answers; `root_dir` absolute, `root_dir_is` "missing",
    "file", "readonly" or "writable"; `port_holder` in words, "" when the port is free; `script` "" for none;
    `name_taken`: files that have the name already; `name` is the one to take, numbered if nobody chose it.
    """

    uid: int
    user: str
    home: str
    state: str
    config: str
    systemd: bool
    manager: bool
    linger: bool
    root_dir: str
    root_dir_is: str
    port_holder: str = ""
    script: str = ""
    name_taken: tuple[str, ...] = ()
    name: str = ""

    @property
    def servers(self) -> str:
        """The directory for logs and pid files."""
        return posixpath.join(self.state, "jupytui/servers")


class Gravity(StrEnum):
    """Whether a problem forbids the launch."""

    FATAL = "fatal"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True):
    """Something wrong with one field of the form; `hint` is what to do about it."""

    field: str
    message: str
    hint: str = ""
    gravity: Gravity = Gravity.FATAL


class Unlaunchable(WrongAnswer):
    """The server cannot be started as it is wanted; nothing was done."""


async def look(host: Host, spec: Spec) -> Ground:
    """Return what a launch of `spec` would meet. Raises CommandError when its Python does not run, HostTrouble."""
    job = {
        "root_dir": spec.root_dir,
        "port": spec.port or 0,
        "python": spec.python,
        "program": spec.program,
        "name": spec.called,
        "number_it": not spec.name and spec.port is None,
    }
    answer = await ask(host, spec.python, "ground", job)
    try:
        return msgspec.convert(answer.get("ground"), Ground)
    except msgspec.ValidationError as error:
        raise CommandError(f"{host.name} cannot be looked at.", detail=str(error)) from None


def problems(spec: Spec, ground: Ground) -> tuple[Problem, ...]:
    """Return what stands against launching `spec` there, and what the person should know."""
    return tuple(
        problem
        for check in (_keep, _root, _name, _root_dir, _port, _address, _limits, _extra)
        for problem in check(spec, ground)
    )


def refuse(spec: Spec, ground: Ground) -> None:
    """Raises Unlaunchable for the first thing that forbids the launch."""
    for problem in problems(spec, ground):
        if problem.gravity is Gravity.FATAL:
            raise Unlaunchable(problem.message, problem.hint, field=problem.field)


def _keep(spec: Spec, ground: Ground) -> list[Problem]:
    if spec.keep is Keep.PROCESS:
        return []
    if not ground.systemd:
        return [Problem("keep", "This machine runs no systemd.", "Keep it as a process.")]
    if spec.keep is Keep.USER_UNIT and not ground.manager:
        hint = "Use a system unit, or a process; logging in by SSH starts one where pam_systemd is installed."
        return [Problem("keep", f"{ground.user} has no systemd user manager there.", hint)]
    return []


def _root(spec: Spec, ground: Ground) -> list[Problem]:
    if ground.uid != 0 or spec.allow_root or "--allow-root" in spec.extra:
        return []
    hint = "Every notebook could then change the whole machine. If that is meant, allow it (--allow-root)."
    return [Problem("extra", "Jupyter refuses to run as root.", hint)]


def _name(spec: Spec, ground: Ground) -> list[Problem]:
    if not is_unit_name(spec.called):
        return [Problem("name", f"{spec.called!r} cannot name a unit.", "Letters, digits and : _ . - are allowed.")]
    scope = {Keep.USER_UNIT: "/user/", Keep.SYSTEM_UNIT: "/system/", Keep.PROCESS: ".pid"}[spec.keep]
    taken = [path for path in ground.name_taken if scope in path]
    return (
        [
            Problem(
                "name",
                f"There is {taken[0]} already.",
                "Start that (`jupytui start`), remove it, or take another name.",
            )
        ]
        if taken
        else []
    )


def _root_dir(spec: Spec, ground: Ground) -> list[Problem]:
    path = ground.root_dir
    if "\n" in path or "\0" in path:
        return [Problem("root_dir", "The directory's name has a line break.")]
    if ground.root_dir_is == "missing":
        return [Problem("root_dir", f"There is no directory {path}.", "Jupyter would not start; make it first.")]
    if ground.root_dir_is == "file":
        return [Problem("root_dir", f"{path} is not a directory.")]
    found = []
    if ground.root_dir_is == "readonly":
        message = f"{ground.user} may not write in {path}: notebooks can be read and not saved."
        found.append(Problem("root_dir", message, gravity=Gravity.WARNING))
    if re.search(r"/\.[^/.]", path + "/"):
        message = f"{path} is hidden: Jupyter serves it, and hides files that begin with a dot."
        hint = "--ContentsManager.allow_hidden=True shows them."
        found.append(Problem("root_dir", message, hint, Gravity.WARNING))
    return found


def _port(spec: Spec, ground: Ground) -> list[Problem]:
    port = spec.port
    if port is None:
        return []
    if not 0 < port < 65536:
        return [Problem("port", f"{port} is not a port.", "Ports are 1 to 65535.")]
    if port < 1024 and ground.uid != 0:
        return [Problem("port", f"Port {port} is for root alone: only 1024 and above can be used.")]
    if ground.port_holder:
        hint = "Stop that, or take another port."
        return [Problem("port", f"Port {port} is taken by {ground.port_holder}.", hint)]
    return []


_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|::1|")


def _address(spec: Spec, ground: Ground) -> list[Problem]:
    if re.search(r"[\s/]", spec.address):
        return [Problem("address", f"{spec.address!r} is not an address.")]
    if _LOOPBACK.fullmatch(spec.address):
        return []
    message = f"With {spec.address} the login page is there for everybody who can reach the machine, without TLS."
    return [Problem("address", message, "A tunnel needs no more than localhost.", Gravity.WARNING)]


_SIZE = re.compile(r"[0-9]+(\.[0-9]+)?[KMGT]?|[0-9]{1,3}%|infinity")


def _limits(spec: Spec, ground: Ground) -> list[Problem]:
    found = []
    if spec.memory_max and not _SIZE.fullmatch(spec.memory_max):
        found.append(Problem("memory_max", f"{spec.memory_max!r} is not a size.", "Such as 8G, 500M or 50%."))
    if spec.cpu_quota and not re.fullmatch(r"[0-9]{1,6}%", spec.cpu_quota):
        found.append(Problem("cpu_quota", f"{spec.cpu_quota!r} is not a share.", "100% is one CPU, 400% four."))
    if spec.keep is Keep.PROCESS and (spec.memory_max or spec.cpu_quota):
        found.append(Problem("keep", "Limits need systemd.", "Keep it as a unit."))
    return found


_SECRET = re.compile(r"--([A-Za-z]+\.)?(token|password|hashed_password|cookie_secret)(=|$)")


def _extra(spec: Spec, ground: Ground) -> list[Problem]:
    if any(_SECRET.match(word) for word in spec.extra):
        hint = "Leave it out: Jupyter makes a token of its own, or uses the password of its configuration."
        return [Problem("extra", "A secret in the command line is seen by every user of the machine.", hint)]
    if spec.app not in {App.LAB, App.NOTEBOOK, App.SERVER}:
        return [Problem("app", f"{spec.app} cannot be started from here.")]
    return [Problem("extra", "An option has a line break.")] if any("\n" in word for word in spec.extra) else []
