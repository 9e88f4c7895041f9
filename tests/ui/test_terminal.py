"""What the program leaves on a real terminal, and what it writes there while nothing happens."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"

CRASH = """
import sys
from jupytui.ui import app, program
class Broken(program.Program):
    def on_key(self, event):
        password = "hunter2"
        raise LookupError("boo")
program.Program = Broken
from jupytui.__main__ import main
sys.exit(main())
"""


class Screen:
    """The program on a pseudo-terminal of 80×24, and every byte it wrote."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self.master = master
        self.process = process
        self.seen = b""

    def until(self, text: bytes, seconds: float = 20.0) -> None:
        """Read until `text` was written."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert self._read(deadline - time.monotonic()), (text, self.seen[-2000:])

    def quiet(self, seconds: float) -> bytes:
        """Return what was written within these seconds."""
        before, deadline = len(self.seen), time.monotonic() + seconds
        while self._read(deadline - time.monotonic()):
            pass
        return self.seen[before:]

    def end(self, seconds: float) -> int:
        """Return the exit status; reads what is written meanwhile, for nobody can leave a full pipe."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it did not end in time"
            self._read(0.02)
        while self._read(0.0):
            pass
        return self.process.returncode

    def _read(self, seconds: float) -> bool:
        if not select.select([self.master], [], [], max(0.0, seconds))[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            return False
        self.seen += data
        return bool(data)


@contextmanager
def started(home: Path, *command: str, session: bool = True) -> Iterator[Screen]:
    """Run the program with no host at all, until it has painted."""
    config = home / "hosts.toml"
    config.write_text("[hosts.local]\nwatch = false\n")
    dirs = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "STATE", "CONFIG", "DATA")}
    environment = os.environ | dirs | {"HOME": str(home), "JUPYTUI_CONFIG": str(config), "TERM": "xterm-256color"}
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        command or (sys.executable, "-m", "jupytui"),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        start_new_session=session,
    )
    os.close(slave)
    screen = Screen(master, process)
    try:
        screen.until(b"help")  # in the first picture
        yield screen
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_at_once_and_gives_the_terminal_back(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path) as screen:
        began = time.monotonic()
        screen.process.send_signal(number)
        screen.until(LEAVE, 2)
        left = time.monotonic() - began
        assert screen.end(5) == 128 + number
        assert left < 0.5
        assert screen.seen.rindex(LEAVE) > screen.seen.rindex(ENTER)


@pytest.mark.skipif(not shutil.which("setsid"), reason="needs setsid to give it a controlling terminal")
def test_a_terminal_that_goes_away_takes_it_along(tmp_path: Path) -> None:
    with started(tmp_path, "setsid", "--ctty", sys.executable, "-m", "jupytui", session=False) as screen:
        spare = os.open(os.devnull, os.O_RDONLY)
        os.dup2(spare, screen.master)  # the last handle on the terminal is closed: the kernel sends SIGHUP
        os.close(spare)
        screen.process.wait(5)


def test_what_is_typed_ahead_is_not_lost(tmp_path: Path) -> None:
    with started(tmp_path) as screen:
        os.write(screen.master, b"?")
        screen.until(b"Keys valid now")


def test_q_quits_with_status_0(tmp_path: Path) -> None:
    with started(tmp_path) as screen:
        os.write(screen.master, b"q")
        assert screen.end(5) == 0
        assert screen.seen.rstrip().endswith(b"l") or LEAVE in screen.seen


def test_ctrl_c_ends_nothing(tmp_path: Path) -> None:
    with started(tmp_path) as screen:
        os.write(screen.master, b"\x03")
        screen.until(b"q quits")
        assert screen.process.poll() is None


def test_a_crash_leaves_a_clean_screen_one_sentence_and_a_log_without_values(tmp_path: Path) -> None:
    with started(tmp_path, sys.executable, "-c", CRASH) as screen:
        os.write(screen.master, b"z")
        assert screen.end(10) == 1
        after = screen.seen[screen.seen.rindex(LEAVE) :]
        assert b"a mistake of its own" in after
        assert b"Traceback" not in after
        (log,) = (tmp_path / "state").rglob("crash-*.log")
        assert "builtins.LookupError" in log.read_text()
        assert "boo" not in log.read_text()
        assert "hunter2" not in log.read_text().replace('password = "hunter2"', "")
        assert b"hunter2" not in screen.seen
        assert log.stat().st_mode & 0o777 == 0o600


def test_while_nothing_happens_nothing_is_written(tmp_path: Path) -> None:
    with started(tmp_path) as screen:
        screen.quiet(1)
        assert screen.quiet(5) == b""


def test_a_line_to_type_into_does_not_blink(tmp_path: Path) -> None:
    with started(tmp_path) as screen:
        os.write(screen.master, b"?")
        screen.until(b"Keys valid now")
        screen.quiet(1)
        assert screen.quiet(3) == b""
