"""Sends a program to a host and talks with it: one JSON object a line comes back, single words go there.

The program is Python (`on_host`), because a host that runs Jupyter has one, and sh can neither wait on two things at
once nor hold an environment without showing it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from jupytui.errors import CommandError
from jupytui.hosts.base import Host, HostState, HostTrouble, Process
from jupytui.systemd.sudo import Root
from jupytui.text import clean, clean_line

MODULES = ("common", "processes", "ground", "launch", "lifecycle")
_MAX_LINE = 2**20
_PACKAGE = "jupytui.jupyter.launch.on_host"

# Takes so many bytes from its stdin, not one more: a JSON list of modules, the one to run, and its job.
_LOADER = """\
import os, sys, json, types
data, size = b"", int(sys.argv[1])
while len(data) < size:
    part = os.read(0, size - len(data))
    if not part: sys.exit(1)
    data += part
modules, main, job = json.loads(data.decode())
for name, source in modules:
    module = sys.modules[name] = types.ModuleType(name)
    if "." in name: setattr(sys.modules.get(name.rpartition(".")[0], module), name.rpartition(".")[2], module)
    module.__path__ = []
    exec(compile(source, name, "exec"), module.__dict__)
sys.modules[main[0]].detach()
sys.modules[main[1]].run(job)
"""

# The program takes a session of its own as soon as it runs, so it is not ended with the connection: its stdin is. sudo
# would stay behind in ours, and be told to end it.
_ALONE = 'exec "$@"'
_AS_ROOT = 's=setsid; command -v setsid >/dev/null || s=; exec $s "$@"'


class Talk:
    """A program under way on a host."""

    def __init__(self, host: Host, process: Process) -> None:
        self._host, self._process, self._rest = host, process, b""

    async def say(self, word: str) -> None:
        """Send one word. Raises OSError when nobody listens any more."""
        await self._process.write(word.encode() + b"\n")

    async def hear(self) -> dict[str, Any] | None:
        """Return what it says next, None at its end."""
        while b"\n" not in self._rest:
            data = await self._process.read()
            if not data or len(self._rest) > _MAX_LINE:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return self._decoded(line)

    def _decoded(self, line: bytes) -> dict[str, Any]:
        try:
            event = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            event = None
        if not isinstance(event, dict):
            raise CommandError(f"A Python of {self._host.name} says what makes no sense.", detail=clean(line))
        return event

    async def broken(self) -> Exception:
        """Return why it ended without a result: the host is gone, or its Python does not run."""
        status = await self._process.wait()
        if status is None:
            return HostTrouble(HostState.DOWN, f"The connection to {self._host.name} was lost.")
        return CommandError(
            f"A program that jupytui ran on {self._host.name} ended with status {status}.",
            "Its Python may not work.",
            detail=clean(self._process.stderr),
        )


@asynccontextmanager
async def talk(
    host: Host, python: str, main: str, job: Mapping[str, Any], root: Root | None = None
) -> AsyncIterator[Talk]:
    """Run module `main` of `on_host` with `job`, as root if `root` says how. Raises HostTrouble."""
    program = _program(main, job)
    argv = [python, "-I", "-S", "-c", _LOADER, str(len(program))]
    script = _AS_ROOT if root and root.argv else _ALONE
    async with host.stream(script, *(root.argv if root else ()), *argv) as process:
        await process.write((root.stdin if root else b"") + program)
        yield Talk(host, process)


async def ask(host: Host, python: str, main: str, job: Mapping[str, Any]) -> dict[str, Any]:
    """Run module `main` and return the last thing it says. Raises CommandError, HostTrouble."""
    async with talk(host, python, main, job) as talking:
        answer: dict[str, Any] | None = None
        while (event := await talking.hear()) is not None:
            answer = event
        if answer is None:
            raise await talking.broken()
        return answer


def _program(main: str, job: Mapping[str, Any]) -> bytes:
    entry = (f"{_PACKAGE}.common", f"{_PACKAGE}.{main}")
    return json.dumps([_modules(), entry, job]).encode("ascii")


@cache
def _modules() -> list[tuple[str, str]]:
    """Return the sources: the empty packages above them first, then each after what it imports."""
    parts = _PACKAGE.split(".")
    above = [(".".join(parts[: n + 1]), "") for n in range(len(parts))]
    here = files("jupytui.jupyter.launch.on_host")
    return above + [(f"{_PACKAGE}.{name}", here.joinpath(f"{name}.py").read_text("utf-8")) for name in MODULES]


def words(value: Any, limit: int = 1024) -> str:
    """Return a text that a host sent, as it can be shown."""
    return clean_line(value, limit) if isinstance(value, str) else ""
