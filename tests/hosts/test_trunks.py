"""Hosts behind one jump host share its connection, and do not share the end of the host that began to dial it."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from jupytui.hosts.dial import Line
from jupytui.hosts.trunks import Trunk, Trunks

LINE = cast(Line, object())


class Dials:
    """Dials that wait until they are let through."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.given_up: list[str] = []
        self.let = asyncio.Event()
        self.news = asyncio.Event()

    async def dial(self, who: str) -> Line:
        self.begun.append(who)
        self.news.set()
        try:
            await self.let.wait()
        except asyncio.CancelledError:
            self.given_up.append(who)
            raise
        return LINE


def hold(trunks: Trunks, dials: Dials, who: str) -> asyncio.Task[Trunk]:
    return asyncio.create_task(trunks.hold("bastion", lambda: dials.dial(who)))


async def begun(dials: Dials, *who: str) -> None:
    async with asyncio.timeout(5):
        while dials.begun != list(who):
            dials.news.clear()
            await dials.news.wait()


async def test_a_question_of_a_jump_host_is_asked_again_when_the_host_it_was_asked_for_is_let_go() -> None:
    trunks, dials = Trunks(), Dials()
    first, second, third = (hold(trunks, dials, who) for who in ("a", "b", "c"))
    await begun(dials, "a")
    first.cancel()
    await begun(dials, "a", "b")
    assert dials.given_up == ["a"]
    third.cancel()
    dials.let.set()
    assert (await second).line is LINE
    with pytest.raises(asyncio.CancelledError):
        await third
    assert dials.begun == ["a", "b"]


async def test_the_last_that_lets_go_ends_the_dialling() -> None:
    trunks, dials = Trunks(), Dials()
    only = hold(trunks, dials, "a")
    await begun(dials, "a")
    only.cancel()
    with pytest.raises(asyncio.CancelledError):
        await only
    await asyncio.sleep(0)
    assert dials.given_up == ["a"]


async def test_one_that_fails_fails_for_all() -> None:
    trunks = Trunks()

    async def dial() -> Line:
        raise OSError

    held = await asyncio.gather(*(trunks.hold("bastion", dial) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in held] == [OSError] * 3
