"""A share: one server of ours on the internet through ngrok, kept there.

The Host header is passed through, as ngrok does unless told otherwise: rewritten to localhost, as the usual recipe has
it, Jupyter answers logins with 404 and websockets with 403. Its `local_hostnames` must name the domain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic, time

from jupytui.config.vault import KeyringSilentError, Vault
from jupytui.errors import JupytuiError
from jupytui.secret import Secret
from jupytui.tunnels.backoff import Backoff
from jupytui.tunnels.models import Status, Trouble, Tunnel, TunnelState
from jupytui.tunnels.public import door
from jupytui.tunnels.public.agent import Agent, Public
from jupytui.tunnels.public.binary import find_binary, ngrok_directory
from jupytui.tunnels.public.codes import REFUSED, NgrokError, explain
from jupytui.tunnels.public.process import Endpoint
from jupytui.tunnels.public.speech import Event

NGROK_TOKEN = "ngrok-token"  # its name in the vault
STEADY = 30.0  # seconds online after which pauses begin anew
COUNT = 0.5  # seconds between two reports of counters alone
CHECK = 10.0  # seconds between two looks at the server behind
ABSENT = 1.0  # while nothing answers
RESTART = 60.0  # seconds without an answer in which it stays online: an address that ngrok chose is lost with it

FindToken = Callable[[], Awaitable[Secret | None]]
MakeShare = Callable[[Tunnel, Callable[[], None]], "NgrokShare"]


def shares(directory: Path | None = None, vault: Vault | None = None) -> MakeShare:
    """Return what makes shares that have one agent together, in a directory of ours, with the token in the vault."""
    place, kept = directory or ngrok_directory(), vault or Vault()
    agent = Agent(place, partial(find_binary, place))

    def make(tunnel: Tunnel, changed: Callable[[], None]) -> NgrokShare:
        return NgrokShare(tunnel, agent, partial(_token, kept), changed)

    return make


async def _token(vault: Vault) -> Secret | None:
    """Return the token that is kept. Raises VaultError, NgrokError when that may be known later."""
    try:
        return await vault.get(NGROK_TOKEN)
    except KeyringSilentError as error:
        raise NgrokError(error.message, error.hint, retry=True) from None


class NgrokShare:
    """Keeps `tunnel` (kind public) online from `start` to `close`. `changed` hears when `status()` has changed.

    An agent that ends is started again, with a backoff; what needs the user (a bad token, a domain that is not theirs)
    is not tried again by itself. `find_token` is asked at each attempt. Who took care that a server asks for a password
    did so once, perhaps before a reboot: it is looked at before it goes online, and again and again while it is, and
    taken offline when it lets strangers in.
    """

    listening = None

    def __init__(self, tunnel: Tunnel, agent: Agent, find_token: FindToken, changed: Callable[[], None]) -> None:
        self.tunnel = tunnel
        self._status = Status(tunnel, TunnelState.DOWN, time())
        self._agent = agent
        self._find_token = find_token
        self._changed = changed
        self._task: asyncio.Task[None] | None = None
        self._report: asyncio.TimerHandle | None = None
        self._now = asyncio.Event()
        self._look_now = asyncio.Event()
        self._lost = False

    def status(self) -> Status:
        """Return how it stands."""
        return self._status

    def start(self) -> None:
        """Bring it online, or try again what has failed; does nothing while it is under way."""
        if not self._task or self._task.done():
            self._status = replace(self._status, state=TunnelState.CONNECTING, since=time())  # for who asks at once
            self._task = asyncio.create_task(self._keep(), name=f"share {self.tunnel.name}")

    def retry(self) -> None:
        """Try again now."""
        self._now.set()
        self.start()

    async def close(self) -> None:
        """Take it offline. When this returns nobody reaches it, and with the last share the agent's process is gone."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait({task})
        self._set(TunnelState.DOWN)

    async def _keep(self) -> None:
        backoff = Backoff()
        while True:
            self._now.clear()
            self._set(TunnelState.CONNECTING, self._status.error)
            since = time()
            try:
                await self._be_online()
                trouble = Trouble("The ngrok agent ended.", "It is started again.")
            except JupytuiError as error:
                trouble = Trouble(error.message, error.hint)
                if not (isinstance(error, NgrokError) and error.retry):
                    self._set(TunnelState.FAILED, trouble)
                    return
            if time() - since > STEADY or self._now.is_set():
                backoff.reset()
            await self._wait(backoff.next(), trouble)

    async def _wait(self, pause: float, trouble: Trouble) -> None:
        self._set(TunnelState.WAITING, trouble, next_try=time() + pause)
        await _set_within(self._now, pause)

    async def _be_online(self) -> None:
        """Be online until the agent ends. Raises JupytuiError when that fails, or must not be."""
        if not (token := await self._find_token()):
            raise explain(4018)
        endpoint = Endpoint(self.tunnel.name, _upstream(self.tunnel), self.tunnel.domain)
        await self._answered()
        public = await self._agent.publish(endpoint, token, self._hear)
        try:
            await self._stay(public)
            self._status = replace(self._status, reconnects=self._status.reconnects + 1)
        finally:
            await _whole(self._agent.withdraw(endpoint))

    async def _answered(self) -> None:
        """Wait until a server answers that may be online. Raises NgrokError for one that must not be."""
        while not await door.is_shut(self.tunnel):
            self._show(TunnelState.NO_SERVER, _absent(self.tunnel))
            await _set_within(self._now, ABSENT)
            self._now.clear()

    async def _stay(self, public: Public) -> None:
        """Return when the agent has ended. Raises NgrokError when what is behind must not be online any longer."""
        watching = asyncio.create_task(self._watch(public.url), name=f"door of {self.tunnel.name}")
        try:
            await asyncio.wait({watching, public.ended}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
        finally:
            watching.cancel()
            await asyncio.wait({watching})

    async def _watch(self, url: str) -> None:
        """Look at what is behind, again and again. Raises NgrokError as soon as it must not be online any longer."""
        self._lost, answered = False, monotonic()
        while True:
            self._look_now.clear()
            if there := await door.is_shut(self.tunnel):
                answered = monotonic()
            elif monotonic() - answered > RESTART:
                trouble = _absent(self.tunnel)
                raise NgrokError(trouble.message, trouble.hint, retry=True)
            if not self._lost:
                self._online(not there, url)
            await _set_within(self._look_now, CHECK if there else ABSENT)

    def _hear(self, event: Event) -> None:
        if event is Event.CONNECTION:
            self._status = replace(self._status, connections=self._status.connections + 1)
        if not self._status.url:
            return
        self._lost = event is Event.LOST
        if event is Event.CONNECTION and self._status.state is TunnelState.UP:
            self._report = self._report or asyncio.get_running_loop().call_later(COUNT, self._tell)
        elif event is Event.LOST:
            trouble = Trouble("The ngrok agent has lost ngrok's servers and looks for them.")
            self._set(TunnelState.CONNECTING, trouble, url=self._status.url)
        else:
            self._look_now.set()

    def _online(self, refused: bool, url: str) -> None:
        if refused:
            trouble = explain(REFUSED)
            self._show(TunnelState.NO_SERVER, Trouble(trouble.message, trouble.hint), url=url)
        else:
            self._show(TunnelState.UP, url=url)

    def _show(self, state: TunnelState, error: Trouble | None = None, *, url: str = "") -> None:
        """Set it, if it is news."""
        if (state, error, url) != (self._status.state, self._status.error, self._status.url):
            self._set(state, error, url=url)

    def _set(
        self, state: TunnelState, error: Trouble | None = None, *, url: str = "", next_try: float | None = None
    ) -> None:
        before = self._status
        since = before.since if state is before.state else time()
        self._status = replace(before, state=state, since=since, error=error, url=url, next_try=next_try)
        self._tell()

    def _tell(self) -> None:
        if self._report:
            self._report.cancel()
            self._report = None
        self._changed()


def _upstream(tunnel: Tunnel) -> str:
    """Return where the agent is to lead visitors, as a URL. Raises NgrokError."""
    if tunnel.to is None or tunnel.to.path:
        raise NgrokError(
            "ngrok cannot lead to a unix socket.", "Make a tunnel to the server first, and share its local port."
        )
    secure = tunnel.behind is not None and tunnel.behind.secure
    return f"{'https' if secure else 'http'}://{tunnel.to}"


def _absent(tunnel: Tunnel) -> Trouble:
    return Trouble(f"Nothing answers at {tunnel.to}: not published.", "It goes online once its server answers.")


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def _whole(work: Coroutine[None, None, None]) -> None:
    """Do `work` to its end, also when we are cancelled meanwhile: half of it may have left something online."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
