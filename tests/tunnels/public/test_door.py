"""What a share leads to, before it goes online and while it is, on a stand-in agent."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from jupytui.tunnels.models import Behind, TunnelState
from jupytui.tunnels.public import ngrok, process
from tests.tunnels.public.conftest import Desk, closed_port, visit
from tests.tunnels.public.stand_in import (
    ANOTHER_PROGRAM,
    OPEN,
    SHUT,
    UNCLEAR,
    Answers,
    jupyter_server,
    set_stand_in,
)


async def test_a_server_that_goes_away_for_a_while_is_told_by_a_visit_and_stays_online_at_its_address(
    desk: Desk,
) -> None:
    async with jupyter_server() as server:
        share = desk.share(server.to)
        share.share.start()
        url = (await share.until(TunnelState.UP)).url
    async with share:
        assert b"ERR_NGROK_8012" in await visit(url)
        status = await share.until(TunnelState.NO_SERVER)
        assert status.url == url
        assert status.error
        assert "refuses the connection" in status.error.message
        async with jupyter_server(port=server.to.port):
            status = await share.until(TunnelState.UP)
            assert (status.url, status.error) == (url, None)
            assert (await visit(url)).endswith(b"hello")


async def test_where_nothing_answers_nothing_is_online_until_it_does(desk: Desk) -> None:
    to = await closed_port()
    async with desk.share(to) as shared:
        status = await shared.until(TunnelState.NO_SERVER)
        assert not status.url
        assert status.error
        assert "Nothing answers" in status.error.message
        assert desk.agent.pid is None
        async with jupyter_server(port=to.port):
            shared.share.retry()
            assert (await shared.until(TunnelState.UP)).url


async def test_a_server_that_stays_away_is_taken_offline(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrok, "CHECK", 0.02)
    monkeypatch.setattr(ngrok, "RESTART", 0.0)
    async with jupyter_server() as server:
        share = desk.share(server.to)
        share.share.start()
        await share.until(TunnelState.UP)
    async with share:
        await share.until(lambda status: status.state is TunnelState.NO_SERVER and not status.url)
        assert desk.agent.pid is None


BARRED = [(OPEN, "lets anybody in without a password: not published"), (ANOTHER_PROGRAM, "no Jupyter: not published")]


@pytest.mark.parametrize(("answers", "words"), BARRED)
async def test_what_lets_strangers_in_or_is_another_program_never_goes_online(
    desk: Desk, answers: Answers, words: str
) -> None:
    desk.server.answers = answers
    async with desk.share(desk.server.to) as shared:
        status = await shared.until(TunnelState.FAILED)
        assert status.error
        assert words in status.error.message
        assert status.error.hint
        shared.share.retry()
        await shared.until(TunnelState.CONNECTING)
        await shared.until(TunnelState.FAILED)
        desk.server.answers = SHUT
        shared.share.retry()
        await shared.until(TunnelState.UP)
    assert not any(status.url for status in shared.statuses.all if status.state is not TunnelState.UP)


@pytest.mark.parametrize(("answers", "words"), BARRED)
async def test_what_lets_strangers_in_or_is_another_program_by_now_is_taken_offline(
    desk: Desk, answers: Answers, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ngrok, "CHECK", 0.02)
    async with desk.share(desk.server.to) as shared:
        await shared.until(TunnelState.UP)
        desk.server.answers = answers
        status = await shared.until(TunnelState.FAILED)
        assert not status.url
        assert status.error
        assert words in status.error.message
        assert desk.agent.pid is None


async def test_a_server_of_which_nobody_can_tell_is_not_online_until_somebody_can(desk: Desk) -> None:
    desk.server.answers = UNCLEAR
    async with desk.share(desk.server.to) as shared:
        status = await shared.until(TunnelState.WAITING)
        assert status.error
        assert "Nobody can tell" in status.error.message
        assert desk.agent.pid is None
        desk.server.answers = SHUT
        await shared.until(TunnelState.UP)


@pytest.mark.parametrize("answers", [SHUT, OPEN])
async def test_a_server_with_tls_below_another_address_is_looked_at_there(desk: Desk, answers: Answers) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(tls)
    behind = Behind("/user/alice/", secure=True)
    async with jupyter_server(answers, base_url="/user/alice/", tls=tls) as server:
        async with desk.share(server.to, behind=behind) as shared:
            await shared.until(TunnelState.UP if answers is SHUT else TunnelState.FAILED)
        async with desk.share(server.to, behind=Behind("/user/bob/", secure=True)) as shared:
            await shared.until(TunnelState.FAILED)


@pytest.mark.parametrize("setting", [{"deaf_to": "DELETE"}, {"fails": "DELETE"}])
async def test_stopping_one_of_two_takes_it_offline_even_if_the_agent_does_not_do_it_and_the_other_comes_back(
    desk: Desk, setting: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_REQUEST", 0.3)
    set_stand_in(desk.binary, **setting)
    async with desk.share(desk.server.to, "stays") as stays:
        await stays.until(TunnelState.UP)
        async with desk.share(desk.server.to, "goes") as goes:
            await goes.until(TunnelState.UP)
            pid = desk.agent.pid
            stays.statuses.all.clear()
        assert not Path(f"/proc/{pid}").exists()
        status = await stays.until(TunnelState.UP)
        assert (status.reconnects, goes.share.status().state) == (1, TunnelState.DOWN)
        assert desk.agent.pid not in {None, pid}


async def test_a_share_that_is_stopped_while_it_is_taken_offline_is_offline_when_that_is_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ngrok, "CHECK", 0.02)
    begun, go_on, gone = asyncio.Event(), asyncio.Event(), []
    disconnect = process.AgentProcess.disconnect

    async def slow(agent: process.AgentProcess, endpoint: process.Endpoint) -> None:
        begun.set()
        await go_on.wait()
        await disconnect(agent, endpoint)
        gone.append(endpoint.name)

    monkeypatch.setattr(process.AgentProcess, "disconnect", slow)
    async with desk.share(desk.server.to, "stays") as stays, jupyter_server() as server:
        await stays.until(TunnelState.UP)
        async with desk.share(server.to, "goes") as goes:
            await goes.until(TunnelState.UP)
            server.answers = OPEN
            await begun.wait()
            asyncio.get_running_loop().call_later(0.05, go_on.set)
        assert gone == ["goes"]
        assert stays.share.status().reconnects == 0


async def test_an_endpoint_that_the_agent_does_not_confirm_is_not_left_online(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_REQUEST", 0.3)
    set_stand_in(desk.binary, mute_on="two")
    async with desk.share(desk.server.to, "one") as one:
        await one.until(TunnelState.UP)
        pid = desk.agent.pid
        async with desk.share(desk.server.to, "two") as two:
            await two.until(TunnelState.WAITING)
            assert not Path(f"/proc/{pid}").exists()
