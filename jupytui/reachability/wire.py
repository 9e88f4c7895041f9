"""One request at a time, each over a connection of its own, with an eye for how it fails.

`jupyter.http` says in one sentence that a server does not answer; here it matters whether it was refused, reset, silent
or cut, so errors pass as they come: OSError (ssl.SSLError, TimeoutError), EOFError, h11.ProtocolError, HostTrouble.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import ssl
from collections.abc import Mapping, Sequence

import h11

from jupytui.hosts.base import Host, Stream
from jupytui.jupyter.http import Reply
from jupytui.jupyter.tls import TlsStream
from jupytui.reachability.target import Target

MAX_BODY = 2**16
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
_PING = 0x89
_PONG = 0x8A


class Wire:
    """Reaches a target from a host; `addresses` are those its name has there, `deadline` is seconds per attempt."""

    def __init__(self, host: Host, target: Target, context: ssl.SSLContext, deadline: float) -> None:
        self._host, self.target, self._context, self.deadline = host, target, context, deadline
        self.address = target.host

    async def connect(self, address: str = "") -> Stream:
        """Open a TCP connection."""
        return await self._host.open_tcp(address or self.address, self.target.port)

    async def open(self) -> Stream:
        """Open a connection, with TLS and its certificate verified where the target has it."""
        stream = await self.connect()
        return await self.secure(stream, self._context) if self.target.tls else stream

    async def secure(self, stream: Stream, context: ssl.SSLContext | None) -> TlsStream:
        """Speak TLS on `stream`, which is closed when that fails; nothing is verified without a context."""
        secured = TlsStream(stream, context, self.target.host)
        try:
            await secured.handshake()
        except BaseException:
            await stream.close()
            raise
        return secured

    async def request(
        self, method: str, path: str, headers: Mapping[str, bytes] | None = None, body: bytes = b""
    ) -> Reply:
        """Ask once; the body is cut at 64 KiB. `path` is below the target's base_url."""
        event = self._event(method, path, {"Connection": b"close", "Content-Length": b"%d" % len(body)}, headers)
        async with asyncio.timeout(self.deadline):
            stream = await self.open()
            try:
                return await _exchange(stream, event, body)
            finally:
                await stream.close()

    async def upgrade(self, path: str, headers: Mapping[str, bytes]) -> tuple[Reply, bool]:
        """Ask for a websocket; the answer, and whether a ping through it came back."""
        key = base64.b64encode(os.urandom(16))
        asked = {"Connection": b"Upgrade", "Upgrade": b"websocket"}
        asked |= {"Sec-WebSocket-Version": b"13", "Sec-WebSocket-Key": key, "Origin": self.target.origin.encode()}
        async with asyncio.timeout(self.deadline):
            stream = await self.open()
            try:
                return await _websocket(stream, self._event("GET", path, asked, headers), key, self.deadline / 2)
            finally:
                await stream.close()

    def _event(
        self, method: str, path: str, always: Mapping[str, bytes], headers: Mapping[str, bytes] | None
    ) -> h11.Request:
        named = {"Host": self.target.netloc.encode(), "User-Agent": b"jupytui", **always, **(headers or {})}
        fields = [(name.encode(), value) for name, value in named.items()]
        target = path if path.startswith("/") else self.target.base_url + path
        return h11.Request(method=method, target=target, headers=fields)


async def _exchange(stream: Stream, event: h11.Request, body: bytes) -> Reply:
    http = h11.Connection(h11.CLIENT)
    sent = [http.send(event), http.send(h11.Data(data=body)) if body else b"", http.send(h11.EndOfMessage())]
    await stream.write(b"".join(data for data in sent if data))
    reply = await _head(stream, http)
    chunks, size = [], 0
    while size < MAX_BODY and isinstance(part := await _next(stream, http), h11.Data):
        chunks.append(bytes(part.data))
        size += len(chunks[-1])
    return Reply(reply.status, b"".join(chunks)[:MAX_BODY], reply.headers)


async def _websocket(stream: Stream, event: h11.Request, key: bytes, patience: float) -> tuple[Reply, bool]:
    http = h11.Connection(h11.CLIENT)
    await stream.write((http.send(event) or b"") + (http.send(h11.EndOfMessage()) or b""))
    reply = await _head(stream, http)
    if reply.status != 101 or dict(reply.headers).get(b"sec-websocket-accept") != _accepted(key):
        return reply, False
    try:
        async with asyncio.timeout(patience):
            return reply, await _ping(stream, http.trailing_data[0])
    except (TimeoutError, OSError):
        return reply, False


def _accepted(key: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(key + _GUID).digest())


async def _ping(stream: Stream, seen: bytes) -> bool:
    payload, mask = os.urandom(8), os.urandom(4)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    await stream.write(bytes([_PING, 0x80 | len(payload)]) + mask + masked)
    answer = bytes([_PONG, len(payload)]) + payload
    while answer not in seen and len(seen) < MAX_BODY and (data := await stream.read()):
        seen += data
    return answer in seen


async def _head(stream: Stream, http: h11.Connection) -> Reply:
    while not isinstance(event := await _next(stream, http), h11.Response | h11.InformationalResponse) or (
        event.status_code < 200 and event.status_code != 101
    ):
        if not isinstance(event, h11.InformationalResponse):
            raise h11.RemoteProtocolError("no answer")
    headers: Sequence[tuple[bytes, bytes]] = tuple(event.headers)
    return Reply(event.status_code, b"", headers)


async def _next(stream: Stream, http: h11.Connection) -> object:
    while (event := http.next_event()) is h11.NEED_DATA:
        data = await stream.read()
        if not data and http.their_state is h11.SEND_RESPONSE and not http.trailing_data[0]:
            raise EOFError
        http.receive_data(data)
    return event
