"""A log over cuts: what is yielded when the link goes and comes, and where the remark on it stands."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import pytest

from jupytui.fleet import feed as module
from jupytui.fleet.feed import Feed, FeedState, follow
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Gone
from jupytui.hosts.base import Destination, HostState, HostTrouble, Nobody
from jupytui.logs.events import Batch, Marker
from jupytui.logs.reader import LogReader
from jupytui.logs.source import LogFile
from tests.fleet.scripted import up

LOST = HostTrouble(HostState.DOWN, "The connection to h was lost.")
REMARK = Marker("the connection was lost for a moment: the log goes on where it stopped")


class ScriptedReader:
    """Each call of `follow` yields one row of the script, and then loses the link; the last one ends."""

    def __init__(self, *rows: Sequence[Batch]) -> None:
        self.rows = deque(rows)

    async def follow(self) -> AsyncGenerator[Batch, None]:
        for batch in self.rows.popleft():
            yield batch
        if self.rows:
            raise LOST


@pytest.fixture
async def fleet(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fleet]:
    monkeypatch.setattr(module, "PAUSE", 0.01)
    async with Fleet(Store([up("h")]), lambda _host: Nobody()) as fleet:
        fleet.add(Destination("h"))
        yield fleet


async def told(fleet: Fleet, *rows: Sequence[Batch]) -> list[Any]:
    found: list[Any] = []
    async with aclosing(follow(fleet, "h", cast("LogReader", ScriptedReader(*rows)))) as batches:
        async for batch in batches:
            found += [batch] if isinstance(batch, HostTrouble) else batch
    return found


async def test_a_cut_is_told_at_once_and_remarked_on_when_it_is_over(fleet: Fleet) -> None:
    assert await told(fleet, [[b"1\n"]], [[b"2\n"]]) == [b"1\n", LOST, REMARK, b"2\n"]


async def test_the_remark_never_stands_in_the_middle_of_a_line(fleet: Fleet) -> None:
    assert await told(fleet, [[b"1\nhal"]], [[b"f"], [b"\n3\n"]]) == [b"1\nhal", LOST, b"f", b"\n", REMARK, b"3\n"]


async def test_a_line_that_will_never_end_gets_the_remark_behind_it(fleet: Fleet) -> None:
    rotated = Marker("the log was rotated: here the new file begins")
    assert await told(fleet, [[b"hal"]], [[rotated, b"1\n"]]) == [b"hal", LOST, REMARK, rotated, b"1\n"]


async def test_a_link_that_only_looks_whole_is_not_tried_without_a_pause(fleet: Fleet) -> None:
    before = asyncio.get_running_loop().time()
    assert await told(fleet, [], [], []) == [LOST, REMARK, LOST, REMARK]
    assert asyncio.get_running_loop().time() - before >= 0.02


async def test_it_goes_on_only_when_the_watcher_says_that_the_host_is_up(fleet: Fleet) -> None:
    fleet.store.patch("h", state=HostState.DOWN)
    task = asyncio.create_task(told(fleet, [[b"1\n"]], [[b"2\n"]]))
    done, _ = await asyncio.wait([task], timeout=0.1)
    assert not done
    fleet.store.patch("h", state=HostState.UP)
    assert (await task)[-1] == b"2\n"


async def test_a_host_that_was_removed_is_said_to_be_gone(fleet: Fleet) -> None:
    fleet.store.patch("h", state=HostState.DOWN)
    task = asyncio.create_task(told(fleet, [[b"1\n"]], [[b"2\n"]]))
    await asyncio.wait([task], timeout=0.05)
    fleet.store.remove("h")
    with pytest.raises(Gone):
        await task


async def test_a_feed_stopped_and_started_again_has_every_line_once(fleet: Fleet, tmp_path: Path) -> None:
    log, news = tmp_path / "log", asyncio.Event()
    log.write_text("1\n")
    feed = Feed(fleet, "h", LogFile(str(log)), news.set)

    async def lines(count: int) -> None:
        async with asyncio.timeout(10):
            while feed.ring.end < count:
                news.clear()
                await news.wait()

    feed.start()
    await lines(1)
    feed.stop()
    assert feed.state is FeedState.STOPPED
    with log.open("a") as file:
        file.write("2\n3\n")
    feed.start()
    await lines(3)
    await feed.close()
    assert [entry.text for entry in feed.ring.entries(0, 9)] == ["1", "2", "3"]


async def test_a_log_that_cannot_be_read_fails_with_the_sentence(fleet: Fleet, tmp_path: Path) -> None:
    news = asyncio.Event()
    feed = Feed(fleet, "h", LogFile(str(tmp_path)), news.set)
    feed.start()
    async with asyncio.timeout(10):
        while feed.state is not FeedState.FAILED:
            news.clear()
            await news.wait()
    assert "is a directory" in str(feed.error)
