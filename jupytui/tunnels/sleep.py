"""Whether this machine has slept: after that, every connection is to be doubted at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

Clock = Callable[[], float]
LOOK = 1.0  # seconds between two looks at the clocks
SLEPT = 2.0  # seconds by which the clocks must have drifted apart: the two are not read at one moment


def running() -> float:
    """Return seconds that go on while the machine sleeps.

    macOS has no CLOCK_BOOTTIME; its CLOCK_MONOTONIC_RAW stands still in sleep like time.monotonic(), so there the
    wall clock must do, which is set by hand, too: a doubt too many costs one question.
    """
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.time() if clock is None else time.clock_gettime(clock)


async def watch(woke: Callable[[], None], awake: Clock = time.monotonic, always: Clock = running) -> None:
    """Call `woke` whenever `always` went on for longer than `awake` did. Runs until cancelled."""
    before = always() - awake()
    while True:
        await asyncio.sleep(LOOK)
        apart = always() - awake()
        if apart - before > SLEPT:
            woke()
        before = apart
