"""Calls of libraries that block, under a deadline of ours, in threads that nobody waits for at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T], deadline: float | None = None) -> T:
    """Return what `call` returns, or raise what it raises; TimeoutError after `deadline` seconds.

    A call that never comes back keeps its thread, and nothing else: `asyncio.to_thread` has few threads, and the
    interpreter waits for them when it ends.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if answer.done():
            return
        if error:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # T may be None itself

    def run() -> None:
        result, failure = None, None
        try:
            result = call()
        except Exception as error:
            failure = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, result, failure)

    Thread(target=run, daemon=True, name="jupytui-blocking").start()
    async with asyncio.timeout(deadline):
        return await answer
