"""Time to the first useful text, beside that of a bare Textual app in the same run.

`python -m tests.bench.first_paint`. Both start in a pseudo-terminal of 120×40; the clock stops when a host's name is on
the screen. They take turns, so that the machine's moods hit both; medians. A third figure is our whole first frame.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from jupytui.fleet.memory import remember
from jupytui.fleet.models import HostView, System
from jupytui.hosts.base import HostState
from jupytui.jupyter.models import App, Kernel, Server

NAME = b"gpu-of-the-bench"
FRAME = b"Tunnels"  # of the bar of panes, which only the toolkit draws
RUNS = 15
LIMIT = 1.15

SCRIPT = "import sys; from jupytui.__main__ import main; sys.exit(main())"  # what installers put on the path
BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("gpu-of-the-bench")
Bare().run()
"""


def first_text(command: list[str], environment: dict[str, str], text: bytes) -> float:
    """Return the seconds from the start of `command` to `text` on its terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    try:
        return _until(master, text, began + 20) - began
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _until(terminal: int, text: bytes, deadline: float) -> float:
    seen = b""
    while text not in seen:
        if not select.select([terminal], [], [], max(0.0, deadline - time.perf_counter()))[0]:
            raise TimeoutError(seen[-500:])
        seen += os.read(terminal, 65536)
    return time.perf_counter()


def remembered(home: Path) -> dict[str, str]:
    """Return an environment in which 20 hosts were seen before, none of which can be reached."""
    config = home / "hosts.toml"
    names = [NAME.decode(), *(f"host{number}" for number in range(19))]
    config.write_text("".join(f'[hosts.{name}]\nssh = "{name}.invalid"\n' for name in names))
    environment = os.environ | {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "JUPYTUI_CONFIG": str(config)}
    remember(home / "cache" / "jupytui", config, tuple(map(_view, names)))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # both are measured as installed: with bytecode
    return environment | {"COLORTERM": "truecolor", "TERM": "xterm-256color"}


def _view(name: str) -> HostView:
    kernels = tuple(Kernel(f"{name}-{number}", "python3", path=f"{number}.ipynb") for number in range(10))
    server = Server(f"{name}:8888", 150, App.LAB, port=8888, root_dir="/home/alice", kernels=kernels)
    return HostView(name, f"alice@{name}", HostState.UP, system=System("Linux", cpus=8), servers=(server,))


def main() -> int:
    """Print both medians and their ratio; exit status 1 above the limit."""
    with tempfile.TemporaryDirectory() as home:
        environment = remembered(Path(home))
        script = [sys.executable, "-c", SCRIPT]
        commands = {
            "bare": ([sys.executable, "-c", BARE], NAME),
            "jupytui": (script, NAME),
            "frame": (script, FRAME),
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(RUNS + 2):
            for name, (command, text) in commands.items():
                seconds = first_text(command, environment, text)
                if number > 1:  # the first two warm the caches
                    times[name].append(seconds)
    bare, ours, frame = (statistics.median(times[name]) for name in ("bare", "jupytui", "frame"))
    print(f"first useful text: bare Textual {bare * 1000:.0f} ms, jupytui {ours * 1000:.0f} ms, {ours / bare:.2f} x")
    print(f"whole first frame: {frame * 1000:.0f} ms, {frame / bare:.2f} x")
    return 0 if ours <= LIMIT * bare else 1


if __name__ == "__main__":
    sys.exit(main())
