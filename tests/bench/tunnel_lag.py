"""How late the program's event loop is while a tunnel carries all it can: `python -m tests.bench.tunnel_lag`, as root.

The real program, in tmux, shows the Tunnels pane and watches the host; the keeper carries, in its own process. The
promise is a p99 below 50 ms.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import runpy
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.fleet_bench import Lag
from tests.bench.tunnel_bench import MB, SOURCE_PORT, rate, source
from tests.bench.tunnel_bench import fetch as download
from tests.e2e.program import run, write_config
from tests.e2e.tmux import Tmux
from tests.lab.session import own_lab

SECONDS = 20.0
HOST = "talag"


def program(config: str, told: Path) -> None:
    """Be the program, with its loop watched; on SIGUSR1, write down what was measured since the last one."""
    from jupytui.ui import app

    shown: Any = app._run
    lag = Lag()

    def tell() -> None:
        late, lag.late = sorted(lag.late), []
        told.with_suffix(".new").write_text(json.dumps(late))
        told.with_suffix(".new").rename(told)

    async def watched(options: Any) -> int:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, tell)
        sampling = loop.create_task(lag.sample())
        try:
            return int(await shown(options))
        finally:
            sampling.cancel()

    app._run = watched
    (told.parent / "pid").write_text(str(os.getpid()))
    sys.argv = ["jupytui", "--config", config]
    runpy.run_module("jupytui", run_name="__main__")


def ask(told: Path) -> list[float]:
    told.unlink(missing_ok=True)
    os.kill(int((told.parent / "pid").read_text()), signal.SIGUSR1)
    while not told.exists():
        time.sleep(0.05)
    late: list[float] = json.loads(told.read_text())
    return late


def show(title: str, late: list[float]) -> None:
    p50, p99 = (late[int(share * len(late))] for share in (0.5, 0.99))
    print(f"{title:28} p50 {p50:5.1f} ms  p99 {p99:5.1f} ms  most {late[-1]:5.1f} ms  of {len(late)} samples")


def measure(home: Path) -> None:
    told = home / "told"
    with own_lab() as lab, source(lab.host(HOST)):
        config = write_config(home, lab, [HOST])
        environment = {**os.environ, "LAG": f"{config} {told}"}
        added = run(config, "tunnel", "add", "t", "--host", HOST, "--to", str(SOURCE_PORT))
        local = re.search(r":(\d+)", added.stdout)
        assert local, added.stdout + added.stderr
        try:
            with Tmux([sys.executable, "-m", "tests.bench.tunnel_lag"], env=environment) as terminal:
                terminal.wait_until(re.compile(rf"{HOST} .*up"), 30)
                terminal.send("5")
                terminal.wait_until(local[1], 30)
                ask(told)
                time.sleep(SECONDS)
                show("at rest", ask(told))
                for title, ports in (("one download", 1), ("eight downloads", 8)):
                    ends = time.monotonic() + SECONDS
                    speeds = []
                    while time.monotonic() < ends:
                        speeds.append(rate(download, [int(local[1])] * ports, 1000 * MB))
                    show(f"{title}, {sum(speeds) / len(speeds):.0f} MB/s", ask(told))
        finally:
            run(config, "tunnel", "rm", "t")


def main() -> None:
    if "LAG" in os.environ:
        config, told = os.environ["LAG"].split()
        program(config, Path(told))
        return
    with tempfile.TemporaryDirectory(prefix="jt") as directory:
        home = Path(directory)
        for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            os.environ[name] = directory
        (home / "run").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(home / "run")
        measure(home)


if __name__ == "__main__":
    main()
