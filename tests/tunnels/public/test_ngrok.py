"""pyngrok against a stand-in agent (stand_in_ngrok_agent.py): no real one can be had here."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import ssl
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest
import trustme

from jupytui.secret import Secret
from jupytui.tunnels.models import Address, Behind, Status, Tunnel, TunnelKind, TunnelState
from jupytui.tunnels.public import ngrok, process
from jupytui.tunnels.public.agent import Agent
from jupytui.tunnels.public.ngrok import NgrokShare
from tests.tunnels.public.stand_in import (
    ANOTHER_PROGRAM,
    MARKER,
    OPEN,
    SHUT,
    UNCLEAR,
    Answers,
    StandInServer,
    Statuses,
    jupyter_server,
    place_stand_in,
    set_stand_in,
)

PROMISE = 10.0  # seconds to a message


@dataclass
class Desk:
    """An agent with its stand-in binary, and shares on it."""

    binary: Path
    directory: Path
    agent: Agent
    server: StandInServer
    token: Secret | None = None

    def share(self, to: Address | None, name: str = "lab", domain: str = "", behind: Behind | None = None) -> Shared:
        statuses = Statuses()
        tunnel = Tunnel(name, "gpu1", TunnelKind.PUBLIC, to=to, domain=domain, behind=behind)
        share = NgrokShare(tunnel, self.agent, self._find_token, lambda: statuses(share.status()))
        return Shared(share, statuses)

    async def _find_token(self) -> Secret | None:
        return self.token


@dataclass
class Shared:
    share: NgrokShare
    statuses: Statuses

    async def __aenter__(self) -> Shared:
        self.share.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.share.close()

    async def until(self, wanted: Callable[[Status], bool] | TunnelState) -> Status:
        return await self.statuses.until(wanted)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    binary = place_stand_in(tmp_path / "bin")
    agent = Agent(tmp_path / "state" / "ngrok", lambda: binary)
    async with jupyter_server() as server:
        yield Desk(binary, tmp_path / "state" / "ngrok", agent, server, Secret(MARKER))
    await agent.close()
    assert not list((tmp_path / "state" / "ngrok").glob("*")), "something was left of an agent"


async def visit(url: str) -> bytes:
    """Return what a visitor of `url` gets; the name is not resolved, the stand-in's internet is 127.0.0.1."""
    name, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(f"GET /lab HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def descendants(of: int) -> set[int]:
    """Every process below `of`, and those that the agent's session holds: the watcher is nobody's child."""
    found: set[int] = set()
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent, _, session = (directory / "stat").read_text().rpartition(") ")[2].split()[1:4]
            if of in {int(parent), int(session)}:
                found |= {int(directory.name)}
    return found.union(*(descendants(pid) for pid in found if pid != of)) if found else found


async def come_true(condition: Callable[[], object]) -> None:
    """Wait for something that nobody tells of."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def closed_port() -> Address:
    async with jupyter_server() as server:
        return server.to


async def test_a_share_is_reached_from_outside_with_the_host_header_as_the_visitor_sent_it(desk: Desk) -> None:
    async with jupyter_server() as server, desk.share(server.to, domain="lab.example.test") as shared:
        status = await shared.until(TunnelState.UP)
        assert "//lab.example.test:" in status.url
        assert (await visit(status.url)).endswith(b"hello")
        assert b"\r\nHost: lab.example.test\r\n" in server.heads[-1]
        await shared.until(lambda status: status.connections == 1)


async def test_a_tls_server_is_led_to_by_https(desk: Desk) -> None:
    from jupytui.tunnels.public.ngrok import _upstream

    tunnel = Tunnel("a", "h", TunnelKind.PUBLIC, to=Address("127.0.0.1", 8888), behind=Behind(secure=True))
    assert _upstream(tunnel) == "https://127.0.0.1:8888"


async def test_stopping_ends_the_agent_and_its_watcher_and_removes_its_files(desk: Desk) -> None:
    async with jupyter_server() as server:
        async with desk.share(server.to) as shared:
            await shared.until(TunnelState.UP)
            pid = desk.agent.pid or 0
            assert len(descendants(pid)) >= 2
        assert shared.share.status().state is TunnelState.DOWN
        assert not shared.share.status().url
        assert not Path(f"/proc/{pid}").exists()
        assert not list(desk.directory.glob("*"))
        await come_true(lambda: not descendants(pid))


async def test_two_shares_have_one_agent_which_ends_with_the_last(desk: Desk) -> None:
    async with jupyter_server() as server, desk.share(server.to, "one") as one:
        await one.until(TunnelState.UP)
        pid = desk.agent.pid
        async with desk.share(server.to, "two") as two:
            await two.until(TunnelState.UP)
            assert desk.agent.pid == pid
        assert one.share.status().state is TunnelState.UP
        assert desk.agent.pid == pid
    assert desk.agent.pid is None


async def test_an_agent_that_is_killed_is_noticed_within_a_second_and_the_share_comes_back(desk: Desk) -> None:
    async with jupyter_server() as server, desk.share(server.to, domain="lab.example.test") as shared:
        await shared.until(TunnelState.UP)
        pid = desk.agent.pid or 0
        os.kill(pid, signal.SIGKILL)
        killed = monotonic()
        status = await shared.until(TunnelState.WAITING)
        assert monotonic() - killed < 1
        assert status.error
        assert status.next_try
        assert not status.url
        status = await shared.until(TunnelState.UP)
        assert desk.agent.pid not in {None, pid}
        assert status.reconnects == 1
        assert (await visit(status.url)).endswith(b"hello")


@pytest.mark.parametrize(
    ("code", "words"),
    [(105, "does not accept this token"), (107, "does not accept this token"), (4018, "who you are")],
)
async def test_a_refused_token_is_told_in_words_and_not_tried_again(desk: Desk, code: int, words: str) -> None:
    set_stand_in(desk.binary, error=code)
    began = monotonic()
    async with desk.share(desk.server.to) as shared:
        status = await shared.until(TunnelState.FAILED)
        assert monotonic() - began < PROMISE
        assert status.error
        assert words in status.error.message
        assert "dashboard.ngrok.com" in status.error.hint
        assert MARKER not in f"{shared.statuses.all}"


@pytest.mark.parametrize(("code", "words"), [(108, "as many agents online"), (334, "already online")])
async def test_what_is_taken_is_told_in_words_and_had_once_it_is_free(desk: Desk, code: int, words: str) -> None:
    set_stand_in(desk.binary, error=code)
    began = monotonic()
    async with jupyter_server() as server, desk.share(server.to) as shared:
        status = await shared.until(TunnelState.WAITING)
        assert monotonic() - began < PROMISE
        assert status.error
        assert words in status.error.message
        assert status.error.hint
        set_stand_in(desk.binary)
        shared.share.retry()
        await shared.until(TunnelState.UP)


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


@pytest.mark.parametrize("how", ["silent", "deaf"])
async def test_an_agent_that_says_nothing_is_told_within_ten_seconds_and_ended(desk: Desk, how: str) -> None:
    set_stand_in(desk.binary, **{how: True})
    began = monotonic()
    async with desk.share(desk.server.to) as shared:
        status = await shared.until(TunnelState.WAITING)
        assert monotonic() - began < PROMISE
        assert status.error
        assert "does not" in status.error.message
        assert not list(desk.directory.glob("*"))


async def test_a_share_can_be_stopped_while_its_agent_is_silent(desk: Desk) -> None:
    set_stand_in(desk.binary, silent=True)
    began = monotonic()
    async with desk.share(desk.server.to) as shared:
        await come_true(lambda: desk.agent.pid is not None)
    assert monotonic() - began < PROMISE
    assert shared.share.status().state is TunnelState.DOWN


async def test_without_a_binary_nothing_is_fetched_and_the_hint_says_what_to_do(desk: Desk, tmp_path: Path) -> None:
    desk.agent = Agent(tmp_path / "state", lambda: None)
    async with desk.share(desk.server.to) as shared:
        status = await shared.until(TunnelState.FAILED)
        assert status.error
        assert "no ngrok agent" in status.error.message


async def test_without_a_token_no_agent_is_started(desk: Desk) -> None:
    desk.token = None
    async with desk.share(desk.server.to) as shared:
        status = await shared.until(TunnelState.FAILED)
        assert status.error
        assert "token" in status.error.message
        assert not desk.directory.exists()


async def test_a_unix_socket_cannot_be_shared_and_says_so(desk: Desk) -> None:
    async with desk.share(Address(path="/run/jupyter.sock")) as shared:
        status = await shared.until(TunnelState.FAILED)
        assert status.error
        assert "unix socket" in status.error.message


async def test_the_token_is_in_no_argv_no_environment_no_log_and_no_file_wider_than_0600(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NGROK_AUTHTOKEN", MARKER)
    monkeypatch.setenv("NGROK_API_KEY", MARKER)
    log = tmp_path / "everything.log"
    handler = logging.FileHandler(log)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler, *logging.getLogger().handlers])
    caplog.set_level(logging.DEBUG)
    mask = os.umask(0)
    seen: list[Path] = []

    def look() -> None:
        """At each moment that a status is told."""
        for pid in descendants(os.getpid()):
            for what in ("cmdline", "environ"):
                with suppress(OSError):
                    assert MARKER.encode() not in Path(f"/proc/{pid}/{what}").read_bytes(), (pid, what)
        for path in desk.directory.rglob("*"):
            seen.append(path)
            with suppress(FileNotFoundError):
                assert path.stat().st_mode & 0o077 == 0, path

    try:
        async with jupyter_server() as server, desk.share(server.to) as shared:
            await shared.until(TunnelState.UP)
            pid = desk.agent.pid or 0
            assert len(descendants(pid)) >= 2
            look()
            assert desk.directory.stat().st_mode & 0o077 == 0
        for code in (105, 107):
            set_stand_in(desk.binary, error=code)
            async with desk.share(desk.server.to) as shared:
                await shared.until(TunnelState.FAILED)
                look()
        set_stand_in(desk.binary, silent=True)
        async with desk.share(desk.server.to) as shared:
            await come_true(lambda: desk.agent.pid is not None)
            look()
            assert any(path.name == "ngrok.yml" for path in seen)
    finally:
        os.umask(mask)
        handler.close()
    assert MARKER not in log.read_text()
    assert MARKER not in caplog.text


OWNER = """
import asyncio, sys
from pathlib import Path
from jupytui.secret import Secret
from jupytui.tunnels.public.agent import Agent
from jupytui.tunnels.public.process import Endpoint
async def main():
    agent = Agent(Path(sys.argv[1]), lambda: Path(sys.argv[2]))
    await agent.publish(Endpoint("lab", "http://127.0.0.1:1"), Secret("x"), lambda event: None)
    print(agent.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_an_agent_ends_with_its_owner_even_when_that_is_killed_and_the_next_sweeps_up(desk: Desk) -> None:
    words = (sys.executable, "-c", OWNER, str(desk.directory), str(desk.binary))
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        pid = int(await asyncio.to_thread(owner.stdout.readline))
        owner.kill()
        await come_true(lambda: not descendants(pid) and not Path(f"/proc/{pid}").exists())
    left = list(desk.directory.glob("*"))
    assert len(left) == 1
    async with jupyter_server() as server, desk.share(server.to) as shared:
        await shared.until(TunnelState.UP)
        assert not left[0].exists()


async def test_failing_again_and_again_leaves_no_descriptor_no_thread_and_no_process(desk: Desk) -> None:
    set_stand_in(desk.binary, error=105)

    async def fail() -> None:
        async with desk.share(desk.server.to) as shared:
            await shared.until(TunnelState.FAILED)

    await fail()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        await fail()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
