"""The connection to a host that all tunnels to it share: made, watched, and made again. Nothing else retries."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host, HostState, HostTrouble, Prompter, SecretPrompt, UnknownKey
from jupytui.hosts.knock import came_back
from jupytui.secret import Secret
from jupytui.tunnels.backoff import LONGEST, Backoff
from jupytui.tunnels.models import Trouble, TunnelState

STEADY = 30.0  # seconds of being up after which failures before it are forgotten
BRIEF = 0.5  # seconds: one that was up for less is made again not at once, but within this time
KNOCK = 0.5  # seconds from the answer to a knock, or its absence, to the next
DOUBT = 3.0  # seconds for an answer when the link is doubted


class Watched:
    """A prompter of which it is known whether a question is open, and whether one was left without an answer."""

    def __init__(self, prompter: Prompter, changed: Callable[[], None]) -> None:
        self._prompter, self._changed = prompter, changed
        self.open = 0
        self.unanswered = False

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        """Return the person's answer."""
        with self._asking():
            answer = await self._prompter.secret(prompt)
        self.unanswered = self.unanswered or answer is None
        return answer

    async def trust(self, question: UnknownKey) -> bool:
        """Return the person's answer."""
        with self._asking():
            answer = await self._prompter.trust(question)
        self.unanswered = self.unanswered or not answer
        return answer

    @contextmanager
    def _asking(self) -> Iterator[None]:
        self.open += 1
        self._changed()
        try:
            yield
        finally:
            self.open -= 1
            self._changed()


class Link:
    """Keeps `host` connected from `start` to `close`. `changed` hears of every change of what is public here."""

    def __init__(
        self,
        make: Callable[[Prompter], Host],
        prompter: Prompter,
        changed: Callable[[], None],
        backoff: Backoff | None = None,
    ) -> None:
        self._changed = changed
        self._prompter = Watched(prompter, changed)
        self._make = make
        self.host = make(self._prompter)
        self._backoff = backoff or Backoff()
        self._state = TunnelState.CONNECTING
        self.trouble: HostTrouble | None = None
        self.next_try: float | None = None
        self.reconnects = 0
        self._was_up = False
        self._up = asyncio.Event()
        self._again = asyncio.Event()  # a try is wanted now
        self._task: asyncio.Task[None] | None = None
        self._knocking: asyncio.Task[None] | None = None
        self._doubting: asyncio.Task[None] | None = None
        self._attempting: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def state(self) -> TunnelState:
        """UP, CONNECTING, WAITING, ASKING or FAILED."""
        return TunnelState.ASKING if self._prompter.open else self._state

    @property
    def error(self) -> Trouble | None:
        """Why it is not up."""
        return Trouble(self.trouble.message, self.trouble.hint) if self.trouble else None

    def start(self) -> None:
        """Connect, and stay connected."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Hang up."""
        tasks = [task for task in (self._task, self._doubting) if task]
        for task in tasks:
            task.cancel()
        if tasks or self._leaving:
            await asyncio.wait([*tasks, *self._leaving])
        await self.host.close()

    async def ready(self) -> None:
        """Return when the host is connected."""
        while not (self._up.is_set() and self.host.connected):
            if self._up.is_set():
                await asyncio.sleep(0)  # the loss is known in a moment
            await self._up.wait()

    def retry(self) -> None:
        """Try now, with the host as it is described by now: whatever it waits for, or hangs at.

        Not while a person is being asked. Raises what making the host raises.
        """
        if self._prompter.open:
            return
        if self._state is not TunnelState.UP:
            self._renew()
        self._backoff.reset()
        self._try_now()

    def _renew(self) -> None:
        former, self.host = self.host, self._make(self._prompter)
        self._stop_knocking()
        leaving = asyncio.create_task(former.close())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    def doubt(self) -> None:
        """Find out now whether the link is still there, as after a sleep; if it is on its way, connect at once.

        One that has failed, or waits for a person, is left alone: an authentication is not tried again by itself.
        """
        if self.state in {TunnelState.CONNECTING, TunnelState.WAITING}:
            self._backoff.reset()
            self._try_now()
        elif self.state is TunnelState.UP and (self._doubting is None or self._doubting.done()):
            self._doubting = asyncio.create_task(self._ask_for_a_sign())

    async def _ask_for_a_sign(self) -> None:
        # Whatever the answer is, also that nothing listens at that port (discard): somebody gave it.
        try:
            async with asyncio.timeout(DOUBT):
                stream = await self.host.open_tcp("127.0.0.1", 9)
                await stream.close()
        except TimeoutError:
            self.host.drop()
        except (OSError, JupytuiError):
            pass

    async def _run(self) -> None:
        try:
            while True:
                await self._dial_on()
                self._stop_knocking()
                await self._hold()
                gc.collect()  # a lost connection is a knot of 100 kB, which would be undone after hundreds of them
        finally:
            self._stop_knocking()

    async def _dial_on(self) -> None:
        """Return when connected."""
        while not self.host.connected:
            self._set(TunnelState.CONNECTING)
            self._again.clear()
            self._prompter.unanswered = False
            try:
                await self._attempt()
            except JupytuiError as error:
                await self._rest(_trouble(error))

    async def _attempt(self) -> None:
        """Connect once, unless a try from the start is wanted meanwhile. Raises JupytuiError."""
        attempt = self._attempting = asyncio.create_task(self.host.connect())
        try:
            await asyncio.wait([attempt])
        finally:
            self._attempting = None
            attempt.cancel()
        if attempt.cancelled():
            await asyncio.sleep(0.01)  # the host is still about to give it up, and would have us join it
        else:
            attempt.result()

    async def _hold(self) -> None:
        """Be up until the connection is lost."""
        self.reconnects += self._was_up
        self._was_up = True
        self.trouble = None
        began = time.monotonic()
        self._up.set()
        self._set(TunnelState.UP)
        try:
            await self.host.wait_lost()
        finally:
            self._up.clear()
        lasted = time.monotonic() - began
        if lasted > STEADY:
            self._backoff.reset()
        self.trouble = HostTrouble(HostState.DOWN, f"The connection to {self.host.name} was lost.")
        self._again.clear()
        self._knock_on()
        if lasted < BRIEF:
            await self._rest(self.trouble, BRIEF)

    async def _rest(self, trouble: HostTrouble, longest: float = LONGEST) -> None:
        """Wait until the next try is due (in `longest` seconds at most) or wanted."""
        self.trouble = trouble
        if not trouble.retry:
            self._stop_knocking()  # it is there: what it says will not change by itself
            unknown = trouble.state is HostState.KEY_UNKNOWN
            self._set(TunnelState.ASKING if self._prompter.unanswered or unknown else TunnelState.FAILED)
            await self._again.wait()
            return
        self._knock_on()
        delay = min(self._backoff.next(), longest)
        self._set(TunnelState.WAITING, time.time() + delay)
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._again.wait()

    def _knock_on(self) -> None:
        if self._knocking is None or self._knocking.done():
            self._knocking = asyncio.create_task(self._knock())

    def _stop_knocking(self) -> None:
        if self._knocking:
            self._knocking.cancel()
            self._knocking = None

    async def _knock(self) -> None:
        """Have it tried at once when the host takes a connection again, after it did not.

        A try that is under way then is begun anew: its first packet was lost, and will be sent again after 1, 3 and
        7 s. A host that takes connections all the time and lets nobody in is left to the backoff.
        """
        if await came_back(self.host, lambda: KNOCK):
            self._try_now()

    def _try_now(self) -> None:
        if self._prompter.open:  # what is wrong with the answer must not be tried once more
            return
        self._again.set()
        if self._attempting:
            self._attempting.cancel()

    def _set(self, state: TunnelState, next_try: float | None = None) -> None:
        self._state, self.next_try = state, next_try
        self._changed()


def _trouble(error: JupytuiError) -> HostTrouble:
    if isinstance(error, HostTrouble):
        return error
    return HostTrouble(HostState.DOWN, error.message, error.hint, detail=error.detail)
