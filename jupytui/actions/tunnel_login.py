"""Which tunnels are up after a login: `up` in hosts.toml says it, a systemd user unit on this machine does it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from jupytui.actions.base import Action, Answers, Context, Refused, Subjects
from jupytui.actions.hosts_toml import edit
from jupytui.actions.tunnel_words import names, status_of
from jupytui.config.edit import add_tunnel, set_tunnel_up
from jupytui.config.model import LOCAL, Config, TunnelEntry, TunnelKind
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.base import Host
from jupytui.tunnels.models import Status


def listed(context: Context, subject: Subject) -> TunnelEntry | None:
    """Return the entry of a tunnel in hosts.toml, None when it has none."""
    return next((entry for entry in context.config.tunnels if entry.name == subject.tunnel), None)


async def _keep(context: Context, subjects: Subjects, _answers: Answers) -> str:
    for subject in subjects:
        entry = listed(context, subject) or _entry_of(status_of(context, subject))
        edit(context, partial(_kept_up, entry=entry))
    return f"{names(subjects)} in {context.config.path.name}, to be up after a login.{without_service()}"


def without_service() -> str:
    """Return what brings up what is kept while the login service is not installed, "" when it is."""
    from jupytui.tunnels.keeper import unit

    configuration = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    if (configuration / "systemd" / "user" / unit.NAME).exists():
        return ""
    return " What is kept comes up with the next jupytui, and by itself once `jupytui tunnel install` was run."


def _kept_up(config: Config, entry: TunnelEntry) -> Config:
    if any(entry.name == there.name for there in config.tunnels):
        return set_tunnel_up(config, entry.name, True)
    return add_tunnel(config, replace(entry, up=True))


def _entry_of(status: Status) -> TunnelEntry:
    tunnel, end = status.tunnel, status.local or status.tunnel.local
    return TunnelEntry(
        tunnel.name,
        tunnel.host,
        str(tunnel.to) if tunnel.to else None,
        (end.path or end.port) if end else None,
        tunnel.kind,
        True,
    )


async def _unkeep(context: Context, subjects: Subjects, _answers: Answers) -> str:
    for subject in subjects:
        edit(context, partial(set_tunnel_up, name=subject.tunnel or "", up=False))
    return f"{names(subjects)} no longer up after a login."


async def _install(context: Context, _subjects: Subjects, _answers: Answers) -> str:
    from jupytui.tunnels.keeper import unit

    async with _here() as host:
        path = await unit.install(host, context.fleet.prompter(LOCAL), unit.login_command(context.config.path))
    return f"{path} is installed: what hosts.toml says is up = true is up after a login."


async def _uninstall(context: Context, _subjects: Subjects, _answers: Answers) -> str:
    from jupytui.tunnels.keeper import unit

    async with _here() as host:
        removed = await unit.uninstall(host, context.fleet.prompter(LOCAL))
    if not removed:
        raise Refused("The login service is not installed.")
    return "The login service is removed; tunnels come up with the next jupytui."


@asynccontextmanager
async def _here() -> AsyncIterator[Host]:
    from jupytui.hosts.local import LocalHost

    host = LocalHost("This machine")
    try:
        yield host
    finally:
        await host.close()


def _not_kept(context: Context, subject: Subject) -> str | None:
    if status_of(context, subject).tunnel.kind is TunnelKind.PUBLIC:
        return "What is shared with the internet is not shared by itself after a login."
    entry = listed(context, subject)
    return f"{subject.tunnel} is up after a login already." if entry and entry.up else None


def _kept(context: Context, subject: Subject) -> str | None:
    entry = listed(context, subject)
    return None if entry and entry.up else f"{subject.tunnel} is not in hosts.toml to be up after a login."


KEEP = Action(
    id="tunnel.keep",
    title="Bring tunnel up after login",
    help="Writes it to hosts.toml with up = true.",
    scope=Scope.TUNNEL,
    keys=("b",),
    many=True,
    refuse=_not_kept,
    run=_keep,
)

UNKEEP = Action(
    id="tunnel.unkeep",
    title="Not up after login",
    help="Its entry in hosts.toml stays, with up = false.",
    scope=Scope.TUNNEL,
    keys=("B",),
    many=True,
    refuse=_kept,
    run=_unkeep,
)

INSTALL = Action(
    id="tunnels.install",
    title="Keep tunnels up after a login",
    help="Installs a systemd user unit on this machine that brings up what hosts.toml says is up.",
    scope=Scope.FLEET,
    command=("tunnel", "install"),
    run=_install,
)

UNINSTALL = Action(
    id="tunnels.uninstall",
    title="Keep tunnels up after a login no more",
    help="Removes that systemd user unit.",
    scope=Scope.FLEET,
    command=("tunnel", "uninstall"),
    run=_uninstall,
)

ACTIONS = (KEEP, UNKEEP, INSTALL, UNINSTALL)
