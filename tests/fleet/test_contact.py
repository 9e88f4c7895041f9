"""When a server is asked, and when it is left in peace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from jupytui.fleet.contact import Contact
from jupytui.hosts.local import LocalHost
from jupytui.jupyter.access import Access
from jupytui.jupyter.models import Health
from jupytui.secret import Secret

BODIES = {"/api/kernels": b"[]", "/api/sessions": b"[]"}


class Server:
    """A Jupyter that lets in whoever has a token, as far as a Contact can tell."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails = False

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                path = request.split()[1].partition(b"?")[0].decode()
                self.asked.append(path)
                body = BODIES.get(path, b'{"version": "2"}')
                stranger = path == "/api/status" and b"token" not in request
                status = b"500" if self.fails else b"403" if stranger else b"200"
                writer.write(b"HTTP/1.1 %s X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@pytest.fixture
async def server() -> Server:
    return Server()


@pytest.fixture
async def contact(server: Server) -> AsyncIterator[Contact]:
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    made = Contact(LocalHost(), Access("127.0.0.1", port, token=Secret("t")))
    yield made
    await made.close()
    listening.close()


async def look(contact: Contact, server: Server, trace: object) -> list[str]:
    """One look; what was asked in it."""
    server.asked.clear()
    contact.ask_if_due()
    contact.moved_to(trace)
    if contact.waiting:
        await asyncio.wait([contact.waiting])
    return list(server.asked)


async def test_a_server_is_asked_when_something_moved_and_once_more(contact: Contact, server: Server) -> None:
    first = await look(contact, server, 1)
    assert first == ["/login", "/api/status", "/api", "/api/kernels", "/api/sessions", "/api/status"]
    await look(contact, server, 1)
    assert await look(contact, server, 1) == []
    assert await look(contact, server, 2) == ["/api/kernels"]
    assert await look(contact, server, 2) == ["/api/kernels"]  # a kernel runs before its server hears of it
    assert await look(contact, server, 2) == []


async def test_where_movement_cannot_be_seen_it_is_asked_at_every_look(contact: Contact, server: Server) -> None:
    for _ in range(4):
        assert await look(contact, server, None)


async def test_a_server_that_failed_is_asked_again_for_everything(contact: Contact, server: Server) -> None:
    await look(contact, server, 1)
    assert contact.answers.health is Health.OK
    server.fails = True
    await look(contact, server, 2)
    assert (contact.answers.health, contact.answers.kernels) == (Health.SILENT, None)
    server.fails = False
    await look(contact, server, 2)
    assert (contact.answers.health, contact.answers.kernels) == (Health.OK, ())
