"""A systemd user unit, so that tunnels with `up = true` in hosts.toml are up after a login."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from jupytui.hosts.base import Host, Prompter
from jupytui.systemd import control, edit
from jupytui.systemd.unit_file import UnitFile, render
from jupytui.text import clean_line
from jupytui.tunnels.keeper import spawn

NAME = "jupytui-tunnels.service"

_DIRECTORY = 'printf %s "${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user"'


def unit_text(command: Sequence[str]) -> str:
    """Return the unit that runs `command`, which is `spawn.command(hosts, "--login")`.

    It finds the programs that we find: with systemd's own PATH, no ngrok and no ProxyCommand in ~/.local/bin is found.
    """
    here = spawn.environment()
    # Without what stands for the directory that a program is in: the unit's would be another.
    here["PATH"] = os.pathsep.join(filter(os.path.isabs, here.get("PATH", "").split(os.pathsep)))
    kept = {name: here[name] for name in ("PATH", "PYTHONPATH") if here.get(name)}
    return render(UnitFile("Tunnels of jupytui", tuple(command), kept))


async def install(host: Host, prompter: Prompter, command: Sequence[str]) -> str:
    """Write the unit on `host` (this machine), enable and start it; returns its path. A keeper that runs stays.

    Raises JupytuiError: no systemd, it finds fault, or it refuses.
    """
    path = await _path(host)
    await edit.install(host, prompter, "user", path, before=await _before(host, path), after=unit_text(command))
    await control.enable(host, prompter, "user", NAME)
    await control.start(host, prompter, "user", NAME)
    return path


async def uninstall(host: Host, prompter: Prompter) -> bool:
    """Stop and disable the unit and remove its file; False when there is none. Raises JupytuiError.

    Its keeper leaves with it; tunnels that were up come up with the next jupytui.
    """
    path = await _path(host)
    if await _before(host, path) is None:
        return False
    await control.remove(host, prompter, "user", NAME, path)
    return True


def login_command(hosts: Path) -> tuple[str, ...]:
    """Return what the unit is to run for the hosts.toml at `hosts`."""
    return spawn.command(hosts, "--login")


async def _path(host: Host) -> str:
    return posixpath.join(clean_line((await host.run(_DIRECTORY)).stdout), NAME)


async def _before(host: Host, path: str) -> str | None:
    with suppress(FileNotFoundError):
        return await edit.read(host, path)
    return None
