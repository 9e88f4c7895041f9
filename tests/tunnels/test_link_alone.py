"""What a link does with a host that answers by script; nothing is dialled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from jupytui.errors import UsageError
from jupytui.hosts.base import Host, HostState, HostTrouble, Nobody, Prompter, SecretPrompt
from jupytui.secret import Secret
from jupytui.tunnels.backoff import Backoff
from jupytui.tunnels.link import Link
from jupytui.tunnels.models import TunnelState
from tests.tunnels.scripted import Scripted

SOON = 10.0


class Slow(Nobody):
    """Somebody who answers when told to."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        await self.answers.wait()
        return Secret("wrong")


class Rig:
    """A link to the hosts that were made in turn, each prepared by `prepare`."""

    def __init__(self, prepare: Callable[[Scripted], None], prompter: Prompter | None = None) -> None:
        self.prepare = prepare
        self.hosts: list[Scripted] = []
        self._news = asyncio.Event()
        self.link = Link(self._open, prompter or Nobody(), self._news.set, Backoff(lambda _low, _high: 3600.0))
        self.link.start()

    def _open(self, prompter: Prompter) -> Host:
        host = Scripted("gpu", prompter)
        self.prepare(host)
        self.hosts.append(host)
        return host

    @property
    def tries(self) -> int:
        return sum(host.tries for host in self.hosts)

    async def until(self, state: TunnelState) -> None:
        async with asyncio.timeout(SOON):
            while self.link.state is not state:
                self._news.clear()
                await self._news.wait()


Start = Callable[..., Rig]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    rigs: list[Rig] = []

    def make(prepare: Callable[[Scripted], None], prompter: Prompter | None = None) -> Rig:
        rigs.append(Rig(prepare, prompter))
        return rigs[-1]

    yield make
    for rig in rigs:
        await rig.link.close()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def failing(state: HostState, *, asks: bool = False) -> Callable[[Scripted], None]:
    def prepare(host: Scripted) -> None:
        host.trouble, host.asks = HostTrouble(state, "It says no."), asks

    return prepare


@pytest.mark.parametrize("state", [HostState.AUTH_FAILED, HostState.KEY_CHANGED])
async def test_after_a_sleep_what_the_host_refused_is_not_tried_again(start: Start, state: HostState) -> None:
    rig = start(failing(state))
    await rig.until(TunnelState.FAILED)
    rig.link.doubt()
    await settle()
    assert (rig.tries, rig.link.state) == (1, TunnelState.FAILED)


async def test_after_a_sleep_what_nobody_answered_is_not_asked_again(start: Start) -> None:
    rig = start(failing(HostState.AUTH_FAILED, asks=True))
    await rig.until(TunnelState.ASKING)
    rig.link.doubt()
    await settle()
    assert (rig.tries, rig.link.state) == (1, TunnelState.ASKING)


async def test_a_sleep_while_a_person_is_asked_does_not_have_a_wrong_answer_tried_twice(start: Start) -> None:
    person = Slow()
    rig = start(failing(HostState.AUTH_FAILED, asks=True), person)
    await rig.until(TunnelState.ASKING)
    rig.link.doubt()
    person.answers.set()
    await rig.until(TunnelState.FAILED)
    await settle()
    assert rig.tries == 1


async def test_after_a_sleep_what_waits_for_its_next_try_is_tried_at_once(start: Start) -> None:
    rig = start(failing(HostState.UNREACHABLE))
    await rig.until(TunnelState.WAITING)
    rig.hosts[0].trouble = None
    rig.link.doubt()
    await rig.until(TunnelState.UP)


async def test_a_new_try_goes_to_where_hosts_toml_says_by_now(start: Start) -> None:
    rig = start(failing(HostState.UNREACHABLE))
    await rig.until(TunnelState.WAITING)
    rig.prepare = lambda _host: None
    rig.link.retry()
    await rig.until(TunnelState.UP)
    former, now = rig.hosts
    assert former.closed
    assert rig.link.host is now


async def test_a_new_try_leaves_the_address_that_it_hangs_at(start: Start) -> None:
    rig = start(lambda host: setattr(host, "hangs", True))
    await settle()
    assert rig.link.state is TunnelState.CONNECTING
    rig.prepare = lambda _host: None
    rig.link.retry()
    await rig.until(TunnelState.UP)


async def test_a_host_that_is_listed_no_more_is_said_to_be_so_and_tried_on(start: Start) -> None:
    def gone(_host: Scripted) -> None:
        raise UsageError("There is no host 'gpu'.")

    rig = start(failing(HostState.UNREACHABLE))
    await rig.until(TunnelState.WAITING)
    rig.prepare = gone
    with pytest.raises(UsageError, match="no host 'gpu'"):
        rig.link.retry()
    assert rig.link.state is TunnelState.WAITING
    assert not rig.hosts[0].closed
