"""The matrix "behind a public URL": a real nginx before real password JupyterLabs, diagnosed and mended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from jupytui.hosts.local import LocalHost
from jupytui.jupyter.access import Access
from jupytui.jupyter.client import JupyterApi
from jupytui.reachability.check import Check
from jupytui.reachability.models import Cause, Expected, Outcome, Part, Report
from jupytui.secret import Secret
from tests.lab.jupyter import PASSWORD
from tests.reachability.servers import (
    ALL,
    DOMAIN,
    FORWARDED,
    PASSED,
    REWRITTEN,
    UPGRADE,
    Answer,
    Jupyter,
    Nginx,
    context,
    needs,
    stand_in,
)  # fmt: skip

pytestmark = pytest.mark.timeout(300)
TOKEN = "token-of-the-public-server"
KINDS: dict[str, dict[str, object]] = {
    "default": {},
    "rewritten": {},
    "remote": {
        "ServerApp.allow_remote_access": True,
        "ServerApp.trust_xheaders": True,
        "IdentityProvider.token": TOKEN,
    },
    "base": {"ServerApp.allow_remote_access": True, "ServerApp.base_url": "/team/"},
    "open": {"ServerApp.allow_remote_access": True},
}


class Site:
    """Everything that stands behind `DOMAIN`: Jupyters by kind, and ports of nginx by what is behind them."""

    def __init__(self, home: Path, certificate: Path, ca_file: Path) -> None:
        self.context = context(ca_file)
        self.jupyters = {
            kind: Jupyter(home / kind, settings, **({"hashed": ""} if kind == "open" else {}))
            for kind, settings in KINDS.items()
        }
        port = {kind: jupyter.port for kind, jupyter in self.jupyters.items()}
        self.nginx = nginx = Nginx(home / "nginx")
        remote = port["remote"]
        self.ports = {
            "passed": nginx.proxy(port["default"], ALL, certificate),
            "rewritten": nginx.proxy(port["rewritten"], f"{REWRITTEN} {FORWARDED} {UPGRADE}", certificate),
            "remote": nginx.proxy(remote, ALL, certificate),
            "no websockets": nginx.proxy(remote, f"{PASSED} {FORWARDED}", certificate),
            "no forwarded": nginx.proxy(remote, f"{PASSED} {UPGRADE}", certificate),
            "buffers": nginx.proxy(remote, f"{ALL} proxy_buffering on; proxy_buffers 8 64k;", certificate),
            "no post": nginx.proxy(remote, f"{ALL} limit_except GET {{ deny all; }}", certificate),
            "base": nginx.proxy(port["base"], ALL, certificate),
            "below": nginx.proxy(remote, ALL, certificate, path="/lab-a/"),
            "stripped": nginx.proxy(remote, ALL, certificate, path="/lab-a/", rest="/"),
            "open": nginx.proxy(port["open"], ALL, certificate),
        }

    def start(self) -> None:
        for jupyter in self.jupyters.values():
            jupyter.start()
        self.nginx.start()
        for jupyter in self.jupyters.values():
            jupyter.ready()

    def stop(self) -> None:
        self.nginx.stop()
        for jupyter in self.jupyters.values():
            jupyter.stop()

    async def check(self, port: str, path: str = "/", password: str = PASSWORD) -> Report:
        return await Check(
            f"https://{DOMAIN}:{self.ports[port]}{path}", LocalHost(), password=Secret(password),
            context=self.context, expected=Expected(version=VERSION), deadline=60.0,
        ).report()  # fmt: skip


VERSION = "2.21.1"  # of tests/lab/jupyter.lock


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, certificate: Path, ca_file: Path) -> Iterator[Site]:
    needs()
    made = Site(tmp_path_factory.mktemp("site"), certificate, ca_file)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def all_pass(report: Report) -> bool:
    return report.proven and len(report.steps) == len(Part)


@pytest.fixture(scope="module")
def mended(site: Site) -> dict[str, tuple[Report, Report]]:
    """What was found in the two broken rows, and again after the first fix was applied and the server restarted."""

    def mend(port: str, kind: str) -> tuple[Report, Report]:
        before = asyncio.run(site.check(port))
        assert before.failed
        site.jupyters[kind].apply(before.failed.fixes[0].settings)
        return before, asyncio.run(site.check(port))

    return {"passed": mend("passed", "default"), "rewritten": mend("rewritten", "rewritten")}


def test_host_passed_to_a_default_server_is_mended_by_local_hostnames(
    mended: dict[str, tuple[Report, Report]],
) -> None:
    before, after = mended["passed"]
    assert before.failed and (before.failed.part, before.failed.cause) == (Part.HOST, Cause.HOST)
    assert before.failed.fixes[0].settings == {"ServerApp.local_hostnames": ["localhost", DOMAIN]}
    assert not before.failed.fixes[0].proxy
    assert all_pass(after), after


def test_host_rewritten_is_mended_by_allow_origin(site: Site, mended: dict[str, tuple[Report, Report]]) -> None:
    before, after = mended["rewritten"]
    assert before.failed and (before.failed.part, before.failed.cause) == (Part.ORIGIN, Cause.ORIGIN)
    fix, better = before.failed.fixes
    assert fix.settings == {"ServerApp.allow_origin": f"https://{DOMAIN}:{site.ports['rewritten']}"} and not fix.proxy
    assert better.settings == {"ServerApp.local_hostnames": ["localhost", DOMAIN]} and "Host" in better.proxy
    assert all_pass(after), after


async def test_allow_remote_access_passes_every_step_without_a_warning(site: Site) -> None:
    report = await site.check("remote")
    assert all_pass(report) and not report.warnings, report


async def test_a_proxy_that_buffers_answers_passes(site: Site) -> None:
    assert all_pass(await site.check("buffers"))


async def test_a_proxy_without_websockets_is_named(site: Site) -> None:
    report = await site.check("no websockets")
    assert report.failed and (report.failed.part, report.failed.cause) == (Part.WEBSOCKET, Cause.NO_UPGRADE)
    assert "Upgrade" in report.failed.fixes[0].proxy


async def test_a_proxy_that_does_not_say_https_is_a_warning_with_trust_xheaders(site: Site) -> None:
    report = await site.check("no forwarded")
    assert all_pass(report) and [step.cause for step in report.warnings] == [Cause.INSECURE_COOKIE]
    fix = report.warnings[0].fixes[0]
    assert fix.settings == {"ServerApp.trust_xheaders": True} and "X-Forwarded-Proto" in fix.proxy


async def test_a_proxy_that_stops_posts_is_named(site: Site) -> None:
    report = await site.check("no post")
    assert report.failed and (report.failed.part, report.failed.cause) == (Part.SIGN_IN, Cause.POST_REFUSED)


async def test_a_server_below_another_path_is_found_there(site: Site) -> None:
    report = await site.check("base")
    assert report.failed and report.failed.cause is Cause.BASE_URL
    assert report.failed.fixes[0].url == f"https://{DOMAIN}:{site.ports['base']}/team/"
    assert all_pass(await site.check("base", "/team/lab"))


@pytest.mark.parametrize("port", ["below", "stripped"])
async def test_a_path_that_the_server_does_not_know_is_its_base_url(site: Site, port: str) -> None:
    report = await site.check(port, "/lab-a/")
    assert report.failed and report.failed.cause is Cause.BASE_URL, report
    assert {"ServerApp.base_url": "/lab-a/"} in [fix.settings for fix in report.failed.fixes]


async def test_an_open_server_is_a_finding_and_gets_no_further(site: Site) -> None:
    report = await site.check("open")
    assert report.failed and (report.failed.part, report.failed.cause) == (Part.LOGIN, Cause.OPEN)


async def test_a_wrong_password_is_told_from_a_broken_proxy(site: Site) -> None:
    report = await site.check("remote", password="not it")
    assert report.failed and (report.failed.part, report.failed.cause) == (Part.SIGN_IN, Cause.WRONG_PASSWORD)


async def test_without_a_password_what_comes_after_the_login_is_skipped_and_not_called_proven(site: Site) -> None:
    report = await site.check("remote", password="")
    skipped = [step.part for step in report.steps if step.outcome is Outcome.SKIPPED]
    assert skipped == [Part.SIGN_IN, Part.POST, Part.WEBSOCKET] and not report.failed and not report.proven


async def test_no_evidence_holds_the_password(site: Site) -> None:
    assert PASSWORD not in repr(await site.check("remote"))


async def test_a_token_does_as_well_as_a_password_and_a_wrong_one_is_named(site: Site) -> None:
    url = f"https://{DOMAIN}:{site.ports['remote']}/"
    for token, cause in ((TOKEN, None), ("not it", Cause.WRONG_PASSWORD)):
        report = await Check(url, LocalHost(), token=Secret(token), context=site.context, deadline=60.0).report()
        assert (report.failed.cause if report.failed else None) is cause
        assert TOKEN not in repr(report)


async def test_the_very_server_is_told_from_its_twin_by_the_moment_it_was_started(site: Site) -> None:
    access = Access(port=site.jupyters["remote"].port, token=Secret(TOKEN))
    api = JupyterApi(LocalHost(), access)
    started = (await api.status()).started
    await api.close()
    assert started
    url = f"https://{DOMAIN}:{site.ports['remote']}/"
    for moment, same in ((started, True), (started - timedelta(minutes=1), False)):
        meant = Expected(VERSION, moment)
        report = await Check(
            url, LocalHost(), password=Secret(PASSWORD), context=site.context, expected=meant, deadline=60.0
        ).report()
        assert all_pass(report) is same
        assert (report.steps[-1].cause is Cause.OTHER_SERVER) is not same


async def test_a_websocket_through_which_nothing_comes_is_not_called_working(site: Site) -> None:
    async with stand_in(mute_proxy(site.jupyters["remote"].port)) as address:
        report = await Check(f"http://{address}/", LocalHost(), token=Secret(TOKEN), deadline=4.0).report()
    assert report.failed and (report.failed.part, report.failed.cause) == (Part.WEBSOCKET, Cause.WEBSOCKET_SILENT)


def mute_proxy(to: int) -> Answer:
    """A stand-in for a proxy that lets a websocket open and then holds its frames back."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        try:
            far_writer.write(asked)
            head = await far_reader.readuntil(b"\r\n\r\n")
            writer.write(head if b" 101 " in head else head + await far_reader.read())
            await (reader.read() if b" 101 " in head else writer.drain())
        finally:
            far_writer.close()
            await far_writer.wait_closed()

    return serve
