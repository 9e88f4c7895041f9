"""What clients of SOCKS say is understood, or refused in their own words; not a byte too many is read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from jupytui.tunnels.models import Address
from jupytui.tunnels.socks import Request, SocksError, read_request

HELLO = b"\5\2\0\2"
PORT = (8888).to_bytes(2, "big")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, client = socket.socketpair()
    with ours, client:
        ours.setblocking(False)
        yield ours, client


async def understood(pair: tuple[socket.socket, socket.socket], said: bytes) -> Request:
    ours, client = pair
    client.sendall(said + b"rest")
    async with asyncio.timeout(5):
        request = await read_request(ours)
    assert ours.recv(100) == b"rest"
    return request


@pytest.mark.parametrize(
    ("said", "to"),
    [
        (HELLO + b"\5\1\0\3\4gpu1" + PORT, Address("gpu1", 8888)),
        (HELLO + b"\5\1\0\1\x0a\0\0\7" + PORT, Address("10.0.0.7", 8888)),
        (HELLO + b"\5\1\0\4" + bytes(15) + b"\1" + PORT, Address("::1", 8888)),
        (b"\4\1" + PORT + b"\x0a\0\0\7me\0", Address("10.0.0.7", 8888)),
        (b"\4\1" + PORT + b"\0\0\0\1\0gpu1\0", Address("gpu1", 8888)),
    ],
)
async def test_where_to(pair: tuple[socket.socket, socket.socket], said: bytes, to: Address) -> None:
    assert (await understood(pair, said)).to == to


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (b"GET / HTTP/1.1\r\n", b""),
        (b"\5\1\2", b"\5\xff"),  # only with a password
        (HELLO + b"\5\3\0\1\0\0\0\0" + PORT, b"\5\7\0\1" + bytes(6)),  # UDP
        (HELLO + b"\5\1\0\7", b"\5\x08\0\1" + bytes(6)),
        (HELLO + b"\5\1\0\3\2\xff\xfe" + PORT, b"\5\1\0\1" + bytes(6)),
        (HELLO + b"\5\1\0\3\0" + PORT, b"\5\1\0\1" + bytes(6)),
        (b"\4\2" + PORT + b"\x0a\0\0\7\0", b"\0\x5b" + bytes(6)),  # BIND
        (b"\4\1" + PORT + b"\0\0\0\1" + b"x" * 300, b""),
    ],
)
async def test_what_is_not_here(pair: tuple[socket.socket, socket.socket], said: bytes, reply: bytes) -> None:
    pair[1].sendall(said)
    with pytest.raises(SocksError) as caught:
        await read_request(pair[0])
    assert caught.value.reply == reply


async def test_an_end_in_the_middle(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[1].sendall(HELLO + b"\5\1")
    pair[1].shutdown(socket.SHUT_WR)
    with pytest.raises(EOFError):
        await read_request(pair[0])


@pytest.mark.parametrize(
    ("version", "error", "reply"),
    [(5, ConnectionRefusedError(), b"\5\5"), (5, OSError(), b"\5\1"), (4, OSError(), b"\0\x5b")],
)
def test_a_refusal_says_why(version: int, error: OSError, reply: bytes) -> None:
    assert Request(Address("x", 1), version).refused(error)[:2] == reply
