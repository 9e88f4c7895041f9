"""A lab for as long as somebody holds it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.lab.lab import Lab
from tests.lab.slot import Slot, take


@contextlib.contextmanager
def own_lab() -> Iterator[Lab]:
    """An empty lab in a free slot. It is removed at the end, and also when this process is killed."""
    slot, lock = take()
    undertaker = _undertaker(slot, lock)
    os.close(lock)
    try:
        slot.clear()  # what is left of a run whose undertaker was killed too
        lab = Lab.open(slot)
        try:
            yield lab
        finally:
            lab.down()
    finally:
        undertaker.communicate()


def _undertaker(slot: Slot, lock: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.lab.undertaker", str(slot.number)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        pass_fds=[lock],  # the slot is free again when all of it is gone
        start_new_session=True,
    )
