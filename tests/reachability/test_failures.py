"""What stands in the way before Jupyter is asked anything: ports, certificates and proxies, each by its own cause."""

from __future__ import annotations

import asyncio
import datetime
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from jupytui.errors import UsageError
from jupytui.hosts.local import LocalHost
from jupytui.reachability.check import Check
from jupytui.reachability.models import Cause, Expected, FarLook, Outcome, Part, Report
from jupytui.reachability.target import Target
from jupytui.secret import Secret
from tests.reachability.servers import DOMAIN, Answer, Jupyter, Nginx, context, free_port, needs, stand_in

pytestmark = [pytest.mark.xdist_group("reachability"), pytest.mark.timeout(300)]
MARK = "marker-of-a-secret"


def failed(report: Report) -> tuple[Part, Cause | None]:
    assert report.failed, report
    assert report.failed.fixes and report.failed.evidence
    return report.failed.part, report.failed.cause


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


def made(directory: Path, name: str, leaf: trustme.LeafCert | bytes) -> Path:
    path = directory / f"{name}.pem"
    path.write_bytes(leaf if isinstance(leaf, bytes) else leaf.private_key_and_cert_chain_pem.bytes())
    return path


def forged(
    authority: x509.Certificate | None, key: ec.EllipticCurvePrivateKey | None, *, points: bool = False
) -> bytes:
    """A leaf for `DOMAIN` and its key as PEM: signed by itself, or by `authority`, which it may point to."""
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(
        authority.subject if authority else name, name, own.public_key(), 1, now - day, now + day
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(DOMAIN)]), critical=False)
    if points:
        where = x509.UniformResourceIdentifier("http://authority.example/intermediate.der")
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, where)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    leaf = builder.sign(key or own, hashes.SHA256())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return own.private_bytes(*form) + leaf.public_bytes(serialization.Encoding.PEM)


def intermediate() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    child = trustme.CA().create_child_ca()
    key = serialization.load_pem_private_key(child.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return x509.load_pem_x509_certificate(child.cert_pem.bytes()), key


@pytest.fixture(scope="module")
def sites(
    tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA, certificate: Path
) -> Iterator[dict[str, int]]:
    """Sites of one nginx, by what is wrong with them: their ports."""
    needs()
    home = tmp_path_factory.mktemp("sites")
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    future = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=9)
    parent, key = intermediate()
    certificates: dict[str, trustme.LeafCert | bytes] = {
        "expired": authority.issue_cert(DOMAIN, not_after=past),
        "not yet": authority.issue_cert(DOMAIN, not_before=future),
        "wrong name": authority.issue_cert("elsewhere.example"),
        "unknown": trustme.CA().issue_cert(DOMAIN),
        "unknown chain": trustme.CA().create_child_ca().issue_cert(DOMAIN),
        "self": forged(None, None),
        "incomplete": forged(parent, key, points=True),
    }
    nginx = Nginx(home / "nginx")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        ports = {
            name: nginx.site("return 404;", made(home, name.replace(" ", "-"), leaf))
            for name, leaf in certificates.items()
        } | {
            "502": nginx.proxy(free_port(), "", certificate),
            "504": nginx.proxy(port, "", certificate),
            "404": nginx.site("location / { return 404; }", certificate),
            "403": nginx.site("location / { deny all; }", certificate),
            "401": nginx.site("location / { return 401; }", certificate),
            "to https": nginx.site("location / { return 301 https://$host/; }", None),
            "tls": nginx.site("return 404;", certificate),
        }  # fmt: skip
        try:
            nginx.start()
            yield ports
        finally:
            nginx.stop()


@pytest.mark.parametrize(
    ("site", "part", "cause"),
    [
        ("expired", Part.TLS, Cause.EXPIRED),
        ("not yet", Part.TLS, Cause.NOT_YET_VALID),
        ("wrong name", Part.TLS, Cause.WRONG_NAME),
        ("unknown", Part.TLS, Cause.UNKNOWN_AUTHORITY),
        ("unknown chain", Part.TLS, Cause.UNKNOWN_AUTHORITY),
        ("self", Part.TLS, Cause.SELF_SIGNED),
        ("incomplete", Part.TLS, Cause.INCOMPLETE_CHAIN),
        ("502", Part.HTTP, Cause.PROXY_NO_SERVER),
        ("504", Part.HTTP, Cause.PROXY_TIMEOUT),
        ("404", Part.HTTP, Cause.PROXY_NO_ROUTE),
        ("403", Part.HTTP, Cause.PROXY_FORBIDS),
        ("401", Part.HTTP, Cause.PROXY_LOGIN),
    ],
)
async def test_what_nginx_shows_is_told_apart(
    sites: dict[str, int], ca_file: Path, site: str, part: Part, cause: Cause
) -> None:
    report = await Check(
        f"https://{DOMAIN}:{sites[site]}/", LocalHost(), context=context(ca_file), deadline=30.0
    ).report()
    assert failed(report) == (part, cause), report


@pytest.mark.parametrize(("site", "cause"), [("to https", Cause.REDIRECT), ("tls", Cause.TLS_EXPECTED)])
async def test_http_where_https_is_meant(sites: dict[str, int], site: str, cause: Cause) -> None:
    report = await Check(f"http://{DOMAIN}:{sites[site]}/", LocalHost(), deadline=30.0).report()
    assert failed(report) == (Part.HTTP, cause)
    assert report.failed and report.failed.fixes[0].url.startswith(f"https://{DOMAIN}")


@pytest.fixture(scope="module")
def broken_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A JupyterLab whose key belongs to another certificate: its log says that it runs."""
    needs()
    home = tmp_path_factory.mktemp("broken")
    for name in ("one", "other"):
        (home / name).write_bytes(forged(None, None))
    jupyter = Jupyter(home / "lab", {"ServerApp.certfile": str(home / "one"), "ServerApp.keyfile": str(home / "other")})
    try:
        jupyter.start()
        jupyter.ready()
        yield jupyter
    finally:
        jupyter.stop()


async def test_a_jupyter_whose_key_does_not_fit_is_found_by_its_handshake(broken_tls: Jupyter) -> None:
    report = await Check(f"https://127.0.0.1:{broken_tls.port}/", LocalHost(), deadline=3.0).report()
    part, cause = failed(report)
    assert part is Part.TLS and cause in {Cause.TLS_HANGS, Cause.TLS_FAILS}
    assert report.failed and "key" in report.failed.fixes[0].words


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
