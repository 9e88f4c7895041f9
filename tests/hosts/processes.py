"""What runs on this machine, and waiting for it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def processes(mark: str) -> list[str]:
    """Return the command lines of living processes that contain `mark`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if mark in line:
                found.append(line)
    return found


async def until(reached: Callable[[], bool]) -> None:
    """Wait for something that announces itself to nobody (the test's own timeout bounds it)."""
    while not reached():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def running(command: str, count: int) -> None:
    """Wait until `count` processes run `command` itself, or for 0 until nothing so much as mentions it."""
    await until(lambda: [line.strip() for line in processes(command)].count(command) == count)
    if not count:
        await until(lambda: not processes(command))


def a_nap() -> str:
    """Return a sleep command that no other test uses, longer than any test."""
    return f"sleep {secrets.randbelow(10**6) + 10**6}"
