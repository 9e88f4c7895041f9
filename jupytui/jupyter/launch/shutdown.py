"""Ask a server to end itself, by its API: with its token, or signed in with its password."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import msgspec

from jupytui.errors import CommandError
from jupytui.hosts.base import Host, Prompter, SecretKind, SecretPrompt
from jupytui.jupyter.access import Access
from jupytui.jupyter.http import ApiError, HttpClient
from jupytui.jupyter.login import WrongPassword, sign_in
from jupytui.systemd.sudo import ATTEMPTS


class Target(msgspec.Struct, frozen=True):
    """The server meant. `access` None: it cannot be asked by HTTP, or we hold nothing that lets us in."""

    title: str
    pid: int
    port: int | None = None
    sock: str | None = None
    access: Access | None = None


async def shut_down(host: Host, target: Target) -> None:
    """Ask it to end, with its token. Raises ApiError, HostTrouble."""
    assert target.access
    headers = {"Authorization": f"token {target.access.token.reveal()}".encode()}
    client = HttpClient(host, target.access)
    try:
        await _ask(client, target, headers)
    finally:
        await client.close()


async def sign_in_and_shut_down(host: Host, target: Target, prompter: Prompter) -> None:
    """Ask it to end as who knows its password. Raises CommandError without one, ApiError, HostTrouble."""
    assert target.access
    client = HttpClient(host, target.access)
    try:
        await _ask(client, target, await _signed_in(client, host, target, prompter))
    finally:
        await client.close()


async def _signed_in(client: HttpClient, host: Host, target: Target, prompter: Prompter) -> Mapping[str, bytes]:
    text = f"{target.title} belongs to another user; its Jupyter password (or token) lets you end it"
    for attempt in range(ATTEMPTS):
        password = await prompter.secret(SecretPrompt(host.name, SecretKind.PASSWORD, text, again=attempt > 0))
        if not password:
            raise CommandError(f"{target.title} belongs to another user, and no password was given.", "It runs on.")
        with suppress(WrongPassword):
            return await sign_in(client, password)
    raise CommandError(f"{target.title} refused the password {ATTEMPTS} times.", "It runs on.")


async def _ask(client: HttpClient, target: Target, headers: Mapping[str, bytes]) -> None:
    reply = await client.request("POST", client.access.base_url + "api/shutdown", headers, deadline=15.0)
    if reply.status >= 300:
        raise ApiError(f"{target.title} does not let us shut it down.", status=reply.status)
