"""Put text on the clipboard from wherever the terminal is. It goes by stdin: a process list shows arguments."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Mapping

DEADLINE = 2.0
_TMUX = ("tmux", "load-buffer", "-w", "-")


async def copy(text: str, osc52: Callable[[str], None], environ: Mapping[str, str] = os.environ) -> str:
    """Copy `text` and return in words how.

    Inside tmux by `load-buffer -w`, which works with its default settings, where OSC 52 is dropped; on a desktop by
    its own tool; else `osc52` asks the terminal, which may or may not do it and never says.
    """
    if environ.get("TMUX") and await _feed(_TMUX, text):
        return "Copied"
    tool = native_tool(environ)
    if tool and await _feed(tool, text):
        return "Copied"
    osc52(text)
    return "Copied, if your terminal allows it"


def native_tool(environ: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the clipboard command of the desktop this runs on, None where it runs on none (SSH)."""
    if environ.get("SSH_CONNECTION"):
        return None
    if sys.platform == "darwin":
        return ("pbcopy",)
    candidates: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("WAYLAND_DISPLAY", ("wl-copy",)),
        ("DISPLAY", ("xclip", "-selection", "clipboard")),
        ("DISPLAY", ("xsel", "--clipboard", "--input")),
    )
    return next((tool for variable, tool in candidates if environ.get(variable) and shutil.which(tool[0])), None)


async def _feed(command: tuple[str, ...], text: str) -> bool:
    """Run `command` with `text` on its stdin; whether it worked."""
    nothing = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=nothing, stderr=nothing
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(DEADLINE):
            await process.communicate(text.encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        return False
    return process.returncode == 0
