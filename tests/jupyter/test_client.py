"""The API client against servers that behave, and against ones that do not: real sockets, on this machine."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from jupytui.hosts.local import LocalHost
from jupytui.jupyter import http
from jupytui.jupyter.access import Access
from jupytui.jupyter.client import ApiStatus, Door, JupyterApi
from jupytui.jupyter.http import ApiError
from jupytui.jupyter.models import KernelState
from jupytui.secret import Secret

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TOKEN = Secret("s3cret")


def answer(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more))
    return head.encode() + b"\r\n" + body


class Served:
    """A server that gives `replies` by path, keeps what it was asked, and counts its connections."""

    def __init__(self, replies: dict[str, bytes]) -> None:
        self.replies = replies
        self.requests: list[str] = []
        self.connections = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(request)
                path = request.split()[1].partition("?")[0]
                writer.write(self.replies.get(path, answer(b"{}", "404 Not Found")))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def serving(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    writers: list[asyncio.StreamWriter] = []
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        await handle(reader, writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def talking(
    handle: Handler, *, tls: ssl.SSLContext | None = None, token: Secret = TOKEN
) -> AsyncIterator[JupyterApi]:
    async with serving(handle, tls) as port:
        api = JupyterApi(LocalHost(), Access("127.0.0.1", port, tls=tls is not None, token=token))
        try:
            yield api
        finally:
            await api.close()


async def test_what_would_count_as_activity_says_that_it_is_none() -> None:
    lists, fields = ["/api/kernels", "/api/sessions"], ["/api", "/api/status"]
    served = Served({path: answer(b"[]") for path in lists} | {path: answer(b"{}") for path in fields})
    async with talking(served.handle) as api:
        await api.kernels()
        await api.sessions()
        await api.version()
        await api.status()
    assert [request.split()[1] for request in served.requests] == [
        f"{path}?no_track_activity=1" for path in [*lists, *fields]
    ]


async def test_the_host_header_is_one_a_server_lets_in_and_the_token_is_sent() -> None:
    served = Served({"/api/kernels": answer(b"[]")})
    async with talking(served.handle) as api:
        await api.kernels()
        assert f"Host: localhost:{api.access.port}\r\n" in served.requests[0]
    assert "Authorization: token s3cret\r\n" in served.requests[0]


async def test_a_stranger_sends_no_token() -> None:
    served = Served({"/api/status": answer(b"{}", "403 Forbidden")})
    async with talking(served.handle) as api:
        assert await api.door() is Door.SHUT
    assert "uthorization" not in served.requests[0]


async def test_where_there_is_a_login_page_nobody_tries_the_door() -> None:
    served = Served({"/login": answer(b"<input name=password>"), "/api/status": answer(b"{}")})
    async with talking(served.handle) as api:
        assert await api.door() is Door.SHUT
    assert len(served.requests) == 1


@pytest.mark.parametrize(
    ("reply", "door"),
    [
        (answer(b'{"started": "x"}'), Door.OPEN),
        (answer(b"[1]"), Door.UNCLEAR),
        (answer(b"", "302 Found", "Location: http://evil.example/hub/login"), Door.SHUT),
        (answer(b"", "401 Unauthorized"), Door.SHUT),
        (answer(b"", "500 Oops"), Door.UNCLEAR),
    ],
)
async def test_what_a_stranger_meets(reply: bytes, door: Door) -> None:
    async with talking(Served({"/api/status": reply}).handle) as api:
        assert await api.door() is door


async def test_kernels_and_sessions_are_read() -> None:
    kernels = (
        b'[{"id": "k1", "name": "python3", "last_activity": "2026-11-20T10:00:00.5Z", "execution_state": "busy",'
        b' "connections": 2}, {"id": "k2", "execution_state": "on fire", "connections": -1}]'
    )
    sessions = (
        b'[{"path": "a.ipynb", "kernel": {"id": "k1"}}, {"notebook": {"path": "old.ipynb"}, "kernel": {"id": "k2"}}]'
    )
    status = b'{"started": "2026-11-20T09:00:00Z", "last_activity": "2026-11-20T10:00:00+01:00"}'
    replies = {"/api/kernels": kernels, "/api/sessions": sessions, "/api/status": status}
    async with talking(Served({path: answer(body) for path, body in replies.items()}).handle) as api:
        first, second = await api.kernels()
        assert (first.id, first.name, first.state, first.connections) == ("k1", "python3", KernelState.BUSY, 2)
        assert first.last_activity == datetime(2026, 11, 20, 10, 0, 0, 500_000, UTC)
        assert (second.state, second.connections) == (KernelState.UNKNOWN, None)
        assert await api.sessions() == {"k1": "a.ipynb", "k2": "old.ipynb"}
        assert await api.status() == ApiStatus(
            datetime(2026, 11, 20, 9, tzinfo=UTC), datetime(2026, 11, 20, 9, tzinfo=UTC)
        )


@pytest.mark.parametrize(
    "body",
    [
        b"null", b"{}", b'"x"', b"[1, null, []]", b'[{"id": 7}]', b'[{"id": ["k"]}]', b'[{"id": ""}]',
        b'[{"id": "a\\u001b[2J"}]',
    ],
)  # fmt: skip
async def test_answers_of_wrong_types_are_no_kernels(body: bytes) -> None:
    async with talking(Served({"/api/kernels": answer(body), "/api/sessions": answer(body)}).handle) as api:
        assert await api.kernels() == ()
        assert await api.sessions() == {}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b'[{"id": "k", "execution_state": [1]}']
)
async def test_answers_that_are_no_json_are_an_error_of_ours(body: bytes) -> None:
    async with talking(Served({"/api/kernels": answer(body)}).handle) as api:
        with pytest.raises(ApiError):
            await api.kernels()


async def test_escape_sequences_in_names_do_not_come_through() -> None:
    body = b'[{"id": "k", "name": "a[/][@click=app.quit]\\u001b]52;c;aGk=\\u0007", "last_activity": "9999-99-99"}]'
    async with talking(Served({"/api/kernels": answer(body)}).handle) as api:
        (kernel,) = await api.kernels()
        assert kernel.name == "a[/][@click=app.quit]\N{REPLACEMENT CHARACTER}]52;c;aGk=\N{REPLACEMENT CHARACTER}"
        assert kernel.last_activity is None


async def test_one_connection_is_kept_and_a_dead_one_is_replaced() -> None:
    served = Served({"/api": answer(b'{"version": "2"}')})
    async with talking(served.handle) as api:
        assert [await api.version(), await api.version()] == ["2", "2"]
        assert served.connections == 1
        served.replies["/api"] = answer(b'{"version": "3"}', "200 OK", "Connection: close")
        await api.version()
        await api.version()
    assert served.connections == 2


async def test_a_server_that_drops_kept_connections_is_asked_again() -> None:
    drops = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal drops
        drops += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b'{"version": "2"}'))
        await reader.readuntil(b"\r\n\r\n")
        writer.close()  # the second request on a connection goes unanswered

    async with talking(handle) as api:
        assert [await api.version() for _ in range(3)] == ["2"] * 3
    assert drops == 3


async def test_a_change_is_sent_once_even_if_the_connection_dies() -> None:
    asked: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    async with talking(handle) as api:
        with pytest.raises(ApiError):
            await api.restart("k")
    assert len(asked) == 1


async def test_redirects_are_not_followed() -> None:
    elsewhere = Served({"/api/kernels": answer(b"[]")})
    async with serving(elsewhere.handle) as port:
        away = answer(b"", "302 Found", f"Location: http://127.0.0.1:{port}/api/kernels")
        async with talking(Served({"/api/kernels": away}).handle) as api:
            with pytest.raises(ApiError):
                await api.kernels()
    assert elsewhere.requests == []


async def test_an_endless_answer_is_given_up() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(ConnectionError):
            for _ in range(10_000):
                writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                await writer.drain()

    async with talking(handle) as api:
        with pytest.raises(ApiError):
            await api.kernels()


async def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(handle) as port:
        client = http.HttpClient(LocalHost(), Access("127.0.0.1", port))
        with pytest.raises(ApiError, match="does not answer"):
            await client.request("GET", "/", {}, deadline=0.05)


@pytest.mark.parametrize(
    "reply", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]", b"\0" * 999]
)
async def test_what_is_no_http_is_an_error_of_ours(reply: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    async with talking(handle) as api:
        with pytest.raises(ApiError):
            await api.kernels()


async def test_a_token_that_fits_in_no_header_is_an_error_that_does_not_show_it() -> None:
    served = Served({})
    async with talking(served.handle, token=Secret("hunter2\r\nX-Evil: 1")) as api:
        with pytest.raises(ApiError) as caught:
            await api.kernels()
    assert "hunter2" not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"
    assert served.requests == []


async def test_a_unix_socket_is_spoken_to(home: Path) -> None:
    served = Served({"/api": answer(b'{"version": "2"}')})
    server = await asyncio.start_unix_server(served.handle, home / "j.sock")
    api = JupyterApi(LocalHost(), Access(sock=str(home / "j.sock")))
    assert await api.version() == "2"
    assert "Host: localhost\r\n" in served.requests[0]
    await api.close()
    server.close()
    await asyncio.sleep(0)


async def test_a_certificate_nobody_vouches_for_is_accepted_and_told() -> None:
    authority = trustme.CA(organization_name="Nobody")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    async with talking(Served({"/api": answer(b'{"version": "2"}')}).handle, tls=context) as api:
        assert api.tls is None
        assert [await api.version(), await api.version()] == ["2", "2"]
        assert api.tls
        assert api.tls.self_signed is False
        assert api.tls.not_after and api.tls.not_after > datetime.now(UTC)
        assert api.tls.issuer


async def test_plain_http_where_tls_was_expected_is_an_error_of_ours() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer(b"", "400 Bad Request"))

    async with talking(handle, tls=None) as plain:
        api = JupyterApi(LocalHost(), Access("127.0.0.1", plain.access.port, tls=True))
        with pytest.raises(ApiError, match="TLS"):
            await api.version()
        await api.close()
