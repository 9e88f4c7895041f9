"""What the lists cost on a real terminal: `python -m tests.bench.ui_bench`.

Starts programs on a pseudo-terminal of 120×40 and prints: time from start to the first paint against that of a bare
Textual app, time from a key to its paint and the bytes of it, bytes of one changed row, bytes while idle.
"""

from __future__ import annotations

import fcntl
import gc
import os
import pty
import select
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

QUIET = 0.25  # seconds without output after which a paint is over
IDLE = 10.0
# Installed programs have bytecode; here it must not land in the working tree.
CACHE = str(Path(tempfile.gettempdir(), "jupytui-bench-bytecode"))


def child(kind: str, count: int) -> None:
    """Run one of the programs."""
    from textual.app import App

    if kind == "bare":
        bare: App[None] = App()
        bare.run()
        return
    from tests.ui.fleets import fleet, many_kernels
    from tests.ui.host_app import PaneApp

    class Settled(PaneApp):
        """As the program does: what is there at the first paint is no garbage, and is not looked through for any."""

        def on_mount(self) -> None:
            super().on_mount()
            self.call_after_refresh(gc.freeze)

    if kind == "fleet":
        from jupytui.ui.panes.fleet import FleetPane

        Settled(FleetPane(), fleet()).run()
    else:
        from jupytui.ui.panes.kernels import KernelsPane

        Settled(KernelsPane(), many_kernels(count)).run()


@contextmanager
def terminal(kind: str, count: int = 0) -> Iterator[int]:
    """Run a program on a pseudo-terminal; yields its file descriptor."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", PYTHONPYCACHEPREFIX=CACHE)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.execv(sys.executable, [sys.executable, "-m", "tests.bench.ui_bench", kind, str(count)])
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    try:
        yield descriptor
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(descriptor)


def read_until_quiet(descriptor: int, quiet: float = QUIET) -> bytes:
    """Return everything written until nothing was for `quiet` seconds."""
    found = b""
    while select.select([descriptor], [], [], quiet)[0]:
        found += os.read(descriptor, 1 << 16)
    return found


def first_paint(kind: str) -> float:
    """Return the seconds from start to the first screen's text, count 0 for the panes."""
    began = time.perf_counter()
    with terminal(kind, 20) as descriptor:
        found = b""
        while b"\x1b[1;1H" not in found:
            found += os.read(descriptor, 1 << 16)
        return time.perf_counter() - began


def keys(descriptor: int, key: bytes, count: int) -> tuple[list[float], list[int]]:
    """Press a key `count` times; milliseconds to the first byte written, and bytes, of each."""
    times, sizes = [], []
    for _ in range(count):
        began = time.perf_counter()
        os.write(descriptor, key)
        found = os.read(descriptor, 1 << 16)
        times.append((time.perf_counter() - began) * 1000)
        sizes.append(len(found + read_until_quiet(descriptor, 0.03)))
    return times, sizes


def report(name: str, times: list[float], sizes: list[int]) -> None:
    """Print a line of figures."""
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"{name:<44} p50 {statistics.median(times):5.1f} ms  p95 {p95:5.1f} ms  {statistics.median(sizes):7.0f} bytes"
    )


def main() -> None:
    """Measure everything."""
    kinds = ("bare", "fleet", "kernels")
    paints: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(12):  # in turns, so that what else the machine does hits all alike
        for kind in kinds:
            seconds = first_paint(kind)
            paints[kind] += [seconds] if turn else []
    floor = statistics.median(paints["bare"])
    for kind in kinds[1:]:
        ours = statistics.median(paints[kind])
        print(f"first paint {kind:<32} {ours:.3f} s, bare Textual {floor:.3f} s, x{ours / floor:.2f}")
    for count in (1_000, 10_000):
        with terminal("kernels", count) as descriptor:
            read_until_quiet(descriptor, 2)
            report(f"down, {count} kernels, no scrolling", *keys(descriptor, b"j", 25))
            report(f"down, {count} kernels, scrolling too", *keys(descriptor, b"j", 100))
            report(f"page down, {count} kernels", *keys(descriptor, b"\x1b[6~", 20 if count < 2_000 else 60))
            report(f"one changed row, {count} kernels", *keys(descriptor, b"c", 30))
    with terminal("kernels", 1_000) as descriptor:
        read_until_quiet(descriptor, 2)
        print(f"idle for {IDLE:.0f} s: {len(read_until_quiet(descriptor, IDLE))} bytes")


if __name__ == "__main__":
    child(sys.argv[1], int(sys.argv[2])) if len(sys.argv) > 1 else main()
