"""GPUs through a stand-in for nvidia-smi (the test machines have none)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.errors import CommandError
from jupytui.fleet.gpus import Gpus, GpuWatch, parse_gpus
from jupytui.fleet.models import Gpu
from jupytui.hosts.base import Process
from jupytui.hosts.local import LocalHost

GIB = 2**30
STAND_IN = """#!/bin/sh
case $1 in
--query-gpu=*) echo '0, 2048, 81920, 71, NVIDIA A100, 80GB'; echo '1, [N/A], 81920, [Not Supported], Other' ;;
--query-compute-apps=*) echo '42, 1024'; echo '42, 1024'; echo '43, [N/A]' ;;
esac
"""
CARDS = (Gpu(0, "NVIDIA A100, 80GB", 2 * GIB, 80 * GIB, 71), Gpu(1, "Other", None, 80 * GIB, None))


@pytest.fixture
def stand_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = home / "bin/nvidia-smi"
    path.parent.mkdir()
    path.write_text(STAND_IN)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:/usr/bin:/bin")
    return path


async def test_cards_and_what_each_process_holds(stand_in: Path) -> None:
    host = LocalHost()
    watch = GpuWatch(host)
    watch.start()
    async with asyncio.timeout(10):
        while watch.latest == Gpus():  # noqa: ASYNC110 - what it waits for happens in another program
            await asyncio.sleep(0.01)
    assert watch.latest == Gpus(CARDS, {42: 2 * GIB, 43: 0})
    await watch.stop()
    assert watch.latest == Gpus()
    await host.close()


async def test_the_first_answer_can_be_waited_for(stand_in: Path) -> None:
    host = LocalHost()
    watch = GpuWatch(host)
    assert watch.waiting == []
    watch.start()
    async with asyncio.timeout(10):
        await asyncio.wait(watch.waiting)
    assert watch.latest.cards == CARDS
    assert watch.waiting == []
    await watch.stop()
    await host.close()


async def test_nobody_waits_on_when_no_answer_can_come() -> None:
    class Refuses(LocalHost):
        async def spawn(self, command: str) -> Process:
            raise CommandError("no session")

    watch = GpuWatch(Refuses())
    watch.start()
    async with asyncio.timeout(10):
        await asyncio.wait(watch.waiting)
    assert watch.latest == Gpus()
    await watch.stop()


async def test_one_that_hangs_is_waited_for_by_nobody_and_ended_at_last(stand_in: Path) -> None:
    stand_in.write_text("#!/bin/sh\nexec sleep 600\n")
    host = LocalHost()
    watch = GpuWatch(host)
    watch.start()
    assert watch.latest == Gpus()
    await watch.stop()
    await host.close()


@given(st.text())
def test_nothing_it_prints_makes_the_parser_raise(text: str) -> None:
    parse_gpus(text)
    parse_gpus("gpus\n" + text + "\napps\n" + text)
