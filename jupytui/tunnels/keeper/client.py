"""A front end's side: the tunnels as the keeper tells of them, and what the user wants of them.

    async with connect(paths, prompter) as keeper:
        keeper.subscribe(changed)
        status = await keeper.add(Tunnel(…))

No keeper is started before one is needed: by a request, or because tunnels were up when the last one was killed. One
that another front end has started is found within half a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from jupytui import __version__
from jupytui.config.paths import Paths
from jupytui.errors import DeadlineError, JupytuiError
from jupytui.hosts.base import Nobody, Prompter
from jupytui.tunnels.keeper import protocol, spawn
from jupytui.tunnels.keeper.link import Link, Lost
from jupytui.tunnels.keeper.memory import recall, without_keeper
from jupytui.tunnels.keeper.place import Place, find_place
from jupytui.tunnels.models import Status, Tunnel, TunnelState

LOOK = 0.5  # seconds between looks for a keeper that somebody else has started
PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)  # seconds, when keepers cannot be started or die at once
STEADY = 5.0  # seconds of being attached after which earlier deaths are forgotten
DEADLINE = 60.0  # seconds for a request

Listener = Callable[[str, Status | None], None]


@asynccontextmanager
async def connect(paths: Paths, prompter: Prompter | None = None) -> AsyncIterator[KeeperClient]:
    """Hold a client, attached to the keeper if one runs. Without a prompter it does not offer to ask the person.

    Raises JupytuiError when no path is short enough for a socket. What is wrong otherwise, such as a place that is
    not safe, is in `trouble` and what requests raise.
    """
    client = KeeperClient(find_place(paths), prompter)
    running = await client.begin()
    try:
        yield client
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class KeeperClient:
    """Knows how the tunnels stand, attached or not; attaches again by itself."""

    def __init__(self, place: Place, prompter: Prompter | None) -> None:
        self._place = place
        self._prompter, self._asks = prompter or Nobody(), prompter is not None
        self._known: dict[str, Status] = {}
        self._listeners: list[Listener] = []
        self._link: Link | None = None
        self._needed = asyncio.Event()
        self._turned = asyncio.Event()  # attached, or it failed: whoever waits looks again
        self._looked = asyncio.Event()
        self._setbacks = 0
        self.trouble: JupytuiError | None = None

    @property
    def attached(self) -> bool:
        """Whether a keeper tells us of changes just now."""
        return self._link is not None

    def statuses(self) -> Sequence[Status]:
        """Return how each tunnel stands, as far as we were told; those remembered, while no keeper runs."""
        return tuple(self._known.values())

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with a tunnel's name and new status (None: it is gone) at each change; returns how to stop.

        What is known by now is not told again.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    async def add(self, tunnel: Tunnel) -> Status:
        """Have a tunnel brought up, also after the keeper's death; one of the same description is brought up again.

        Returns when it listens here; whether its host is reached, its status tells. Raises JupytuiError: the port is
        taken, the name is in use with another description, the host is not listed, no keeper can be started.
        """
        reply = await self._request(lambda number: protocol.Add(number, tunnel))
        if not isinstance(reply, protocol.Done) or reply.status is None:
            raise JupytuiError("The tunnels' keeper gave no answer.")
        self._know(tunnel.name, reply.status)
        return reply.status

    async def up(self, name: str) -> None:
        """Bring a tunnel up that is down or has failed. Raises JupytuiError, as all of these."""
        await self._request(lambda number: protocol.Up(number, name))

    async def down(self, name: str) -> None:
        """Take it down; its description stays."""
        await self._request(lambda number: protocol.Down(number, name))

    async def retry(self, name: str) -> None:
        """Try again now."""
        await self._request(lambda number: protocol.Retry(number, name))

    async def remove(self, name: str) -> None:
        """Take it down and forget it."""
        await self._request(lambda number: protocol.Remove(number, name))

    async def stop(self) -> None:
        """Take all tunnels down and let the keeper leave; returns at once when none runs."""
        if self._link:
            await self._request(protocol.Stop)

    async def settled(self, name: str) -> Status:
        """Return the tunnel's status once it carries or has failed to; also when a person is needed that we cannot ask.

        No end in sight: use a timeout. Raises JupytuiError when it is removed meanwhile.
        """
        moved = asyncio.Event()
        stop = self.subscribe(lambda _name, _status: moved.set())
        try:
            while self._is_moving(status := self._known.get(name)):
                moved.clear()
                await moved.wait()
        finally:
            stop()
        if status is None:
            raise JupytuiError(f"The tunnel {name} is gone.")
        return status

    def _is_moving(self, status: Status | None) -> bool:
        if status is None or status.state is TunnelState.CONNECTING:
            return status is not None
        return status.state is TunnelState.ASKING and self._asks

    async def _request(self, make: Callable[[int], protocol.Message]) -> protocol.Reply:
        """Send a request; once more if the keeper dies under it, for each of them may be said twice."""
        try:
            async with asyncio.timeout(DEADLINE):
                while True:
                    link = await self._attach()
                    with suppress(Lost):
                        return await link.request(make)
        except TimeoutError:
            raise DeadlineError("The tunnels' keeper does not answer.", "Its log may say why.") from None

    async def _attach(self) -> Link:
        while (link := self._link) is None or link.gone:
            self._turned.clear()
            self.trouble = None
            self._needed.set()
            await self._turned.wait()
            if self.trouble:
                raise self.trouble
        return link

    async def begin(self) -> asyncio.Task[None]:
        """Run from now on, in a task; returns when it was seen whether a keeper runs."""
        running = asyncio.create_task(self._run(), name="keeper client")
        await self._looked.wait()
        return running

    async def _run(self) -> None:
        while True:
            pause = LOOK
            try:
                if await self._hold():
                    pause = self._set_back()
            except (JupytuiError, OSError) as error:
                self.trouble = error if isinstance(error, JupytuiError) else _unreached(error)
                self._turned.set()
                self._needed.clear()
                pause = self._set_back()
            self._looked.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._needed.wait(), pause)

    def _set_back(self) -> float:
        """Return how long to pause this time."""
        self._setbacks += 1
        return PAUSES[min(self._setbacks, len(PAUSES)) - 1]

    async def _hold(self) -> bool:
        """Be attached for as long as there is a keeper; start one if there should be. Whether it was killed."""
        link = await self._open()
        if link is None:
            self._learn(without_keeper(self._place.memory))
            return False
        began = time.monotonic()
        try:
            await link.run(self._attached)
        finally:
            self._link = None
        if time.monotonic() - began > STEADY:
            self._setbacks = 0
        return self._was_killed()

    async def _open(self) -> Link | None:
        link = await Link.open(self._place, self._prompter, self._told, asks=self._asks)
        if link is None and (self._needed.is_set() or self._was_killed()):
            await spawn.start(self._place.hosts)
            return await Link.open(self._place, self._prompter, self._told, asks=self._asks)
        if link and protocol.is_newer(__version__, link.welcome.version):
            link.close()
            with suppress(JupytuiError):  # it takes over from the older one; which is better than none if it cannot
                await spawn.start(self._place.hosts)
            link = await Link.open(self._place, self._prompter, self._told, asks=self._asks)
        return link

    def _was_killed(self) -> bool:
        return any(tunnel.up for tunnel in recall(self._place.memory))

    def _attached(self, link: Link) -> None:
        self._needed.clear()
        self.trouble, self._link = None, link
        self._turned.set()
        self._looked.set()

    def _told(self, message: protocol.Reply) -> None:
        match message:
            case protocol.Statuses():
                self._learn(message.statuses)
            case protocol.Changed():
                self._know(message.status.tunnel.name, message.status)
            case protocol.Removed():
                self._know(message.name, None)

    def _learn(self, statuses: Sequence[Status]) -> None:
        there = {status.tunnel.name: status for status in statuses}
        for name in [name for name in self._known if name not in there]:
            self._know(name, None)
        for name, status in there.items():
            self._know(name, status)

    def _know(self, name: str, status: Status | None) -> None:
        if self._known.get(name) == status:
            return
        if status:
            self._known[name] = status
        else:
            del self._known[name]
        for listener in tuple(self._listeners):
            listener(name, status)


def _unreached(error: OSError) -> JupytuiError:
    return JupytuiError(f"The tunnels' keeper cannot be reached: {error.strerror or 'it takes too long'}.")
