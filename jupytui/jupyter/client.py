"""The Jupyter REST API of one server, asked in a way that does not keep the server alive.

`/api/kernels`, `/api/sessions` and most others move the server's `last_activity`, so that an idle server is never
culled; `?no_track_activity=1` prevents it (jupyter_server's APIHandler.update_api_activity; notebook >= 5.7 too).
`/api` and `/api/status` do not count on jupyter_server 2.21.1, but `/api` does on notebook 6.5.7 (both measured), so
everything asked every few seconds carries it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any
from urllib.parse import quote

import msgspec

from jupytui.hosts.base import Host
from jupytui.jupyter.access import Access
from jupytui.jupyter.http import ApiError, HttpClient, Reply
from jupytui.jupyter.models import KernelState, Tls
from jupytui.jupyter.tls import read_certificate
from jupytui.text import clean_line

_QUIET = "?no_track_activity=1"
_MOST = 10_000  # kernels or sessions taken from one answer


class Door(Enum):
    """What somebody without credentials meets."""

    OPEN = auto()
    SHUT = auto()
    UNCLEAR = auto()


class ApiStatus(msgspec.Struct, frozen=True):
    """`/api/status`."""

    started: datetime | None = None
    last_activity: datetime | None = None


class ApiKernel(msgspec.Struct, frozen=True):
    """One of `/api/kernels`."""

    id: str
    name: str | None = None
    state: KernelState = KernelState.UNKNOWN
    connections: int | None = None
    last_activity: datetime | None = None


class JupyterApi:
    """One server's API. Methods raise ApiError, and HostTrouble when its machine is out of reach."""

    def __init__(self, host: Host, access: Access) -> None:
        self._http = HttpClient(host, access)

    @property
    def access(self) -> Access:
        """How the server is reached."""
        return self._http.access

    @property
    def tls(self) -> Tls | None:
        """The certificate it showed last, None before the first request and without TLS."""
        return read_certificate(self._http.certificate) if self._http.certificate else None

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.close()

    async def door(self) -> Door:
        """Ask without credentials, as anybody could.

        A server that keeps people out has a login page, and showing it is no event. Being refused is one: a warning in
        the server's log, which watching must not fill (measured on jupyter_server 2.21).
        """
        reply = await self._http.request("GET", self._target("login"), {})
        if reply.status == 200 and b"password" in reply.body:
            return Door.SHUT
        reply = await self._http.request("GET", self._target("api/status"), {})
        if reply.status == 200:
            return Door.OPEN if isinstance(_decoded(reply), dict) else Door.UNCLEAR
        # A hub's server, and some proxies, send a stranger to a login page instead.
        return Door.SHUT if reply.status in {401, 403} or 300 <= reply.status < 400 else Door.UNCLEAR

    async def version(self) -> str | None:
        """Return jupyter_server's (or notebook's, <= 6) version; needs no credentials."""
        fields = await self._get("api" + _QUIET)
        return _text(fields, "version", 40)

    async def status(self) -> ApiStatus:
        """Return since when the server runs and when it was last used."""
        fields = await self._get("api/status" + _QUIET)
        return ApiStatus(_moment(fields, "started"), _moment(fields, "last_activity"))

    async def kernels(self) -> tuple[ApiKernel, ...]:
        """Return every kernel the server manages."""
        return tuple(filter(None, map(_kernel, _items(await self._get("api/kernels" + _QUIET)))))

    async def sessions(self) -> dict[str, str]:
        """Return the path of the notebook or console of each kernel, by kernel id."""
        return dict(filter(None, map(_session, _items(await self._get("api/sessions" + _QUIET)))))

    async def interrupt(self, kernel: str) -> None:
        """Interrupt a kernel."""
        await self._do("POST", f"api/kernels/{_segment(kernel)}/interrupt")

    async def restart(self, kernel: str) -> None:
        """Restart a kernel: its variables are lost."""
        await self._do("POST", f"api/kernels/{_segment(kernel)}/restart", deadline=60.0)

    async def shutdown(self, kernel: str) -> None:
        """End a kernel; one that is gone already is no error."""
        await self._do("DELETE", f"api/kernels/{_segment(kernel)}", gone_is_fine=True, deadline=30.0)

    def _target(self, path: str) -> str:
        return self.access.base_url + path

    def _credentials(self) -> Mapping[str, bytes]:
        # With a token the server asks for no XSRF cookie, and skips its check of the origin.
        token = self.access.token
        return {"Authorization": f"token {token.reveal()}".encode()} if token else {}

    async def _get(self, path: str) -> Any:
        reply = await self._http.request("GET", self._target(path), self._credentials())
        if reply.status != 200:
            raise _refusal(reply)
        return _decoded(reply)

    async def _do(self, method: str, path: str, *, gone_is_fine: bool = False, deadline: float = 10.0) -> None:
        reply = await self._http.request(method, self._target(path), self._credentials(), deadline=deadline)
        if not (200 <= reply.status < 300 or (gone_is_fine and reply.status == 404)):
            raise _refusal(reply)


def _refusal(reply: Reply) -> ApiError:
    if reply.status in {401, 403}:
        return ApiError("The server does not let us in.", "Its token is not known here.", status=reply.status)
    if reply.status == 404:
        return ApiError("The server does not know it (any more).", "Refresh, and look again.", status=404)
    return ApiError(f"The server answered with status {reply.status}.", "Its log may say why.", status=reply.status)


def _decoded(reply: Reply) -> Any:
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ApiError("The server's answer makes no sense.", status=reply.status) from None


def _segment(text: str) -> str:
    return quote(text, safe="")


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value[:_MOST] if isinstance(item, dict)] if isinstance(value, list) else []


def _text(fields: Any, name: str, limit: int = 1024) -> str | None:
    value = fields.get(name) if isinstance(fields, dict) else None
    return clean_line(value, limit) or None if isinstance(value, str) else None


def _moment(fields: Any, name: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(fields, name, 40) or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _kernel(fields: dict[str, Any]) -> ApiKernel | None:
    # The id goes back to the server in an address: as it came, or not at all.
    kernel_id = fields.get("id")
    if not isinstance(kernel_id, str) or not kernel_id or clean_line(kernel_id, 128) != kernel_id:
        return None
    state = fields.get("execution_state")
    clients = fields.get("connections")
    return ApiKernel(
        id=kernel_id,
        name=_text(fields, "name", 128),
        state=KernelState(state) if isinstance(state, str) and state in _STATES else KernelState.UNKNOWN,
        connections=clients if type(clients) is int and 0 <= clients < 2**31 else None,
        last_activity=_moment(fields, "last_activity"),
    )


_STATES = frozenset(state.value for state in KernelState)


def _session(fields: dict[str, Any]) -> tuple[str, str] | None:
    # notebook < 5 has the path in "notebook" only. A session without a file (a console) has its name instead.
    kernel = fields.get("kernel")
    kernel_id = kernel.get("id") if isinstance(kernel, dict) else None
    path = _text(fields, "path") or _text(fields.get("notebook"), "path") or _text(fields, "name")
    return (kernel_id, path) if isinstance(kernel_id, str) and path else None
