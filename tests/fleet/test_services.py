"""Promises of the watch on services: whom it lists, when, what a failure leaves, that a host delays only itself."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable

import pytest

from jupytui.errors import CommandError
from jupytui.fleet import services as module
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.models import HostView
from jupytui.fleet.services import Listing, ServiceWatch
from jupytui.fleet.store import Store
from jupytui.hosts.base import Destination, Host, HostState, Nobody
from jupytui.jupyter.models import Server
from jupytui.systemd.units import Service, Services
from tests.fleet.scripted import up

ONE, TWO = (Services(services=(Service(f"{name}.service", "user"),)) for name in ("one", "two"))
HANGS = asyncio.Event()  # never set
Step = Services | Exception | asyncio.Event


class Systemd:
    """A stand-in for the listing of hosts: a script for each, whose last step is played for ever after."""

    def __init__(self) -> None:
        self.scripts: dict[str, deque[Step]] = {}
        self.asked: list[str] = []
        self.left: list[str] = []
        self._turn = asyncio.Condition()

    async def list(self, host: Host, _servers: Iterable[Server]) -> Services:
        self.asked.append(host.name)
        async with self._turn:
            self._turn.notify_all()
        script = self.scripts[host.name]
        step = script.popleft() if len(script) > 1 else script[0]
        try:
            if isinstance(step, asyncio.Event):
                await step.wait()
                return ONE
        finally:
            self.left.append(host.name)
        if isinstance(step, Exception):
            raise step
        return step

    async def until_asked(self, host: str, times: int) -> None:
        async with asyncio.timeout(10), self._turn:
            await self._turn.wait_for(lambda: self.asked.count(host) >= times)


class Heard:
    """What the watch said has changed."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self._news = asyncio.Event()

    def __call__(self, host: str) -> None:
        self.hosts.append(host)
        self._news.set()

    async def news(self) -> None:
        async with asyncio.timeout(10):
            await self._news.wait()
        self._news.clear()


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch) -> Systemd:
    systemd = Systemd()
    monkeypatch.setattr(module, "jupyter_services", systemd.list)
    monkeypatch.setattr(module, "PERIOD", 0.01)
    return systemd


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    async with Fleet(Store([up("a"), up("b")]), lambda _host: Nobody()) as fleet:
        for name in ("a", "b"):
            fleet.add(Destination(name))
        yield fleet


@pytest.fixture
async def heard() -> Heard:
    return Heard()


@pytest.fixture
async def watch(fleet: Fleet, systemd: Systemd, heard: Heard) -> AsyncIterator[ServiceWatch]:
    watch = ServiceWatch(fleet, heard)
    yield watch
    await watch.close()


async def test_a_host_is_listed_at_once_and_again_and_only_what_differs_is_told(
    watch: ServiceWatch, systemd: Systemd, heard: Heard
) -> None:
    systemd.scripts["a"] = deque([ONE, ONE, ONE, TWO])
    watch.watch(["a"])
    await heard.news()
    assert watch.listing("a") == Listing(ONE)
    await heard.news()
    assert watch.listing("a") == Listing(TWO)
    await systemd.until_asked("a", 7)
    assert heard.hosts == ["a", "a"]
    assert watch.listing("b") == Listing()


async def test_the_period_grows_with_the_pace_and_a_wake_is_answered_at_once(
    watch: ServiceWatch, fleet: Fleet, systemd: Systemd, heard: Heard
) -> None:
    fleet.pace.factor = 1e6
    systemd.scripts = {"a": deque([ONE, TWO]), "b": deque([ONE])}
    watch.watch(["a", "b"])
    await systemd.until_asked("b", 1)
    await heard.news()
    watch.wake("a")
    await systemd.until_asked("a", 2)
    watch.wake()
    await systemd.until_asked("b", 2)
    await systemd.until_asked("a", 3)
    assert systemd.asked.count("b") == 2


async def test_a_host_that_is_away_is_not_asked(
    watch: ServiceWatch, fleet: Fleet, systemd: Systemd, heard: Heard
) -> None:
    fleet.store.apply(HostView("a", state=HostState.DOWN))
    systemd.scripts = {"a": deque([ONE]), "b": deque([ONE])}
    watch.watch(["a", "b"])
    await systemd.until_asked("b", 5)
    assert "a" not in systemd.asked
    fleet.store.apply(up("a"))
    await systemd.until_asked("a", 1)


@pytest.mark.parametrize("failure", [CommandError("systemctl hangs."), ValueError("unforeseen")])
async def test_a_failure_is_told_once_and_leaves_the_last_listing_and_passes(
    watch: ServiceWatch, systemd: Systemd, heard: Heard, failure: Exception
) -> None:
    systemd.scripts["a"] = deque([ONE, failure, failure, TWO])
    watch.watch(["a"])
    await heard.news()
    await heard.news()
    found = watch.listing("a")
    assert found.services == ONE
    assert str(found.error).startswith("systemctl hangs." if isinstance(failure, CommandError) else "jupytui made")
    await heard.news()
    assert watch.listing("a") == Listing(TWO)
    assert heard.hosts == ["a", "a", "a"]


async def test_a_host_that_hangs_delays_only_itself_and_what_is_watched_no_more_is_let_go(
    watch: ServiceWatch, systemd: Systemd, heard: Heard
) -> None:
    systemd.scripts = {"a": deque([HANGS]), "b": deque([ONE])}
    watch.watch(["a", "b"])
    await systemd.until_asked("b", 3)
    assert systemd.asked.count("a") == 1
    watch.watch(["b"])
    await systemd.until_asked("b", systemd.asked.count("b") + 2)
    assert "a" in systemd.left
    watch.watch(())
    await watch.close()
    asked = len(systemd.asked)
    await asyncio.sleep(0.05)  # five periods
    assert len(systemd.asked) == asked
    assert watch.listing("b") == Listing(ONE)


async def test_a_host_that_left_the_fleet_is_listed_no_more_and_the_others_are(
    watch: ServiceWatch, fleet: Fleet, systemd: Systemd
) -> None:
    systemd.scripts = {"a": deque([ONE]), "b": deque([ONE])}
    watch.watch(["a", "b"])
    await systemd.until_asked("a", 1)
    await fleet.remove("a")
    await systemd.until_asked("b", systemd.asked.count("b") + 3)
    asked = systemd.asked.count("a")
    await systemd.until_asked("b", systemd.asked.count("b") + 3)
    assert systemd.asked.count("a") == asked
