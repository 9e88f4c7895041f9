"""The faster way of a tunnel's bytes: nothing is lost, changed or out of order, and a forged packet ends it all."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from jupytui.hosts.base import Host
from jupytui.hosts.express import Express
from jupytui.hosts.relay import WINDOW
from jupytui.hosts.sockets import LITTLE
from jupytui.hosts.ssh import SshHost
from tests.hosts.account import Account
from tests.hosts.processes import until
from tests.hosts.sshd import Sshd
from tests.lab.proxy import Proxy


class Client(asyncio.Protocol):
    """Collects what comes; `error` is why it ended, when that was no good end."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.got = bytearray()
        self.ended = asyncio.Event()
        self.error: Exception | None = None
        self.transport: asyncio.Transport
        self._deaf = deaf
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        if self._deaf:
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self.got += data

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.error = exc
        self.ended.set()

    async def say(self, data: bytes) -> None:
        """Send `data` in pieces of any size, and then the end."""
        rest = memoryview(data)
        while rest:
            size = random.choice([1, 100, 5000, 70_000, 300_000])
            self.transport.write(rest[:size])
            rest = rest[size:]
            await self._writable.wait()
        self.transport.write_eof()


@asynccontextmanager
async def echoing() -> AsyncIterator[int]:
    """A server that says everything again; its port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(random.choice([10, 3000, 200_000])):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def is_on_it(host: Host) -> bool:
    assert isinstance(host, SshHost)
    assert host._line and host._line.connection._transport
    return isinstance(host._line.connection._transport.get_protocol(), Express)


async def echoed(host: Host, port: int, data: bytes) -> bytes:
    client = Client()
    await host.attach_tcp(client, "127.0.0.1", port)
    await client.say(data)
    await client.ended.wait()
    assert client.error is None
    return bytes(client.got)


@pytest.mark.parametrize("lines", [[], ["RekeyLimit 1M"], ["Ciphers chacha20-poly1305@openssh.com"]])
async def test_bytes_cross_unchanged_through_many_channels(lines: list[str], sshd: Sshd, account: Account) -> None:
    """Also while keys are exchanged anew, every MiB; and with a cipher that goes the slower way."""
    sshd.start(*lines)
    host = account.open("box")
    await host.connect()
    said = [secrets.token_bytes(3_000_000 + number) for number in range(5)]
    async with echoing() as port:
        assert await asyncio.gather(*(echoed(host, port, data) for data in said)) == said
    assert is_on_it(host) is (not lines or "Rekey" in lines[0])
    assert (await host.run("echo still here")).stdout == b"still here\n"
    await host.close()


async def test_a_far_machine_may_have_more_under_way(sshd: Sshd, account: Account) -> None:
    """Nothing is read here, so what crosses is what the window allows."""
    sshd.start()

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(8 * WINDOW))
        await reader.read()
        writer.transport.abort()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    async with server, Proxy("127.0.0.1", sshd.port, delay=0.025) as proxy:
        account.know(proxy.port, sshd.key)
        account.add_host("far", proxy.port)
        host = account.open("far")
        await host.connect()
        client = Client(deaf=True)
        await host.attach_tcp(client, "127.0.0.1", server.sockets[0].getsockname()[1])
        await until(lambda: proxy.carried > 4 * WINDOW)
        client.transport.abort()
        await host.close()


async def test_on_a_way_as_short_as_this_little_waits_in_the_socket(box: Host) -> None:
    async with echoing() as port:
        assert await echoed(box, port, b"a") == b"a"
    assert isinstance(box, SshHost)
    assert box._line
    sock = box._line.connection.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 2 * LITTLE


class Forger:
    """Passes everything on, until it is told to change a bit of what the server sends."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.forging = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._pass_on(reader, far_writer, changing=False))
            both.create_task(self._pass_on(far_reader, writer, changing=True))

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, changing: bool) -> None:
        try:
            while data := bytearray(await source.read(65536)):
                if changing and self.forging:
                    data[len(data) // 2] ^= 1
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()


@pytest.mark.parametrize("size", [100, 100_000])
async def test_a_forged_packet_ends_the_connection_and_nothing_of_it_is_delivered(
    size: int, sshd: Sshd, account: Account
) -> None:
    sshd.start()
    unhandled: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unhandled.append(context))
    forger = Forger(sshd.port)
    between = await asyncio.start_server(forger.serve, "127.0.0.1", 0)
    async with between, echoing() as port:
        account.know(between.sockets[0].getsockname()[1], sshd.key)
        account.add_host("forged", between.sockets[0].getsockname()[1])
        host = account.open("forged")
        await host.connect()
        client = Client()
        await host.attach_tcp(client, "127.0.0.1", port)
        data = secrets.token_bytes(size)
        client.transport.write(data)
        await until(lambda: len(client.got) == len(data))
        assert is_on_it(host)
        forger.forging = True
        client.transport.write(data)
        await client.ended.wait()
        assert client.error
        assert (data + data).startswith(client.got)
        assert len(client.got) < 2 * len(data)
        assert not unhandled
        await host.close()
