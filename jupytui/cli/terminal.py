"""One question and one answer on the controlling terminal, whatever stdin and stdout are."""

from __future__ import annotations

import asyncio
import os
import select
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from jupytui.text import clean

TERMINAL = "/dev/tty"


@contextmanager
def open_terminal() -> Iterator[int | None]:
    """Hold the terminal's file descriptor, or None: there is none, or it is somebody else's (we run in background)."""
    try:
        handle = os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield handle if _in_foreground(handle) else None
    finally:
        os.close(handle)


def _in_foreground(handle: int) -> bool:
    """Whether reading gives an answer; a background process would be stopped (SIGTTIN) instead."""
    try:
        return os.tcgetpgrp(handle) == os.getpgrp()
    except OSError:
        return False


def show(handle: int, text: str) -> None:
    """Write `text`, cleaned, on the terminal."""
    os.write(handle, clean(text).encode())


def hyperlink(target: str, text: str) -> str:
    """Return `text` as what a terminal makes a link to `target` (OSC 8); one that cannot shows the text alone."""
    return f"\x1b]8;;{clean(target)}\x1b\\{clean(text)}\x1b]8;;\x1b\\"


async def ask_line(handle: int, question: str, *, echo: bool = True) -> str | None:
    """Show `question` and return the line typed, None at end of input. Cancelling takes the question back."""
    with _echo(handle, echo):
        show(handle, question)
        try:
            line = await _line(handle)
        finally:
            if not echo:
                show(handle, "\n")
    return line.decode("utf-8", "replace").rstrip("\n") if line else None


@contextmanager
def _echo(handle: int, echo: bool) -> Iterator[None]:
    """Turn echo off for as long as held; what was typed before the question is no answer to it."""
    before = termios.tcgetattr(handle)
    during = [*before[:3], before[3] if echo else before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(handle, termios.TCSAFLUSH, during)
    try:
        yield
    finally:
        termios.tcsetattr(handle, termios.TCSADRAIN, before)


async def _line(handle: int) -> bytes:
    """Read in a thread that waits for the terminal or for us: not every event loop can watch a terminal (kqueue)."""
    stop, stopper = os.pipe()
    reading = asyncio.get_running_loop().run_in_executor(None, _read, handle, stop)
    try:
        return await asyncio.shield(reading)
    finally:
        os.close(stopper)
        await reading
        os.close(stop)


def _read(handle: int, stop: int) -> bytes:
    ready, _, _ = select.select([handle, stop], [], [])
    with suppress(OSError):  # the terminal has gone
        return os.read(handle, 4096) if handle in ready else b""
    return b""
