"""What one server answers, asked no more often than needed: each question costs both machines, every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping

import msgspec

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host, HostTrouble
from jupytui.jupyter.access import Access
from jupytui.jupyter.client import ApiKernel, ApiStatus, Door, JupyterApi
from jupytui.jupyter.http import ApiError
from jupytui.jupyter.models import Auth, Health, Tls

FULL = 10.0  # seconds after which everything is asked again, moved or not
SHOWN = 120.0  # seconds after which a certificate is looked at again: a kept connection shows the one it began with


class Answers(msgspec.Struct, frozen=True):
    """What a server said last. `kernels` None: it never told us. `password`: its files hold one; it never says so."""

    health: Health = Health.STARTING
    door: Door | None = None
    password: bool = False
    version: str | None = None
    tls: Tls | None = None
    status: ApiStatus = ApiStatus()
    kernels: tuple[ApiKernel, ...] | None = None
    paths: Mapping[str, str] = {}


class Contact:
    """Asks one server, in the background: a look waits for it a little, and a server that hangs delays nothing.

    It is asked when something moved since the look before: a kernel's main thread ran, a client came or went, a
    process started or ended. And once more at the next look, because a kernel runs before its server hears of it.
    `files` says whether its files hold a password: of one process, that is asked once.
    """

    def __init__(self, host: Host, access: Access, files: Callable[[], Awaitable[bool]] | None = None) -> None:
        self.access = access
        self.answers = Answers()
        self._files = files
        self._api = JupyterApi(host, access)
        self._task: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked = float("-inf")
        self._shown = float("-inf")
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

    def renew(self) -> None:
        """Ask everything anew at the next look, the certificate too."""
        self._asked = self._shown = float("-inf")
        self._again = True

    @property
    def waiting(self) -> list[asyncio.Task[None]]:
        """The questions under way."""
        return [task for task in (self._task, self._reading) if task and not task.done()]

    def stop(self) -> None:
        """Ask no more."""
        for task in self.waiting:
            task.cancel()

    async def close(self) -> None:
        """Ask no more, and let go of the connection."""
        self.stop()
        if waiting := self.waiting:
            await asyncio.wait(waiting)
        await self._api.close()

    def _is_full(self) -> bool:
        return time.monotonic() - self._asked >= FULL

    def _ask(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._question(self._is_full()))
        if self._files and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._read(self._files))

    async def _read(self, files: Callable[[], Awaitable[bool]]) -> None:
        try:
            password = await files()
        except HostTrouble:
            return
        except JupytuiError:
            password = False
        self._files = None
        self.answers = msgspec.structs.replace(self.answers, password=password)

    async def _question(self, full: bool) -> None:
        if full:
            self._asked = time.monotonic()
            await self._hang_up_if_due()
        try:
            said = await self._converse(full)
            self.answers = msgspec.structs.replace(said, password=self.answers.password)
        except ApiError as error:
            health = Health.LOCKED if error.status in {401, 403} else Health.SILENT
            self.answers = msgspec.structs.replace(self.answers, health=health, kernels=None, tls=self._api.tls)
            self._asked = float("-inf")
        except JupytuiError:
            # The host itself is in trouble: its next look says so, better than we could.
            pass

    async def _hang_up_if_due(self) -> None:
        if self.access.tls and self._asked - self._shown >= SHOWN:
            self._shown = self._asked
            await self._api.close()

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
    """Return how a server lets people in, from what a stranger meets and what its files say.

    A shut door without a token is a password: its runtime file does not tell of one of the current kind (measured on
    jupyter_server 2.7, 2.17 and 2.21).
    """
    if door is Door.OPEN:
        return Auth.NONE
    if door is not Door.SHUT:
        return Auth.UNKNOWN
    if token:
        return Auth.BOTH if password else Auth.TOKEN
    return Auth.PASSWORD
