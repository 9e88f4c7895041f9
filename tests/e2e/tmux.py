"""A terminal for end-to-end tests: a private tmux server with one pane, of a size that the test chooses."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

Seen = str | re.Pattern[str] | Callable[[str], object]


class Tmux:
    """Runs `argv` in a pane of `columns` x `rows`; everything else of tmux is as a fresh installation has it.

    Use as `with Tmux(["jupytui"], 45, 30) as terminal:`; leaving ends the pane and the server. When the program
    ends, its last screen stays to be read.
    """

    def __init__(
        self, argv: Sequence[str], columns: int = 120, rows: int = 40, *, env: Mapping[str, str] | None = None
    ) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="jt")
        self._socket = Path(self._directory.name) / "tmux"
        self._output = Path(self._directory.name) / "output"
        self._output.touch()
        self._env = {**os.environ, **(env or {})}
        self._argv, self._size = argv, (columns, rows)

    def __enter__(self) -> Self:
        gate = Path(self._directory.name) / "gate"
        os.mkfifo(gate)
        columns, rows = map(str, self._size)
        self._tmux(
            *("set-option", "-g", "remain-on-exit", "on", ";"),
            *("set-option", "-g", "remain-on-exit-format", "", ";"),  # its text would scroll the last screen
            *("set-option", "-g", "status", "off", ";"),
            *("new-session", "-d", "-x", columns, "-y", rows),
            *("/bin/sh", "-c", 'read -r _ <"$0"; exec "$@"', str(gate), *self._argv),
        )
        self._tmux("pipe-pane", "-O", f"exec cat >>{shlex.quote(str(self._output))}")
        gate.write_text("\n")  # the program starts when the pipe is there, so that none of its bytes goes uncounted
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._hang_up()
        finally:
            self._tmux("kill-server")
            self._directory.cleanup()

    def _hang_up(self) -> None:
        """End the program as a closed terminal does, and wait: it may write its last files yet."""
        if self._ask("#{pane_dead}") != "1":
            os.kill(self.pid, signal.SIGHUP)
            self.exit_status()

    def _tmux(self, *args: str) -> str:
        argv = ["tmux", "-S", str(self._socket), "-f", "/dev/null", *args]
        done = subprocess.run(argv, env=self._env, capture_output=True, text=True, check=False, timeout=10)
        assert done.returncode == 0, f"tmux {shlex.join(args)}: {done.stderr}"
        return done.stdout

    def send(self, *keys: str) -> None:
        """Press keys, by tmux's names: "q", "Enter", "Escape", "C-p", "Down"."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type text, letter by letter as it stands."""
        self._tmux("send-keys", "-l", text)

    def screen(self) -> str:
        """What is on the screen: lines without trailing blanks."""
        return self._tmux("capture-pane", "-p")

    def styled_screen(self) -> str:
        """What is on the screen, with the escape sequences of its colours and attributes."""
        return self._tmux("capture-pane", "-p", "-e")

    def wait_until(self, seen: Seen, deadline: float = 10.0) -> str:
        """Return the screen as soon as it contains text, matches a pattern or satisfies a function.

        Fails after `deadline` seconds, with the screen as it is then.
        """
        until = time.monotonic() + deadline
        while True:
            screen = self.screen()
            if _is_on(screen, seen):
                return screen
            assert time.monotonic() < until, f"not seen within {deadline} s: {seen}\n{screen}"
            time.sleep(0.02)

    def clipboard(self) -> str:
        """What was last put into tmux's paste buffer."""
        return self._tmux("show-buffer")

    def resize(self, columns: int, rows: int) -> None:
        """Give the pane another size; the program gets SIGWINCH."""
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def output(self) -> bytes:
        """All bytes the program has written to the terminal; what is on the screen is here a moment later."""
        return self._output.read_bytes()

    def bytes_written(self) -> int:
        """How many bytes that are."""
        return self._output.stat().st_size

    def wait_quiet(self, seconds: float = 0.2, deadline: float = 10.0) -> int:
        """Wait until the program has written nothing for so many seconds; how many bytes it has written by then.

        Fails after `deadline` seconds.
        """
        until = time.monotonic() + deadline
        written, since = self.bytes_written(), time.monotonic()
        while time.monotonic() - since < seconds:
            assert time.monotonic() < until, f"not quiet for {seconds} s within {deadline} s\n{self.screen()}"
            time.sleep(0.01)
            if (now := self.bytes_written()) != written:
                written, since = now, time.monotonic()
        return written

    @property
    def pid(self) -> int:
        """The program's PID."""
        return int(self._ask("#{pane_pid}"))

    def exit_status(self, deadline: float = 10.0) -> int:
        """Wait (seconds) for the program's end; its exit status, negative for a signal."""
        until = time.monotonic() + deadline
        while not (end := self._ask("#{pane_dead_status}/#{pane_dead_signal}")).strip("/"):
            assert time.monotonic() < until, f"the program did not end within {deadline} s\n{self.screen()}"
            # tmux 3.3a misses the end of a child now and then (1 in 6, measured), until it is told of another.
            os.kill(self.reader, signal.SIGCHLD)
            time.sleep(0.02)
        status, _, number = end.partition("/")
        return -int(number) if number else int(status)

    @property
    def reader(self) -> int:
        """The PID of the terminal itself, which reads what the program writes."""
        return int(self._ask("#{pid}"))

    def _ask(self, variables: str) -> str:
        return self._tmux("display-message", "-p", variables).strip()


def _is_on(screen: str, seen: Seen) -> bool:
    if isinstance(seen, str):
        return seen in screen
    return bool(seen.search(screen) if isinstance(seen, re.Pattern) else seen(screen))
