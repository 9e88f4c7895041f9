"""What a proxy shows, and a Jupyter whose TLS is broken: each told by its own cause. A real nginx, a real Jupyter."""

from __future__ import annotations

import datetime
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from jupytui.hosts.local import LocalHost
from jupytui.reachability.check import Check
from jupytui.reachability.models import Cause, Part
from tests.reachability.forged import forged, intermediate, made
from tests.reachability.servers import DOMAIN, Jupyter, Nginx, context, failed, free_port, needs

pytestmark = pytest.mark.timeout(300)


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
