"""The ngrok agent: one process with an endpoint for each share, because an account may have few agents online (108)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jupytui.config.private import NotPrivateError
from jupytui.secret import Secret
from jupytui.tunnels.public.codes import NgrokError, Unconfirmed
from jupytui.tunnels.public.leash import Leash
from jupytui.tunnels.public.process import AgentProcess, Endpoint
from jupytui.tunnels.public.speech import Event, silent

DEADLINE = 8.0  # seconds from nothing to a public URL

Heard = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Public:
    """An endpoint online. `ended` is done when its agent has ended."""

    url: str
    ended: asyncio.Future[None]


class Agent:
    """Starts the agent with the first endpoint, ends it with the last. `directory` is ours, for what it needs."""

    def __init__(self, directory: Path, find_binary: Callable[[], Path | None], *, deadline: float = DEADLINE) -> None:
        self._directory = directory
        self._find_binary = find_binary
        self._deadline = deadline
        self._lock = asyncio.Lock()
        self._endpoints: dict[Endpoint, Heard] = {}
        self._run: AgentProcess | None = None

    async def publish(self, endpoint: Endpoint, token: Secret, heard: Heard) -> Public:
        """Bring `endpoint` online and return where. Raises NgrokError, at most `deadline` seconds later."""
        async with self._lock:
            self._endpoints[endpoint] = heard
            try:
                async with asyncio.timeout(self._deadline):
                    run = self._run or await self._start(token)
                    return Public(await run.connect(endpoint), run.ended)
            except BaseException as error:
                del self._endpoints[endpoint]
                unclear = isinstance(error, Unconfirmed) or not isinstance(error, NgrokError)
                if unclear or not self._endpoints:  # who knows what is online by now
                    await self._end()
                if isinstance(error, TimeoutError):
                    raise silent() from None
                raise

    async def withdraw(self, endpoint: Endpoint) -> None:
        """Take `endpoint` offline: when this returns nobody reaches it, and with the last one the process is gone.

        An agent that does not confirm it is ended; the owners of the others see that, and start the next.
        """
        async with self._lock:
            if self._endpoints.pop(endpoint, None) is None or not self._run:
                return
            if not self._endpoints:
                await self._end()
                return
            try:
                await self._run.disconnect(endpoint)
            except BaseException as error:
                await self._end()
                if not isinstance(error, NgrokError):
                    raise

    async def close(self) -> None:
        """End the agent, whatever is online."""
        async with self._lock:
            self._endpoints.clear()
            await self._end()

    @property
    def pid(self) -> int | None:
        """The agent's process, None while there is none."""
        return self._run.pid if self._run else None

    async def _start(self, token: Secret) -> AgentProcess:
        if not (binary := self._find_binary()):
            raise NgrokError("There is no ngrok agent on this machine.", "Install ngrok, or let jupytui fetch it.")
        try:
            leash = Leash(self._directory, binary, token)
        except (OSError, NotPrivateError) as error:
            raise NgrokError(f"{self._directory} cannot be used: {error}.") from None
        self._run = run = AgentProcess(leash, self._tell)
        run.ended.add_done_callback(lambda _: self._forget(run))
        try:
            await run.start()
        except BaseException:
            await self._end()
            raise
        return run

    async def _end(self) -> None:
        if run := self._run:
            await run.end()
            self._forget(run)

    def _forget(self, run: AgentProcess) -> None:
        if self._run is run:
            self._run = None

    def _tell(self, event: Event, upstream: str) -> None:
        for endpoint, heard in list(self._endpoints.items()):
            if not upstream or endpoint.upstream.endswith(f"//{upstream}"):
                heard(event)
