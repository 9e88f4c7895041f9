"""What a launch with this home has left behind on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

JUPYTERS_OWN = (".local/share/jupyter", ".jupyter", ".ipython", ".cache", ".npm", "run")


def living(home: Path) -> dict[int, str]:
    """Return the processes, but this one, whose HOME this is: command lines by pid."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment = (entry / "environ").read_bytes().split(b"\0")
            if int(entry.name) != os.getpid() and f"HOME={home}".encode() in environment:
                found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
    return found


async def at_rest(home: Path) -> None:
    """Wait until nothing runs there any more."""
    async with asyncio.timeout(30):
        while living(home):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def left_alone(home: Path) -> int | None:
    """Wait until nothing runs there but, if it was to stay, a server that nobody is there to end; return its pid."""
    async with asyncio.timeout(30):
        while running := living(home):
            (pid, command), *others = running.items()
            if not others and "ServerApp.port" in command:
                return pid
            await asyncio.sleep(0.05)
    return None


def files(home: Path) -> list[str]:
    """Return the files that are not Jupyter's own."""
    return [
        str(path.relative_to(home))
        for path in sorted(home.rglob("*"))
        if path.is_file() and not str(path.relative_to(home)).startswith(JUPYTERS_OWN)
    ]


def runtime_files(home: Path) -> list[str]:
    return [path.name for path in (home / ".local/share/jupyter/runtime").glob("jpserver-*")]


async def end_all(home: Path) -> None:
    """End what a test has launched."""
    for pid in living(home):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    await at_rest(home)
