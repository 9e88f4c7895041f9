"""The bad network is as bad as it says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.lab.proxy import Proxy


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def _round_trip(proxy: Proxy, data: bytes) -> float:
    began = time.monotonic()
    reader, writer = await asyncio.open_connection(proxy.address, proxy.port)
    writer.write(data)
    writer.write_eof()
    assert await reader.read(-1) == data
    writer.close()
    await writer.wait_closed()
    return time.monotonic() - began


async def test_everything_arrives_unchanged_and_is_counted(echo_port: int) -> None:
    async with Proxy("127.0.0.1", echo_port) as proxy:
        await _round_trip(proxy, b"x" * 1_000_000)
        assert (proxy.accepted, proxy.carried) == (1, 2_000_000)


async def test_a_delay_is_paid_once_each_way_not_for_every_chunk(echo_port: int) -> None:
    async with Proxy("127.0.0.1", echo_port, delay=0.1) as proxy:
        assert 0.2 <= await _round_trip(proxy, b"x" * 500_000) < 1.0


async def test_a_bandwidth_is_not_exceeded(echo_port: int) -> None:
    async with Proxy("127.0.0.1", echo_port, bandwidth=500_000) as proxy:
        assert await _round_trip(proxy, b"x" * 100_000) >= 0.2


async def test_a_stalled_network_says_nothing_and_loses_nothing(echo_port: int) -> None:
    async with Proxy("127.0.0.1", echo_port) as proxy:
        proxy.stall()
        trip = asyncio.create_task(_round_trip(proxy, b"x"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(trip), 0.2)
        proxy.resume()
        await trip


async def test_a_reset_breaks_open_connections_and_lets_new_ones_in(echo_port: int) -> None:
    async with Proxy("127.0.0.1", echo_port) as proxy:
        reader, writer = await asyncio.open_connection(proxy.address, proxy.port)
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        await proxy.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()
        await _round_trip(proxy, b"again")
