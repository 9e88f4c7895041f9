"""Change a unit file: see the difference, have it checked, put it in place atomically, and back if systemd says no."""

from __future__ import annotations

import difflib
import posixpath

from jupytui.errors import CommandError
from jupytui.hosts import files
from jupytui.hosts.base import Host, Prompter
from jupytui.systemd.control import daemon_reload
from jupytui.systemd.sudo import Root, become_root, run_as_root
from jupytui.systemd.verify import Verdict, verify
from jupytui.text import clean

MODE = 0o644


class Rejected(CommandError):
    """systemd finds fault with the text; nothing was written. `detail` has its words."""


class Changed(CommandError):
    """The file is not what it was when it was read; nothing was written."""


def difference(before: str, after: str, path: str) -> str:
    """Return the unified diff, "" when nothing changes."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), path, f"{path} (new)", lineterm="")
    return clean("\n".join(lines), 2**20)


async def read(host: Host, path: str) -> str:
    """Return a unit file's text. Raises FileNotFoundError, PermissionError, HostTrouble."""
    return (await host.read(path, 2**20)).decode("utf-8", "surrogateescape")


async def install(
    host: Host, prompter: Prompter, scope: str, path: str, *, before: str | None, after: str, force: bool = False
) -> Verdict:
    """Replace the unit file at `path` by `after` if it still is `before` (None: not there), and reload systemd.

    Raises Rejected (unless `force`), Changed, NotRoot, CommandError, HostTrouble; the file is then as it was.
    """
    name = posixpath.basename(path)
    verdict = await verify(host, scope, name, after)
    if verdict.complaints and not force:
        raise Rejected(
            f"systemd finds fault with {name}: {verdict.complaints[0]}", detail="\n".join(verdict.complaints)
        )
    if await _current(host, path) != before:
        raise Changed(f"{path} on {host.name} has changed meanwhile.", "Look at it again.")
    root = await become_root(host, prompter, f"to write {name}") if scope == "system" else None
    await _put(host, root, path, after)
    try:
        await _reload(host, prompter, scope, root)
    except CommandError:
        await _put(host, root, path, before) if before is not None else await _drop(host, root, path)
        raise
    return verdict


async def _current(host: Host, path: str) -> str | None:
    try:
        return await read(host, path)
    except FileNotFoundError:
        return None


async def _reload(host: Host, prompter: Prompter, scope: str, root: Root | None) -> None:
    if root is None:
        await daemon_reload(host, prompter, scope)
        return
    done = await run_as_root(host, root, "LC_ALL=C exec systemctl daemon-reload")
    if done.status:
        raise CommandError(f"systemd on {host.name} does not take it.", detail=clean(done.stderr))


async def _put(host: Host, root: Root | None, path: str, text: str) -> None:
    data = text.encode("utf-8", "surrogateescape")
    if root is None:
        made = await host.run('mkdir -p -- "$1"', posixpath.dirname(path))
        if made.status:
            raise CommandError(f"{posixpath.dirname(path)} cannot be made on {host.name}.", detail=clean(made.stderr))
        await host.write(path, data, MODE)
        return
    made = await run_as_root(host, root, 'umask 022; mkdir -p -- "$1"', posixpath.dirname(path))
    if made.status:
        raise CommandError(f"{posixpath.dirname(path)} cannot be made on {host.name}.", detail=clean(made.stderr))
    done = await run_as_root(host, root, files.WRITE, *files.write_args(path, len(data), MODE), stdin=data)
    if done.status:
        raise files.write_error(host.name, path, done.stderr)


async def _drop(host: Host, root: Root | None, path: str) -> None:
    await run_as_root(host, root or Root(), 'rm -f -- "$1"', path)
