"""Launch a server as one transaction on its host: either it answers, or nothing of it is left.

A program on the host does it (`on_host.launch`) and undoes everything unless we say "commit", which we do once the
server has answered us. It outlives the connection: kill -9 of this program, a cut link (after `LEASE` seconds) and
cancelling end in the same way.
"""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from jupytui.hosts.base import Host, HostTrouble, Prompter
from jupytui.jupyter.launch import ground as grounds
from jupytui.jupyter.launch.causes import LaunchFailed, explain
from jupytui.jupyter.launch.ground import Ground
from jupytui.jupyter.launch.proof import Answer, prove
from jupytui.jupyter.launch.spec import ENVIRONMENT, Keep, Spec, command
from jupytui.jupyter.launch.talk import Talk, talk
from jupytui.systemd.sudo import become_root
from jupytui.systemd.unit_file import UnitFile, render

START_SECONDS = 60.0  # until a server has written its runtime file; a cold JupyterLab on a slow disk takes 20
LEASE = 120.0  # seconds without a word from us, after which the host undoes what was begun
UNDO_SECONDS = 60.0
UNIT_DIRECTORY = "/etc/systemd/system"
SYSTEM_LOGS = "/var/log/jupytui"

Progress = Callable[[str], None]

STEPS = {
    "look": "Looking at the machine",
    "root": "Becoming root",
    "log": "Making its log file",
    "unit": "Writing its unit",
    "linger": "Letting it run while nobody is logged in",
    "start": "Starting it",
    "enable": "Enabling it at boot",
    "wait": "Waiting until it has started",
    "answer": "Asking it",
    "undo": "Undoing it",
}


class Plan(msgspec.Struct, frozen=True):
    """What a launch does, exactly: to be shown before it is done. `unit_text` and `unit_path` "" for a process."""

    name: str
    command: tuple[str, ...]
    log: str | None
    unit_path: str = ""
    unit_text: str = ""
    pid_path: str = ""
    linger: bool = False

    @property
    def unit(self) -> str:
        """The unit's name."""
        return f"{self.name}.service"


class Launched(msgspec.Struct, frozen=True):
    """A server that answers. `log` is its file, None for the journal."""

    name: str
    plan: Plan
    answer: Answer


def plan(spec: Spec, ground: Ground) -> Plan:
    """Return what launching `spec` there means."""
    argv = command(spec, ground.root_dir, ground.script)
    name = ground.name or spec.called
    if spec.keep is Keep.PROCESS:
        base = posixpath.join(ground.servers, name)
        return Plan(name, argv, f"{base}.log", pid_path=f"{base}.pid")
    system = spec.keep is Keep.SYSTEM_UNIT
    # A log that root's systemd opens must not lie where its user could put a link to another file.
    logs = SYSTEM_LOGS if system else ground.servers
    log = posixpath.join(logs, f"{name}.log") if spec.log == "file" else None
    directory = UNIT_DIRECTORY if system else posixpath.join(ground.config, "systemd/user")
    text = render(
        UnitFile(
            description=spec.title,
            command=argv,
            environment={**ENVIRONMENT, "PATH": _path(spec)},
            log=log,
            user=ground.user if system else None,
            limits=_limits(spec),
            hardening=spec.hardening,
        )
    )
    linger = spec.keep is Keep.USER_UNIT and not ground.linger
    return Plan(name, argv, log, f"{directory}/{name}.service", text, linger=linger)


def _path(spec: Spec) -> str:
    # `!pip` in a notebook should be that of the environment; a manager's own PATH does not know it.
    return f"{posixpath.dirname(spec.python)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _limits(spec: Spec) -> tuple[tuple[str, str], ...]:
    wanted = (("MemoryMax", spec.memory_max), ("CPUQuota", spec.cpu_quota))
    return tuple((key, value) for key, value in wanted if value)


async def launch(host: Host, spec: Spec, prompter: Prompter, progress: Progress = lambda _step: None) -> Launched:
    """Start `spec` and return it once it has answered, its token works and it is the process that was started.

    `progress` is told each step, one of `STEPS`. Raises Unlaunchable (nothing was done), LaunchFailed (nothing is
    left), NotRoot, CommandError, HostTrouble.
    """
    progress("look")
    ground = await grounds.look(host, spec)
    grounds.refuse(spec, ground)
    made = plan(spec, ground)
    root = None
    if spec.keep is Keep.SYSTEM_UNIT:
        progress("root")
        root = await become_root(host, prompter, f"to install {made.unit}")
    async with talk(host, spec.python, "launch", _job(spec, ground, made), root) as talking:
        try:
            return await _follow(host, spec, made, talking, progress)
        except HostTrouble as lost:
            hint = f"What was begun there undoes itself within {LEASE / 60:.0f} minutes; then try again."
            raise HostTrouble(lost.state, lost.message, hint, detail=lost.detail) from None
        except BaseException:
            progress("undo")
            # However often we are cancelled: the host undoes it by itself, too, when the connection ends.
            await asyncio.shield(asyncio.ensure_future(_undone(talking)))
            raise


def _job(spec: Spec, ground: Ground, made: Plan) -> dict[str, Any]:
    system = spec.keep is Keep.SYSTEM_UNIT
    return {
        "scope": spec.keep.scope,
        "unit": made.unit,
        "unit_path": made.unit_path,
        "unit_text": made.unit_text,
        "linger": made.linger,
        "log": made.log,
        "owner": ground.user if system and ground.uid else "",
        "directory_mode": 0o755 if system else 0o700,
        "argv": made.command,
        "environment": ENVIRONMENT,
        "directory": ground.home,
        "home": ground.home,
        "pid_path": made.pid_path,
        "seconds": START_SECONDS,
        "lease": LEASE,
    }


async def _follow(host: Host, spec: Spec, made: Plan, talking: Talk, progress: Progress) -> Launched:
    async for event in _events(talking):
        if isinstance(step := event.get("step"), str):
            progress(step)
        elif isinstance(facts := event.get("failed"), Mapping):
            raise explain(facts, spec.title)
        elif "ready" in event:
            progress("answer")
            answer = await prove(host, event["ready"])
            if spec.port and answer.port != spec.port:
                raise LaunchFailed(f"{spec.title} came up on another port ({answer.port}).", "Its options say so.")
            await talking.say("commit")
        elif "done" in event:
            return Launched(made.name, made, answer)
        elif "undone" in event:
            raise LaunchFailed(f"{spec.title} did not start in time.", "Try again.")
    raise await talking.broken()


async def _events(talking: Talk) -> Any:
    while (event := await talking.hear()) is not None:
        yield event


async def _undone(talking: Talk) -> None:
    try:
        async with asyncio.timeout(UNDO_SECONDS):
            await talking.say("undo")
            async for event in _events(talking):
                if "undone" in event or "done" in event:
                    return
    except (OSError, HostTrouble):  # TimeoutError is an OSError: it is undone without us
        return
