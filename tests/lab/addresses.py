"""The addresses of this machine. A browser breaks off what it loads when one comes or goes (ERR_NETWORK_CHANGED).

A lab's bridge has one; so no lab is made or removed while a browser of another test is at work.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LABS = Path("/run/jupytui-lab")


@contextmanager
def unchanged() -> Iterator[None]:
    """While this is held, no address comes or goes by a lab; waits for one that does. Many may hold it."""
    with _held(fcntl.LOCK_SH):
        yield


@contextmanager
def changing() -> Iterator[None]:
    """Hold this while one does; waits until nobody minds."""
    with _held(fcntl.LOCK_EX):
        yield


@contextmanager
def _held(how: int) -> Iterator[None]:
    LABS.mkdir(exist_ok=True)
    with (LABS / "addresses.lock").open("w") as lock:
        fcntl.flock(lock, how)
        yield
