"""Proof that a server answers: asked through its host, with its own token, and that it is the one that was started."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Any

import msgspec

from jupytui.errors import CommandError
from jupytui.hosts.base import Host
from jupytui.jupyter.access import Access
from jupytui.jupyter.client import Door, JupyterApi
from jupytui.jupyter.http import ApiError
from jupytui.jupyter.launch.causes import LaunchFailed
from jupytui.jupyter.models import Auth
from jupytui.jupyter.runtime import RuntimeFile, parse_runtime_file
from jupytui.secret import Secret

_ATTEMPTS = 20  # it writes its runtime file a moment before it listens to anybody
_PAUSE = 0.25
_LONGEST = 30.0  # seconds, where each attempt hangs: with a certificate that does not work every handshake does


class Answer(msgspec.Struct, frozen=True):
    """A server that has answered, by `access` (which holds no token).

    `start` is when its process started, in ticks since the machine's boot, as text.
    """

    pid: int
    start: str
    port: int | None
    sock: str | None
    version: str | None
    url: str
    auth: Auth
    started: datetime | None = None
    access: Access = Access()


async def prove(host: Host, ready: Any) -> Answer:
    """Ask the server that `on_host` calls ready. Raises LaunchFailed, HostTrouble."""
    file = _runtime_file(host, ready)
    ports = ready.get("ports") or []
    if file.port and ports and file.port not in ports:
        raise LaunchFailed(f"Port {file.port} is not held by the server that was started (pid {file.pid}).")
    api = JupyterApi(host, access_of(file))
    try:
        return await _answer(api, file, str(ready.get("start")))
    except ApiError as error:
        raise LaunchFailed(f"The server answers, but not as it should: {error.message}", error.hint) from None
    finally:
        await api.close()


def _runtime_file(host: Host, ready: Any) -> RuntimeFile:
    if isinstance(ready, dict) and isinstance(ready.get("path"), str) and isinstance(ready.get("runtime"), str):
        file = parse_runtime_file(ready["path"], 0, ready["runtime"].encode("utf-8", "surrogateescape"))
        if file and file.pid == ready.get("pid"):
            return file
    raise CommandError(f"A new server on {host.name} wrote a runtime file that makes no sense.")


async def _answer(api: JupyterApi, file: RuntimeFile, start: str) -> Answer:
    version = await _version(api)
    door = await api.door()
    started = None
    if api.access.token:
        try:
            started = (await api.status()).started
        except ApiError as error:
            raise LaunchFailed("The server answers, but its own token does not open it.", error.message) from None
    url = f"{'https' if file.secure else 'http'}://localhost:{file.port}{file.base_url}" if file.port else ""
    return Answer(
        pid=file.pid,
        start=start,
        port=None if file.sock else file.port,
        sock=file.sock,
        version=version or file.version,
        url=url,
        auth=_auth(door, file),
        started=started,
        access=replace(api.access, token=Secret("")),
    )


async def _version(api: JupyterApi) -> str | None:
    until = monotonic() + _LONGEST
    for attempt in range(_ATTEMPTS):
        try:
            return await api.version()
        except ApiError as error:
            if attempt == _ATTEMPTS - 1 or monotonic() > until:
                raise LaunchFailed(f"The server started, but does not answer: {error.message}", error.hint) from None
        await asyncio.sleep(_PAUSE)
    return None


def _auth(door: Door, file: RuntimeFile) -> Auth:
    if door is Door.OPEN:
        return Auth.NONE
    if file.token:
        return Auth.BOTH if file.has_password else Auth.TOKEN
    return Auth.PASSWORD


_EVERYWHERE = {"": "127.0.0.1", "*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "localhost": "127.0.0.1", "::": "::1"}


def access_of(file: RuntimeFile) -> Access:
    """Return how the server that wrote this file is reached from its own machine."""
    address = _EVERYWHERE.get(file.hostname, file.hostname)
    token = file.token if usable(file.token) else Secret("")
    return Access(address, file.port, file.sock, file.secure, file.base_url, token)


def usable(token: Secret) -> bool:
    """Return whether anybody can get in with this token.

    Jupyter takes a JUPYTER_TOKEN_FILE with the newline at its end (2.21.1): no header may hold that, and from a form or
    an address it is stripped before it is compared.
    """
    text = token.reveal()
    return bool(text) and text.isprintable() and text == text.strip()
