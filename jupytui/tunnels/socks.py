"""SOCKS as browsers and curl speak it: 5 without authentication (RFC 1928), and 4 and 4a; CONNECT only."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

from jupytui.tunnels.models import Address

Read = Callable[[int], Awaitable[bytes]]

CONNECT = 1
NO_AUTHENTICATION, NOTHING_ACCEPTABLE = 0, 0xFF
OK, FAILED, REFUSED, NOT_SUPPORTED, NO_SUCH_ADDRESS = 0, 1, 5, 7, 8  # RFC 1928, 6
SOCKS4_GRANTED, SOCKS4_REJECTED = 90, 91
LONGEST_NAME = 255
DEADLINE = 30.0  # seconds for a client to say where to


class SocksError(Exception):
    """It does not speak SOCKS, or wants what is not here; `reply` is what to tell it before closing."""

    def __init__(self, reply: bytes = b"") -> None:
        super().__init__()
        self.reply = reply


class Request:
    """What a client wants: `to`; `accepted` and `refused` are what to tell it when that is open, or cannot be."""

    def __init__(self, to: Address, version: int) -> None:
        self.to, self._version = to, version

    @property
    def accepted(self) -> bytes:
        """It is open. The address we are connected from there is not known, and nobody asks for it."""
        return _reply5(OK) if self._version == 5 else bytes([0, SOCKS4_GRANTED]) + bytes(6)

    def refused(self, error: BaseException) -> bytes:
        """It cannot be opened."""
        if self._version == 4:
            return bytes([0, SOCKS4_REJECTED]) + bytes(6)
        return _reply5(REFUSED if isinstance(error, ConnectionRefusedError) else FAILED)


async def read_request(sock: socket.socket) -> Request:
    """Read what the client behind `sock` wants and not a byte more. Raises SocksError, OSError, EOFError."""
    loop = asyncio.get_running_loop()

    async def read(count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = await loop.sock_recv(sock, count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    version = (await read(1))[0]
    if version == 4:
        return await _socks4(read)
    if version != 5:
        raise SocksError
    methods = await read((await read(1))[0])
    if NO_AUTHENTICATION not in methods:
        raise SocksError(bytes([5, NOTHING_ACCEPTABLE]))
    await loop.sock_sendall(sock, bytes([5, NO_AUTHENTICATION]))
    return await _socks5(read)


async def _socks5(read: Read) -> Request:
    version, command, _, kind = await read(4)
    if version != 5:
        raise SocksError
    host = await _host5(read, kind)
    port = int.from_bytes(await read(2), "big")
    if command != CONNECT:
        raise SocksError(_reply5(NOT_SUPPORTED))
    return Request(Address(host, port), 5)


async def _host5(read: Read, kind: int) -> str:
    if kind == 1:
        return str(ipaddress.IPv4Address(await read(4)))
    if kind == 4:
        return str(ipaddress.IPv6Address(await read(16)))
    if kind != 3:
        raise SocksError(_reply5(NO_SUCH_ADDRESS))
    return _name(await read((await read(1))[0]), _reply5(FAILED))


async def _socks4(read: Read) -> Request:
    command = (await read(1))[0]
    port = int.from_bytes(await read(2), "big")
    address = await read(4)
    await _text(read)  # who the client says it is
    rejected = bytes([0, SOCKS4_REJECTED]) + bytes(6)
    named = address[:3] == bytes(3) and address[3]
    host = _name(await _text(read), rejected) if named else str(ipaddress.IPv4Address(address))
    if command != CONNECT:
        raise SocksError(rejected)
    return Request(Address(host, port), 4)


async def _text(read: Read) -> bytes:
    text = b""
    while (byte := await read(1)) != b"\0":
        text += byte
        if len(text) > LONGEST_NAME:
            raise SocksError
    return text


def _name(raw: bytes, reply: bytes) -> str:
    try:
        name = raw.decode("ascii")
    except UnicodeDecodeError:
        raise SocksError(reply) from None
    if not name or not name.isprintable():
        raise SocksError(reply)
    return name


def _reply5(code: int) -> bytes:
    return bytes([5, code, 0, 1]) + bytes(6)
