"""What stands in the way before Jupyter is asked anything: ports, certificates and proxies, each by its own cause."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from jupytui.errors import UsageError
from jupytui.hosts.local import LocalHost
from jupytui.reachability.check import Check
from jupytui.reachability.models import Cause, Expected, FarLook, Outcome, Part
from jupytui.reachability.target import Target
from jupytui.secret import Secret
from tests.reachability.servers import DOMAIN, Answer, failed, free_port, stand_in

pytestmark = pytest.mark.timeout(300)
MARK = "marker-of-a-secret"


def answering(text: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(1) == b"\x16":  # a TLS handshake
            return
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        await writer.drain()

    return answer


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    # A close with linger 0 sends a reset.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_a_name_that_nobody_has() -> None:
    assert failed(await Check("https://no-such-machine.invalid/", LocalHost()).report()) == (Part.NAME, Cause.NO_NAME)


async def test_a_port_where_nothing_listens() -> None:
    report = await Check(f"http://127.0.0.1:{free_port()}", LocalHost()).report()
    assert failed(report) == (Part.CONNECT, Cause.REFUSED)


async def test_refused_means_something_else_when_the_machine_says_that_it_listens_or_that_it_does_not() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    report = await Check(url, LocalHost(), far=FarLook(True, "all")).report()
    assert failed(report) == (Part.CONNECT, Cause.REJECTED)
    assert failed(await Check(url, LocalHost(), far=FarLook(False)).report()) == (Part.CONNECT, Cause.NOT_LISTENING)
    report = await Check(url, LocalHost(), far=FarLook(True, "10.1.2.3")).report()
    assert failed(report) == (Part.CONNECT, Cause.OTHER_ADDRESS)


async def test_silence_is_not_a_refusal_and_ends_by_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):  # the queue is full: the next SYN is dropped
            report = await Check(f"http://127.0.0.1:{port}", LocalHost(), deadline=0.5).report()
            assert failed(report) == (Part.CONNECT, Cause.FILTERED)
            report = await Check(
                f"http://127.0.0.1:{port}", LocalHost(), far=FarLook(True, "all"), deadline=0.5
            ).report()
    assert report.failed and f"listening, but port {port} is filtered between us" in report.failed.words


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (answering(b"SSH-2.0-OpenSSH_9.2\r\n"), Cause.NOT_HTTP),
        (answering(b""), Cause.CLOSED),
        (answering(HEAD + b"Content-Length: 2\r\n\r\n{}"), Cause.NOT_JUPYTER),
        (answering(HEAD + b"Content-Length: 9999999999\r\n\r\n" + b"[" * 2**20), Cause.NOT_JUPYTER),
        (answering(HEAD + b"X: " + b"a" * 2**20), Cause.NOT_HTTP),
        (answering(HEAD + b'\r\n{"version": ["\x1b]52;c;AAAA\x07"]}'), Cause.NOT_JUPYTER),
        (answering(b"HTTP/1.1 302 Found\r\nLocation: https://login.example/\r\nContent-Length: 0\r\n\r\n"),
         Cause.PROXY_LOGIN),
        (reset, Cause.RESET),
        (silence, Cause.SILENT),
    ],
)  # fmt: skip
async def test_whatever_answers_is_named_and_bounded(answer: Answer, cause: Cause) -> None:
    async with stand_in(answer) as address:
        report = await Check(
            f"http://{address}/", LocalHost(), deadline=1.0 if cause is Cause.SILENT else 30.0
        ).report()
    assert failed(report) == (Part.HTTP, cause)
    assert "\x1b" not in repr(report.steps)
    assert len(repr(report)) < 10_000


async def test_tls_where_none_is_spoken() -> None:
    async with stand_in(_plain) as address:
        assert failed(await Check(f"https://{address}/", LocalHost()).report()) == (Part.TLS, Cause.NO_TLS)


async def _plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    await reader.read()


async def test_a_handshake_that_hangs() -> None:
    async with stand_in(silence) as address:
        report = await Check(f"https://{address}/", LocalHost(), deadline=0.5).report()
    assert failed(report) == (Part.TLS, Cause.TLS_HANGS)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A hostile Jupyter: it takes everything, and gives back all it is sent."""
    asked = await reader.readuntil(b"\r\n\r\n")
    path = asked.split()[1]
    if path.startswith(b"/api/status") and b"Authorization" not in asked:
        status, body = b"403 Forbidden", b"{}"
    elif path.startswith(b"/login"):
        status, body = b"200 OK", b"password"
    else:
        status, body = (
            b"200 OK",
            b'{"version": "2.21.1", "seen": "%b"}' % asked.replace(b"\r\n", b" ").replace(b'"', b""),
        )
    writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body))
    await writer.drain()


async def test_a_server_that_echoes_what_it_is_sent_puts_no_secret_into_the_report() -> None:
    async with stand_in(echo) as address:
        report = await Check(f"http://{address}/", LocalHost(), token=Secret(MARK), deadline=30.0).report()
    assert failed(report) == (Part.POST, Cause.POST_REFUSED), report
    assert MARK not in repr(report)


async def test_no_secret_is_sent_to_another_server_than_the_one_that_was_meant() -> None:
    asked: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = await reader.readuntil(b"\r\n\r\n")
        asked.append(text)
        again = asyncio.StreamReader()
        again.feed_data(text)
        await echo(again, writer)

    async with stand_in(record) as address:
        meant = Expected(version="2.7.0")
        report = await Check(
            f"http://{address}/", LocalHost(), token=Secret(MARK), expected=meant, deadline=30.0
        ).report()
    assert report.failed and report.failed.cause is Cause.OTHER_SERVER
    assert asked and MARK.encode() not in b"".join(asked)


async def test_a_secret_does_not_travel_unencrypted_to_another_machine_unless_told_to() -> None:
    async with stand_in(echo) as address:
        url = f"http://{DOMAIN}:{address.rpartition(':')[2]}/"
        report = await Check(url, LocalHost(), token=Secret(MARK), deadline=30.0).report()
        assert [step.cause for step in report.steps if step.part is Part.SIGN_IN] == [Cause.IN_CLEAR]
        report = await Check(url, LocalHost(), token=Secret(MARK), in_clear=True, deadline=30.0).report()
        assert [step.outcome for step in report.steps if step.part is Part.SIGN_IN] == [Outcome.OK]


def test_a_pasted_url_leads_to_the_server_and_its_token_is_dropped() -> None:
    target = Target.parse("https://Lab.Example:8443/team/lab/tree/x.ipynb?token=abc")
    assert (target.url, target.origin) == ("https://lab.example:8443/team/", "https://lab.example:8443")
    assert Target.parse("lab.example").url == "https://lab.example/"
    assert Target.parse("http://[::1]:80/").netloc == "[::1]"
    for bad in ("ftp://x/", "https://", "https://a:99999/", "https://a b/", "https://[::1", "https://x/\r\nEvil: 1"):
        with pytest.raises(UsageError):
            print(Target.parse(bad))
