"""When a server is asked, and when it is left in peace."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme

from jupytui.errors import JupytuiError
from jupytui.fleet.contact import Contact, auth_of
from jupytui.hosts.base import HostState, HostTrouble
from jupytui.hosts.local import LocalHost
from jupytui.jupyter.access import Access
from jupytui.jupyter.client import Door
from jupytui.jupyter.models import Auth, Health
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


@contextlib.asynccontextmanager
async def listening(server: Server, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port it is reached at."""
    there = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=tls)
    yield there.sockets[0].getsockname()[1]
    there.close()


@pytest.fixture
async def contact(server: Server) -> AsyncIterator[Contact]:
    async with listening(server) as port:
        made = Contact(LocalHost(), Access("127.0.0.1", port, token=Secret("t")))
        yield made
        await made.close()


async def look(contact: Contact, server: Server, trace: object) -> list[str]:
    """One look; what was asked in it."""
    server.asked.clear()
    contact.ask_if_due()
    contact.moved_to(trace)
    if contact.waiting:
        await asyncio.wait(contact.waiting)
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


async def test_the_files_of_a_server_are_read_once_and_believed(server: Server) -> None:
    said: list[JupytuiError | bool] = [HostTrouble(HostState.DOWN, "lost"), True, False]

    async def files() -> bool:
        word = said.pop(0)
        if isinstance(word, JupytuiError):
            raise word
        return word

    async with listening(server) as port:
        contact = Contact(LocalHost(), Access("127.0.0.1", port, token=Secret("t")), files)
        for trace in range(4):
            await look(contact, server, trace)
        assert (contact.answers.password, said) == (True, [False])
        server.fails = True
        await look(contact, server, 5)
        assert contact.answers.password
        await contact.close()


async def test_a_certificate_that_was_replaced_is_seen_when_somebody_asks_and_after_a_while(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def serve(issuer: str) -> None:
        trustme.CA(organization_name=issuer).issue_cert("localhost").configure_cert(context)

    async def issuer(contact: Contact) -> str | None:
        await look(contact, server, None)
        return contact.answers.tls.issuer if contact.answers.tls else None

    serve("first")
    async with listening(server, context) as port:
        contact = Contact(LocalHost(), Access("127.0.0.1", port, tls=True, token=Secret("t")))
        first = await issuer(contact)
        serve("second")
        assert await issuer(contact) == first
        contact.renew()
        second = await issuer(contact)
        assert second != first
        serve("third")
        monkeypatch.setattr("jupytui.fleet.contact.FULL", 0.0)
        assert await issuer(contact) == second
        monkeypatch.setattr("jupytui.fleet.contact.SHOWN", 0.0)
        assert await issuer(contact) not in {first, second}
        await contact.close()


@pytest.mark.parametrize(
    ("door", "token", "password", "auth"),
    [
        (Door.SHUT, True, True, Auth.BOTH),
        (Door.SHUT, True, False, Auth.TOKEN),
        (Door.SHUT, False, False, Auth.PASSWORD),
        (Door.OPEN, False, False, Auth.NONE),
        (None, True, True, Auth.UNKNOWN),
    ],
)
def test_how_a_server_lets_people_in(door: Door | None, token: bool, password: bool, auth: Auth) -> None:
    assert auth_of(door, token, password) is auth
