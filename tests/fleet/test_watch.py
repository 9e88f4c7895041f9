"""Promises of the watcher: when it looks, what a failure becomes, and that a host delays only itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from jupytui.errors import CommandError, DeadlineError
from jupytui.fleet.models import HostView, Trouble
from jupytui.fleet.store import Store
from jupytui.fleet.watch import Pace, Watcher
from jupytui.hosts.base import Host, HostState, HostTrouble
from tests.fleet.scripted import ScriptedHost, ScriptedLooker, up

UNREACHABLE = HostTrouble(HostState.UNREACHABLE, "h does not answer.", "Is it awake?")
AUTH = HostTrouble(HostState.AUTH_FAILED, "h refused the key.", "Check it.")


def make(looker: ScriptedLooker, host: ScriptedHost | None = None, refresh: float = 0.0) -> tuple[Watcher, Store]:
    host = host or ScriptedHost()
    store = Store([HostView(host.name)])
    return Watcher(cast(Host, host), looker, store, Pace(refresh)), store


@asynccontextmanager
async def running(watcher: Watcher) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(watcher.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_first_look_is_at_once_and_the_next_after_the_pace() -> None:
    looker = ScriptedLooker(up(), up(rtt_ms=1.0))
    watcher, store = make(looker)
    async with running(watcher):
        await looker.reached(3)
    assert store.host("h") == up(rtt_ms=1.0)
    assert looker.forgotten == 1  # one connection


async def test_a_connection_made_anew_forgets_what_the_old_shell_was_told() -> None:
    host = ScriptedHost()
    looker = ScriptedLooker(up(), HostTrouble(HostState.DOWN, "lost"), up())
    watcher, _ = make(looker, host)
    async with running(watcher):
        await looker.reached(4)
    assert looker.forgotten == 2
    assert host.calls == ["connect", "close", "connect"]


async def test_a_failure_keeps_what_was_known_and_says_why() -> None:
    looker = ScriptedLooker(up(rtt_ms=9.0), HostTrouble(HostState.DOWN, "h went away.", "Try r."))
    watcher, store = make(looker)
    await watcher.look()
    assert await watcher.look() == 0.0  # it was up a moment ago: tried again at once
    view = store.host("h")
    assert view is not None and view.error is not None
    assert (view.state, view.error.message, view.rtt_ms) == (HostState.DOWN, "h went away.", None)


async def test_only_the_user_ends_the_wait_after_a_refused_login() -> None:
    host = ScriptedHost(connects=[AUTH])
    looker = ScriptedLooker(up())
    watcher, store = make(looker, host)
    async with running(watcher):
        await asyncio.wait_for(host.closed.wait(), 5)
        view = store.host("h")
        assert view is not None and view.state is HostState.AUTH_FAILED
        for _ in range(50):
            await asyncio.sleep(0)
        assert host.calls.count("connect") == 1
        await asyncio.wait_for(watcher.wake(), 5)
        assert looker.renewed == 1  # what is asked seldom is asked then
    assert (host.calls.count("connect"), looker.looks) == (2, 1)


async def test_a_host_that_stays_away_is_dialled_ever_more_seldom_but_for_ever() -> None:
    watcher, _ = make(ScriptedLooker(), ScriptedHost(connects=[UNREACHABLE] * 200), refresh=3.0)
    delays = [cast(float, await watcher.look()) for _ in range(200)]
    assert max(delays) <= 60
    assert max(delays[20:]) > 10
    assert len(set(delays[20:])) > 100  # jitter


async def test_a_host_that_was_away_is_dialled_as_soon_as_it_answers_a_knock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupytui.fleet.watch.KNOCKS", (0.01, 0.01))
    host = ScriptedHost(connects=[UNREACHABLE])
    host.knocks.extend([False, False, True])
    looker = ScriptedLooker(up())
    watcher, _ = make(looker, host, refresh=3600)
    async with running(watcher):
        await looker.reached(1)
    assert host.calls == ["connect", "close", "connect"]


async def test_a_host_that_takes_connections_and_lets_nobody_in_is_left_to_the_backoff(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jupytui.fleet.watch.KNOCKS", (0.01, 0.01))
    host = ScriptedHost(connects=[UNREACHABLE] * 9)
    host.knocks.extend([True] * 9)
    watcher, _ = make(ScriptedLooker(), host, refresh=3600)
    async with running(watcher):
        while len(host.knocks) == 9:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
    assert host.calls.count("connect") == 1


async def test_a_late_answer_is_a_lost_host() -> None:
    host = ScriptedHost()
    watcher, store = make(ScriptedLooker(up(), DeadlineError("no answer for 10 s")), host)
    await watcher.look()
    await watcher.look()
    view = store.host("h")
    assert view is not None and view.state is HostState.DOWN
    assert host.calls[-1] == "close"


async def test_what_was_foreseen_is_said_in_its_own_words_and_is_no_mistake_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watcher, store = make(ScriptedLooker(CommandError("h answered with too much.", "Do this.", detail="x")))
    assert await watcher.look() is not None
    view = store.host("h")
    assert view is not None
    assert (view.state, view.error) == (HostState.DOWN, Trouble("h answered with too much.", "Do this.", "x"))
    assert not caplog.records


async def test_a_mistake_of_ours_is_on_the_row_and_the_watch_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    looker = ScriptedLooker(RuntimeError("bug"), up())
    watcher, store = make(looker)
    async with running(watcher):
        await looker.reached(2)
    assert "not foreseen" in caplog.text
    assert store.host("h") == up()


async def test_wake_ends_with_the_look_it_asked_for_even_when_one_is_under_way() -> None:
    release = asyncio.Event()

    async def slow() -> HostView:
        await release.wait()
        return up()

    looker = ScriptedLooker(slow, up(rtt_ms=2.0))
    watcher, store = make(looker, refresh=3600)
    async with running(watcher):
        await looker.reached(1)
        asked = watcher.wake()
        release.set()
        await asyncio.wait_for(asked, 5)
        assert store.host("h") == up(rtt_ms=2.0)


async def test_nobody_waits_for_a_watcher_that_was_ended() -> None:
    watcher, _ = make(ScriptedLooker(), refresh=3600)
    async with running(watcher):
        await asyncio.sleep(0)
        asked: Any = watcher.wake()
    await asyncio.wait_for(asked, 5)
