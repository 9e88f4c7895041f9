"""Signals that end the program: by the front door, so that the terminal is given back as it was."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

ENDING = (signal.SIGTERM, signal.SIGHUP)


def end_on_signals(leave: Callable[[int], None]) -> None:
    """Call `leave` with the exit status a shell would report once SIGTERM or SIGHUP came.

    Without this both skip unmounting and leave the alternate screen on.
    """
    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, leave, 128 + number)
