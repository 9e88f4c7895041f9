from __future__ import annotations

import asyncio
import subprocess
import sys
from threading import Event
from time import monotonic

import pytest

from jupytui.blocking import in_thread

FOREVER = """
import asyncio
from threading import Event
from jupytui.blocking import in_thread
async def main():
    try:
        await in_thread(Event().wait, 0.01)
    except TimeoutError:
        print("told")
asyncio.run(main())
"""


async def test_what_the_call_returns_or_raises_comes_back() -> None:
    assert await in_thread(lambda: 5) == 5
    with pytest.raises(KeyError):
        await in_thread(lambda: dict[str, int]()["x"])


async def test_a_call_that_does_not_come_back_is_left_at_its_deadline_and_when_cancelled() -> None:
    release = Event()
    try:
        began = monotonic()
        with pytest.raises(TimeoutError):
            await in_thread(release.wait, 0.01)
        waiting = asyncio.create_task(in_thread(release.wait))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert monotonic() - began < 10
    finally:
        release.set()


def test_the_program_ends_although_a_call_never_comes_back() -> None:
    done = subprocess.run([sys.executable, "-c", FOREVER], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "told\n"
    assert not done.stderr
