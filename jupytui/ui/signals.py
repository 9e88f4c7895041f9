"""Signals that end the program: by the front door, so that the terminal is given back as it was."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable

ENDING = (signal.SIGTERM, signal.SIGHUP)
PATIENCE = 1.0  # seconds


def end_on_signals(leave: Callable[[int], None]) -> None:
    """Call `leave` with the exit status a shell would report once SIGTERM or SIGHUP came.

    Without this both skip unmounting and leave the alternate screen on.
    """
    loop = asyncio.get_running_loop()
    for number in ENDING:
        loop.add_signal_handler(number, _end, leave, 128 + number)


def _end(leave: Callable[[int], None], status: int) -> None:
    # Where the terminal is gone, Textual's writer dies of the first write and its queue, once full, blocks the loop
    # for ever: nobody can be told any more, so the process just ends.
    last = threading.Timer(PATIENCE, os._exit, (status,))
    last.daemon = True
    last.start()
    leave(status)
