"""What one server answers, asked no more often than needed: each question costs both machines, every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable, Mapping

import msgspec

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host
from jupytui.jupyter.access import Access
from jupytui.jupyter.client import ApiKernel, ApiStatus, Door, JupyterApi
from jupytui.jupyter.http import ApiError
from jupytui.jupyter.models import Auth, Health, Tls

FULL = 10.0  # seconds after which everything is asked again, moved or not


class Answers(msgspec.Struct, frozen=True):
    """What a server said last. `kernels` None: it never told us."""

    health: Health = Health.STARTING
    door: Door | None = None
    version: str | None = None
    tls: Tls | None = None
    status: ApiStatus = ApiStatus()
    kernels: tuple[ApiKernel, ...] | None = None
    paths: Mapping[str, str] = {}


class Contact:
    """Asks one server, in the background: a look waits for it a little, and a server that hangs delays nothing.

    It is asked when something moved since the look before: a kernel's main thread ran, a client came or went, a
    process started or ended. And once more at the next look, because a kernel runs before its server hears of it.
    """

    def __init__(self, host: Host, access: Access) -> None:
        self.access = access
        self.answers = Answers()
        self._api = JupyterApi(host, access)
        self._task: asyncio.Task[None] | None = None
        self._asked = float("-inf")
        self._again = True
        self._trace: Hashable = None

    def ask_if_due(self) -> None:
        """Ask at once what does not need to wait for the survey."""
        if self._again or self._is_full() or self.answers.health is not Health.OK:
            self._again = False
            self._ask()

    def moved_to(self, trace: Hashable) -> None:
        """Ask if `trace` is not what it was; None is a machine that does not tell."""
        moved = trace is None or trace != self._trace
        self._trace = trace
        if moved:
            self._again = True
            self._ask()

    @property
    def waiting(self) -> asyncio.Task[None] | None:
        """The question under way."""
        return self._task if self._task and not self._task.done() else None

    def stop(self) -> None:
        """Ask no more."""
        if self._task:
            self._task.cancel()

    async def close(self) -> None:
        """Ask no more, and let go of the connection."""
        self.stop()
        if self._task:
            await asyncio.wait([self._task])
        await self._api.close()

    def _is_full(self) -> bool:
        return time.monotonic() - self._asked >= FULL

    def _ask(self) -> None:
        if self.waiting is None:
            self._task = asyncio.create_task(self._question(self._is_full()))

    async def _question(self, full: bool) -> None:
        if full:
            self._asked = time.monotonic()
        try:
            self.answers = await self._converse(full)
        except ApiError as error:
            health = Health.LOCKED if error.status in {401, 403} else Health.SILENT
            self.answers = msgspec.structs.replace(self.answers, health=health, kernels=None, tls=self._api.tls)
            self._asked = float("-inf")
        except JupytuiError:
            # The host itself is in trouble: its next look says so, better than we could.
            pass

    async def _converse(self, full: bool) -> Answers:
        was = self.answers
        api = self._api
        door = was.door if was.door in {Door.OPEN, Door.SHUT} else await api.door()
        version = was.version if was.version and not full else await api.version()
        known = msgspec.structs.replace(was, door=door, version=version, tls=api.tls, health=Health.LOCKED)
        if door is Door.SHUT and not self.access.token:
            return known
        kernels = await api.kernels()
        new = {kernel.id for kernel in kernels} - {kernel.id for kernel in was.kernels or ()}
        return msgspec.structs.replace(
            known,
            health=Health.OK,
            kernels=kernels,
            paths=await api.sessions() if full or new else was.paths,
            status=await api.status() if full else was.status,
        )


def auth_of(door: Door | None, token: bool, password: bool) -> Auth:
    """Return how a server lets people in, from what a stranger meets and what its runtime file says.

    A password of the current kind is not in the file, and then there is no token either (measured on jupyter_server
    2.7, 2.17 and 2.21), so a shut door without a token is a password.
    """
    if door is Door.OPEN:
        return Auth.NONE
    if door is not Door.SHUT:
        return Auth.UNKNOWN
    if token:
        return Auth.BOTH if password else Auth.TOKEN
    return Auth.PASSWORD
