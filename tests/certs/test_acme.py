"""ACME against Pebble, a real ACME server that calls good nonces bad: by http-01 and dns-01, and what goes wrong."""

from __future__ import annotations

import asyncio
import http.server
import json
import stat
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from jupytui.certs.acme import obtain
from jupytui.certs.acme_account import Service, TermsNotAgreed
from jupytui.certs.acme_call import AcmeError
from jupytui.certs.challenge import Challenge, ChallengeFailed
from jupytui.certs.dns01 import Dns, Record
from jupytui.certs.http01 import Responder, Webroot
from jupytui.certs.models import CertificateError
from jupytui.hosts.base import Host
from tests.certs.pebble import Pebble, running
from tests.jupyter.launch.conftest import Alice, reach
from tests.lab.host import LabHost
from tests.lab.lab import Lab


def by_dns(pebble: Pebble) -> Dns:
    return Dns(pebble.set_record, pebble.clear_record, [pebble.dns], patience=60, interval=0.05)


async def test_dns01_issues_for_names_and_a_wildcard_though_nonces_are_refused(pebble: Pebble, tmp_path: Path) -> None:
    names = ["a.example.org", "b.example.org", "*.b.example.org"]
    pair = await obtain(pebble.service(), tmp_path, names, by_dns(pebble))
    assert sorted(pair.leaf.names) == sorted(names)
    assert len(pair.chain) == 2
    again = await obtain(pebble.service(), tmp_path, ["a.example.org"], by_dns(pebble), key=pair.key)
    assert again.key == pair.key
    assert again.leaf.der != pair.leaf.der


@pytest.mark.usefixtures("careless")
async def test_the_accounts_key_is_made_once_and_private(pebble: Pebble, tmp_path: Path) -> None:
    for _ in range(2):
        await obtain(pebble.service(), tmp_path / "certs", ["c.example.org"], by_dns(pebble))
    (account,) = (tmp_path / "certs/acme").iterdir()
    assert stat.S_IMODE(account.stat().st_mode) == 0o600
    assert stat.S_IMODE(account.parent.stat().st_mode) == 0o700


async def test_nobody_agrees_to_terms_unasked(pebble: Pebble, tmp_path: Path) -> None:
    with pytest.raises(TermsNotAgreed, match="terms"):
        await obtain(replace(pebble.service(), agreed=False), tmp_path, ["d.example.org"], by_dns(pebble))


async def test_a_record_that_is_not_set_is_waited_for_and_then_told(pebble: Pebble, tmp_path: Path) -> None:
    shown: list[Record] = []

    async def forget(record: Record) -> None:
        shown.append(record)

    solver = replace(by_dns(pebble), show=forget, patience=0.3)
    with pytest.raises(ChallengeFailed, match=r"_acme-challenge\.e\.example\.org was not seen"):
        await obtain(pebble.service(), tmp_path, ["e.example.org"], solver)
    assert [record.name for record in shown] == ["_acme-challenge.e.example.org"]


async def test_an_authority_that_is_not_satisfied_is_quoted(pebble: Pebble, tmp_path: Path) -> None:
    class Blind(Dns):
        async def _seen(self, record: Record) -> None:
            """Do not look: the authority is told too early."""

    async def nothing(record: Record) -> None:
        """Set no record."""

    with pytest.raises(ChallengeFailed, match=r"looked for f\.example\.org and was not satisfied: .*TXT"):
        await obtain(pebble.service(), tmp_path, ["f.example.org"], Blind(nothing))


async def test_a_name_the_authority_refuses(pebble: Pebble, tmp_path: Path) -> None:
    with pytest.raises(AcmeError, match="does not sign for this name") as refused:
        await obtain(pebble.service(), tmp_path, ["x.blocked.example"], by_dns(pebble))
    assert refused.value.code == "rejectedIdentifier"


async def test_what_cannot_be_proven_that_way_is_said_before(pebble: Pebble, tmp_path: Path, here: Host) -> None:
    with pytest.raises(CertificateError, match="only be proven by DNS"):
        await obtain(pebble.service(), tmp_path, ["*.example.org"], Webroot(here, "/nowhere"))
    with pytest.raises(CertificateError, match=r"does not prove 192\.0\.2\.1 by dns-01"):
        await obtain(pebble.service(), tmp_path, ["192.0.2.1"], by_dns(pebble))


async def test_only_bad_nonces_end_with_a_sentence(tmp_path: Path, pebble: Pebble) -> None:
    with running(tmp_path / "strict", nonce_reject=100) as strict, pytest.raises(AcmeError, match="as a replay"):
        await obtain(strict.service(), tmp_path / "certs", ["a.example.org"], by_dns(strict))


async def test_a_directory_whose_tls_is_not_trusted(pebble: Pebble, tmp_path: Path) -> None:
    with pytest.raises(AcmeError, match="not trusted here"):
        await obtain(replace(pebble.service(), ca_file=None), tmp_path, ["a.example.org"], by_dns(pebble))


async def test_a_directory_that_is_not_there(tmp_path: Path, pebble: Pebble) -> None:
    with pytest.raises(AcmeError, match="cannot be reached"):
        await obtain(replace(pebble.service(), url="https://127.0.0.1:9/dir"), tmp_path, ["a.org"], by_dns(pebble))


@pytest.fixture
async def web(lab: Lab, pebble: Pebble) -> AsyncIterator[tuple[LabHost, Host]]:
    """A host of the lab to which every name leads."""
    machine = lab.host("ctweb")
    pebble.every_name_is_at(machine.address)
    host = await reach(lab, machine)
    yield machine, host
    await host.close()


async def test_http01_by_a_responder_on_port_80_with_sudo(
    web: tuple[LabHost, Host], pebble: Pebble, tmp_path: Path
) -> None:
    machine, host = web
    pair = await obtain(
        pebble.service(), tmp_path, ["web.example.org", machine.address], Responder(host, Alice("lab", "lab"))
    )
    assert set(pair.leaf.names) == {"web.example.org", machine.address}
    assert not any(socket.endswith(":80") for socket in machine.listening())


@pytest.fixture
def web_server(web: tuple[LabHost, Host]) -> Iterator[str]:
    """A web server on port 80 of that host; the directory it serves, which is alice's."""
    machine, _ = web
    machine.exec("mkdir -p www; chmod 755 . www", user="alice")
    machine.exec("systemd-run --quiet --unit=web -- python3 -m http.server --directory /home/alice/www 80")
    machine.exec("until ss -Hltn | grep -q ':80 '; do sleep 0.1; done")
    yield "/home/alice/www"
    machine.exec("systemctl stop web")


async def test_http01_by_a_web_servers_root(
    web: tuple[LabHost, Host], web_server: str, pebble: Pebble, tmp_path: Path
) -> None:
    machine, host = web
    pair = await obtain(pebble.service(), tmp_path, ["web.example.org"], Webroot(host, web_server))
    assert pair.leaf.names == ("web.example.org",)
    assert machine.exec("find www -mindepth 1", user="alice").stdout == ""
    with pytest.raises(ChallengeFailed, match="is taken by another program"):
        await obtain(pebble.service(), tmp_path, ["web.example.org"], Responder(host, Alice("lab")))
    with pytest.raises(ChallengeFailed, match="does not show the answer"):
        await obtain(pebble.service(), tmp_path, ["web.example.org"], Webroot(host, "/home/alice/elsewhere"))


async def test_the_responder_dies_with_its_link_though_it_is_root(web: tuple[LabHost, Host]) -> None:
    machine, host = web
    challenge = Challenge("web.example.org", "token", "token.thumbprint", "value")
    async with Responder(host, Alice("lab")).answering(challenge):
        assert "root" in {process.user for process in machine.processes() if "token.thumbprint" in process.command}
        machine.exec("pkill -KILL -u alice sshd")
        await asyncio.to_thread(machine.exec, "while ss -Hltn | grep -q ':80 '; do sleep 0.05; done")


async def test_a_rate_limit_says_when_to_try_again(tmp_path: Path) -> None:
    said = "too many certificates already issued for: example.org: see later, retry after 2026-11-22 04:00:00 UTC"
    with (
        stand_in(said) as url,
        pytest.raises(AcmeError, match=r"rate limit is reached.*retry after 2026-11-22") as error,
    ):
        await obtain(Service(url, agreed=True), tmp_path, ["a.example.org"], Dns(_never))
    assert error.value.code == "rateLimited"
    assert "staging" in error.value.hint


async def _never(record: Record) -> None:
    raise AssertionError("nothing is to be shown")


@contextmanager
def stand_in(said: str) -> Iterator[str]:
    """A stand-in for an ACME server, as Pebble knows no rate limits: it answers every order with one."""

    class Limited(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self, status: int, body: object, kind: str = "application/json") -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, value in (
                ("Content-Type", kind), ("Content-Length", str(len(data))), ("Replay-Nonce", "bm9uY2U"),
                ("Location", f"{url}/account"), ("Connection", "close"),
            ):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else data)

        def do_GET(self) -> None:
            self._answer(200, {name: f"{url}/{name}" for name in ("newNonce", "newAccount", "newOrder")})

        do_HEAD = do_GET  # noqa: N815

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/newOrder":
                problem = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": said}
                self._answer(429, problem, "application/problem+json")
            else:
                self._answer(200, {"status": "valid"})

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Limited) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield url
        server.shutdown()
        thread.join()
