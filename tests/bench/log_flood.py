"""The real program on a terminal, its Logs pane open, while a million lines a second are written on a host of the lab.

`python -m tests.bench.log_flood [SECONDS]` (60) prints how late the event loop is, the memory above idle, and how soon
a key is answered; exit 1 where the loop's p99 is 100 ms or more, the memory 150 MiB or more, or a key takes a second.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import resource
import select
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.program import write_config
from tests.lab.jupyter import Recipe, start_jupyter
from tests.lab.session import own_lab

HOST, LOG = "svflood", "/home/alice/flood.log"
LINE = "[I 2026-11-20 10:11:12.345 ServerApp] 200"
# 100 000 lines every 0.1 s: a million a second as long as the machine can write them.
WRITE = """
import sys, time
line, seconds, path = sys.argv[1], float(sys.argv[2]), sys.argv[3]
data, start, rounds = (line + "\\n").encode() * 100_000, time.monotonic(), 0
with open(path, "ab", buffering=0) as file:
    while time.monotonic() - start < seconds:
        file.write(data)
        rounds += 1
        time.sleep(max(0, start + rounds / 10 - time.monotonic()))
print(rounds * 100_000, time.monotonic() - start)
"""
KEYS = ((b"k", b"paused"), (b"G", b"following"))


def child(figures: str, config: str) -> None:
    """Run the program, and write down what its event loop sees: time, lateness in seconds, memory in bytes."""
    from jupytui.cli import main
    from jupytui.ui.program import Program

    begin = Program._begin

    async def watch() -> None:
        with Path(figures).open("w") as file:
            while True:
                start = time.perf_counter()
                await asyncio.sleep(0.01)
                late = time.perf_counter() - start - 0.01
                file.write(f"{time.monotonic()} {late} {memory()}\n")

    def begin_watched(program: Program) -> None:
        begin(program)
        program.run_worker(watch(), exit_on_error=False)

    Program._begin = begin_watched  # type: ignore[assignment, method-assign]
    sys.exit(main(["--config", config]))


def memory() -> int:
    """Resident bytes now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class Terminal:
    """What a program writes, as it comes."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._seen = bytearray()
        self._news = threading.Condition()
        self.written = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._descriptor, 1 << 16)
            except OSError:
                return
            with self._news:
                self.written += len(data)
                self._seen += data
                self._news.notify_all()

    def press(self, key: bytes, words: bytes, deadline: float = 30) -> float:
        """Press a key; the seconds until words are written."""
        with self._news:
            self._seen.clear()
            began = time.monotonic()
            os.write(self._descriptor, key)
            if not self._news.wait_for(lambda: words in self._seen, deadline):
                raise TimeoutError(f"{words!r} after {key!r}: {bytes(self._seen[-2000:])!r}")
            return time.monotonic() - began


@contextmanager
def program(figures: Path, config: Path) -> Iterator[Terminal]:
    """Run the program on a pseudo-terminal of 120x40."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execv(sys.executable, [sys.executable, "-m", "tests.bench.log_flood", "--child", str(figures), str(config)])
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    try:
        yield Terminal(descriptor)
    finally:
        os.write(descriptor, b"q")
        select.select([], [], [], 1)
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(descriptor)


def press_keys(terminal: Terminal, writer: subprocess.Popen[bytes]) -> list[float]:
    """Scroll up and follow again, twice a second, until the writer has ended; the seconds each key took."""
    taken = []
    while writer.poll() is None:
        for key, words in KEYS:
            taken.append(terminal.press(key, words))
            time.sleep(0.5)
    return taken


def report(figures: Path, began: float, ended: float, taken: list[float]) -> bool:
    """Print the figures; whether they are good."""
    rows = [tuple(map(float, row.split())) for row in figures.read_text().splitlines()[:-1]]
    idle = max(memory for at, _late, memory in rows if at < began)
    late = sorted(late for at, late, _memory in rows if began <= at <= ended)
    grown = max(memory for at, _late, memory in rows if at >= began) - idle
    p99 = late[int(len(late) * 0.99)]
    print(f"loop late p50 {late[len(late) // 2] * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, worst {late[-1] * 1e3:.0f} ms")
    print(f"memory {grown / 2**20:.0f} MiB above idle ({idle / 2**20:.0f} MiB)")
    keys = sorted(taken)
    print(f"{len(keys)} keys answered in {keys[len(keys) // 2] * 1e3:.0f} ms (median), {keys[-1] * 1e3:.0f} ms (worst)")
    return p99 < 0.1 and grown < 150 * 2**20 and keys[-1] < 1


def main(seconds: float) -> int:
    with own_lab() as lab, tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        os.environ.update(HOME=directory)
        host = lab.host(HOST)
        start_jupyter(lab, host, Recipe(HOST, "nohup", "work.ipynb", token="t", log=LOG))
        figures = home / "figures"
        with program(figures, write_config(home, lab, [HOST])) as terminal:
            terminal.press(b"", b"8888", 60)
            terminal.press(b"j", b"8888", 60)
            terminal.press(b"l", b"following", 60)
            time.sleep(3)
            began = time.monotonic()
            writer = host.spawn('exec python3 -c "$@"', WRITE, LINE, str(seconds), LOG, user="alice")
            taken = press_keys(terminal, writer)
            ended = time.monotonic()
            written, took = writer.communicate()[0].split()
            print(f"{int(written):,} lines in {float(took):.0f} s; the terminal got {terminal.written / 2**20:.1f} MiB")
            host.exec(f'echo "the last line" >>{LOG}')
            caught = terminal.press(b"", b"last line", 60)
            print(f"the line after them was seen {caught:.1f} s later")
        return 0 if report(figures, began, ended, taken) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:4])
    else:
        sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60))
