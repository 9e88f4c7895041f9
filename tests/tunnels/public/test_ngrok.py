"""pyngrok against a stand-in agent (stand_in_ngrok_agent.py): no real one can be had here."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest

from jupytui.tunnels.models import Address, Behind, Tunnel, TunnelKind, TunnelState
from jupytui.tunnels.public.agent import Agent
from tests.tunnels.public.conftest import PROMISE, Desk, come_true, descendants, visit
from tests.tunnels.public.stand_in import (
    MARKER,
    jupyter_server,
    set_stand_in,
)


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
