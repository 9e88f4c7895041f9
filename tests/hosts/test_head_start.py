"""Connections that are begun while asyncssh is still being imported."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from jupytui.hosts.head_start import AT_ONCE, HeadStarts
from jupytui.hosts.ssh_config import Resolved


class Door:
    """Counts who comes and who leaves."""

    def __init__(self) -> None:
        self.open = 0
        self.moved = asyncio.Condition()

    async def let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._move(1)
        await reader.read()
        writer.close()
        await self._move(-1)

    async def _move(self, by: int) -> None:
        async with self.moved:
            self.open += by
            self.moved.notify_all()

    async def until(self, number: int) -> None:
        async with self.moved:
            await self.moved.wait_for(lambda: self.open == number)


@pytest.fixture
async def door() -> Door:
    return Door()


@pytest.fixture
async def hop(door: Door) -> AsyncIterator[Resolved]:
    server = await asyncio.start_server(door.let_in, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Resolved("box", "127.0.0.1", "alice", port)


async def test_what_nobody_took_is_closed(door: Door, hop: Resolved) -> None:
    async with HeadStarts().one(hop):
        await door.until(1)
    await door.until(0)


async def test_what_was_taken_stays_open_and_is_there_only_once(door: Door, hop: Resolved) -> None:
    async with HeadStarts().one(hop) as start:
        assert start
        sock = await start.take()
        assert await start.take() is None
    assert sock
    await door.until(1)
    sock.close()
    await door.until(0)


async def test_there_are_never_more_than_an_sshd_takes(door: Door, hop: Resolved) -> None:
    starts = HeadStarts()
    async with AsyncExitStack() as stack:
        begun = [await stack.enter_async_context(starts.one(hop)) for _ in range(AT_ONCE + 2)]
        assert len(list(filter(None, begun))) == AT_ONCE
        await door.until(AT_ONCE)
    async with starts.one(hop) as start:
        assert start


async def test_a_host_behind_another_has_none(hop: Resolved) -> None:
    for behind in (replace(hop, jumps=("bastion",)), replace(hop, proxy_command="nc")):
        async with HeadStarts().one(behind) as start:
            assert start is None


async def test_a_refusal_is_told_to_whoever_takes_it(hop: Resolved) -> None:
    async with HeadStarts().one(replace(hop, port=1)) as start:
        assert start
        with pytest.raises(ConnectionRefusedError):
            await start.take()
    async with HeadStarts().one(replace(hop, port=1)):
        pass
