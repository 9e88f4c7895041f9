"""Start the keeper so that it outlives whoever needed it first."""

from __future__ import annotations

import asyncio
import os
import site
import sys
from contextlib import suppress
from pathlib import Path

import jupytui
from jupytui.errors import JupytuiError
from jupytui.text import clean_line

PATIENCE = 20.0  # seconds
MODULE = "jupytui.tunnels.keeper"

# Of no use to the keeper, or not for the eyes of what it starts (ssh, ProxyCommand).
_DROPPED = ("NGROK_AUTHTOKEN", "JUPYTER_TOKEN", "TMUX", "TMUX_PANE", "STY", "COLUMNS", "LINES")


def command(hosts: Path, *options: str) -> tuple[str, ...]:
    """Return what runs a keeper for the hosts.toml at `hosts`. -P: never a module of the current directory."""
    return (sys.executable, "-P", "-m", MODULE, *options, str(hosts))


def environment() -> dict[str, str]:
    """Return the variables for it."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    root = str(Path(jupytui.__file__).parent.parent)
    if root not in {*site.getsitepackages(), site.getusersitepackages()}:  # run from a source tree
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [root, kept.get("PYTHONPATH")]))
    return kept


async def start(hosts: Path) -> None:
    """Start a keeper, if none serves, and wait until one does. Raises JupytuiError with its reason, DeadlineError."""
    process = await asyncio.create_subprocess_exec(
        *command(hosts, "--detach"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd="/",
        env=environment(),
        start_new_session=True,  # no SIGHUP from our terminal, no ctrl+c
    )
    try:
        async with asyncio.timeout(PATIENCE):
            said, _ = await process.communicate()
    except TimeoutError:
        raise JupytuiError("The tunnels' keeper does not start.") from None
    finally:
        await _reap(process)
    if (word := clean_line(said)) != "serves":
        raise JupytuiError(f"The tunnels' keeper does not start: {word or 'it says nothing.'}")


async def _reap(process: asyncio.subprocess.Process) -> None:
    """The process we know ends as soon as the keeper has left it; one that has not come so far is of no use."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
