"""A program under a terminal of its own, as a person has it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The first terminal that a session leader opens becomes its controlling one.
TAKE = "import os, sys; os.close(os.open(sys.argv.pop(1), os.O_RDWR))\n"


@dataclass
class Terminal:
    """The person's side: what was shown so far, and what is typed."""

    master: int
    process: subprocess.Popen[bytes]
    shown: str = field(default="")

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """Return what was shown since the last call up to and with `text`, as soon as that is there."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"{text!r} is not in {self.shown!r}"
            self.shown += self._read()
        before, text, self.shown = self.shown.partition(text)
        return before + text

    def _read(self) -> str:
        try:
            data = os.read(self.master, 65536)
        except OSError:  # how Linux says that the other side has closed
            data = b""
        assert data, f"it ended, having shown {self.shown!r}"
        return data.decode()

    def type(self, text: str) -> None:
        """Type on the keyboard."""
        os.write(self.master, text.encode())


@contextmanager
def under_a_terminal(code: str, *arguments: str) -> Iterator[Terminal]:
    """Run Python `code` with its stdin, stdout and stderr on a new terminal."""
    master, slave = pty.openpty()
    command = [sys.executable, "-c", TAKE + code, os.ttyname(slave), *arguments]
    process = subprocess.Popen(command, start_new_session=True, stdin=slave, stdout=slave, stderr=slave, cwd=ROOT)
    try:
        yield Terminal(master, process)
    finally:
        process.kill()
        process.wait()
        os.close(slave)
        os.close(master)
