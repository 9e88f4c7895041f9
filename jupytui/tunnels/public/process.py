"""One life of the agent's process, started through pyngrok.

What pyngrok does on its own, and what is done about it: the token would go into argv (it is in ngrok.yml alone, which
is removed once it was read); NGROK_AUTHTOKEN would be taken for one and be handed on (it is removed); `ngrok.connect`
would fetch a missing binary (process and API are asked apart instead); a silent agent would be waited for (its leash
ends it).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from jupytui.blocking import in_thread
from jupytui.text import clean_line
from jupytui.tunnels.public.codes import NgrokError
from jupytui.tunnels.public.leash import Leash
from jupytui.tunnels.public.speech import Event, find_event, not_understood, silence, translated

if TYPE_CHECKING:
    from pyngrok.log import NgrokLog
    from pyngrok.process import NgrokProcess

_STARTUP = 6  # seconds in which an agent that speaks must be online; whole seconds, says pyngrok
_REQUEST = 4.0
_END = 5.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A public address: `name` is ours, `upstream` a URL reached from here, `domain` "" for any."""

    name: str
    upstream: str
    domain: str = ""


class AgentProcess:
    """From start to end; `tell` hears of its events with the upstream they are about ("": all). Owns `leash`."""

    def __init__(self, leash: Leash, tell: Callable[[Event, str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._started: asyncio.Future[str] = self._loop.create_future()
        self._leash = leash
        self._tell = tell
        self._api = ""
        self._process: NgrokProcess | None = None
        self._paths: dict[Endpoint, str] = {}
        self._life: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._process.proc.pid if self._process else None

    async def start(self) -> None:
        """Start it and wait until it is online. Raises NgrokError."""
        self._life = asyncio.create_task(self._live())
        self._api = await self._started

    async def connect(self, endpoint: Endpoint) -> str:
        """Bring an endpoint online and return its URL. Raises NgrokError."""
        wanted: dict[str, Any] = {"name": endpoint.name, "upstream": {"url": endpoint.upstream}, "inspect": False}
        if endpoint.domain:
            wanted["url"] = f"https://{endpoint.domain}"
        answer = await self._request("POST", "/api/endpoints", wanted)
        url = answer.get("url", answer.get("public_url"))
        if not isinstance(url, str):
            raise not_understood()
        self._paths[endpoint] = f"/api/endpoints/{quote(endpoint.name, safe='')}"
        return clean_line(url)

    async def disconnect(self, endpoint: Endpoint) -> None:
        """Take an endpoint offline. Raises NgrokError."""
        if path := self._paths.pop(endpoint, None):
            await self._request("DELETE", path)

    async def end(self) -> None:
        """End it, whatever it is doing; done when the process is gone and its files are removed."""
        self._leash.pull()
        await asyncio.wait({self.ended}, timeout=_END)

    async def _request(self, method: str, path: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        from pyngrok.ngrok import api_request

        call = partial(api_request, f"{self._api}{path}", method, data, timeout=_REQUEST)
        return await in_thread(lambda: translated(call))

    async def _live(self) -> None:
        """Own the thread that starts the process and follows it to its end."""
        try:
            api = await in_thread(lambda: translated(self._begin))
            if not self._started.done():
                self._started.set_result(api)
            await in_thread(self._follow)
        except NgrokError as error:
            if not self._started.done():
                self._started.set_exception(error)
        finally:
            await in_thread(self._finish)
            self.ended.set_result(None)

    def _begin(self) -> str:
        """Start it; returns the URL of its API."""
        for name in [name for name in os.environ if name.startswith("NGROK_")]:
            del os.environ[name]
        from pyngrok import process
        from pyngrok.conf import PyngrokConfig

        silence()
        config = PyngrokConfig(
            ngrok_path=str(self._leash.launcher),
            config_path=str(self._leash.config),
            monitor_thread=False,
            startup_timeout=_STARTUP,
            log_event_callback=self._meet,
            start_new_session=True,
        )
        self._process = process.get_process(config)
        self._leash.config.unlink()  # it has been read
        return self._process.api_url or ""

    def _meet(self, log: NgrokLog) -> None:
        """Know the process from its first line, which is the launcher's: pyngrok keeps one that fails to itself."""
        if self._process is None:
            from pyngrok import process

            self._process = process._current_processes[str(self._leash.launcher)]

    def _follow(self) -> None:
        """Read what it says until it has ended."""
        from pyngrok.log import NgrokLog

        assert self._process and self._process.proc.stdout
        while line := _line(self._process.proc.stdout):
            if event := find_event(log := NgrokLog(line)):
                self._loop.call_soon_threadsafe(self._tell, event, getattr(log, "privaddr", ""))

    def _finish(self) -> None:
        """See the process gone, and leave nothing of it: pyngrok would keep its pipe open."""
        from pyngrok.process import is_process_running

        if self._process:
            if self._process.proc.poll() is None:
                self._leash.pull()
            self._process.proc.wait()
            if self._process.proc.stdout:
                self._process.proc.stdout.close()
            is_process_running(str(self._leash.launcher))  # forgets it
        self._leash.drop()


def _line(lines: IO[str]) -> str:
    """Return the next line, "" at the end. Decoding is strict and the locale's: what cannot be decoded is left out."""
    while True:
        with suppress(UnicodeDecodeError):
            return lines.readline()
