"""When the next try is, and that a sleep is noticed."""

from __future__ import annotations

import asyncio

import pytest

from jupytui.tunnels import sleep
from jupytui.tunnels.backoff import Backoff


def test_waits_double_from_half_a_second_to_thirty_and_begin_anew() -> None:
    backoff = Backoff(lambda low, high: high)
    assert [backoff.next() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    for _ in range(10_000):
        assert backoff.next() == 30
    backoff.reset()
    assert backoff.next() == 0.5


def test_waits_are_spread_over_all_of_their_length() -> None:
    waits = []
    for _ in range(1000):
        backoff = Backoff()
        waits.append([backoff.next() for _ in range(7)][-1])
    assert min(waits) < 1
    assert max(waits) > 29


class Clocks:
    """Two clocks that are read as told; the last reading stays."""

    def __init__(self, readings: list[tuple[float, float]]) -> None:
        self.readings = readings
        self.read_all = asyncio.Event()

    def awake(self) -> float:
        return self.readings[0][0]

    def always(self) -> float:
        if len(self.readings) == 1:
            self.read_all.set()
        else:
            self.readings = self.readings[1:]
        return self.readings[0][1]


@pytest.mark.parametrize(
    ("always", "slept"),
    [([1, 2, 3, 4], 0), ([1, 3602, 3603, 3604], 1), ([1, 2.5, 3.5, 4.5], 0), ([1, 3602, 7203, 7204], 2)],
)
async def test_a_sleep_is_noticed_once(monkeypatch: pytest.MonkeyPatch, always: list[float], slept: int) -> None:
    monkeypatch.setattr(sleep, "LOOK", 0)
    clocks = Clocks([(0.0, 0.0), *((float(awake), at) for awake, at in enumerate(always, 1))])
    woke = []
    watching = asyncio.create_task(sleep.watch(lambda: woke.append(1), clocks.awake, clocks.always))
    await clocks.read_all.wait()
    watching.cancel()
    await asyncio.wait([watching])
    assert len(woke) == slept


def test_both_clocks_go_on() -> None:
    assert sleep.running() <= sleep.running()
