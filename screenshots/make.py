"""Make the pictures of this directory from the running program, against hosts of the lab. As root, in `.venv-test`:

python -m screenshots.make
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from jupytui.config.load import load_config
from jupytui.config.options import Options
from jupytui.config.paths import find_paths
from jupytui.hosts.base import HostState
from jupytui.jupyter.models import KernelState
from jupytui.tunnels.keeper.client import connect
from jupytui.tunnels.models import LOOPBACK, Address, Tunnel, TunnelKind
from jupytui.ui.program import Program
from tests.lab.jupyter import SIX, JupyterServer, Recipe, start_jupyters
from tests.lab.lab import Lab
from tests.lab.session import own_lab

HERE = Path(__file__).parent
WIDE, NARROW = (120, 30), (45, 26)

RECIPES: tuple[Recipe, ...] = (
    replace(SIX[0], name="gpu1", notebook="train.ipynb"),
    replace(SIX[1], name="gpu2", notebook="reports/weekly.ipynb"),
    replace(SIX[2], name="lab", notebook="eval.ipynb"),
    replace(SIX[4], name="pi", notebook="sensors.ipynb", ip="0.0.0.0", log="/home/alice/nohup.out"),
)


TUNNELS = (
    Tunnel("gpu1-8888", "gpu1", local=Address(LOOPBACK, 18888), to=Address("localhost", 8888)),
    Tunnel("hpc-8888", "hpc", local=Address(LOOPBACK, 18889), to=Address("localhost", 8888)),
    Tunnel("lab-proxy", "lab", TunnelKind.SOCKS, Address(LOOPBACK, 11080)),
    Tunnel("pi-review", "pi", TunnelKind.REMOTE, Address(LOOPBACK, 7022), Address("localhost", 18888)),
)


def options(home: Path, lab: Lab) -> Options:
    """Return how the program is started: four hosts, and one that is not there."""
    (home / "ssh_config").write_text(
        lab.ssh_config.read_text() + lab.ssh_host("hpc", lab.hosts[0].slot.address(250)) + "  ConnectTimeout 2\n"
    )
    path = home / "hosts.toml"
    tables = "".join(f"[hosts.{recipe.name}]\n" for recipe in RECIPES)
    path.write_text(f'[settings]\nrefresh = 1\nssh_config = "{home}/ssh_config"\n{tables}[hosts.hpc]\n')
    # By the environment, for the tunnels' keeper is another process and looks there, too.
    os.environ.update({f"XDG_{kind}": str(home / kind) for kind in ("CACHE_HOME", "STATE_HOME", "RUNTIME_DIR")})
    (home / "RUNTIME_DIR").mkdir(mode=0o700)
    return Options(load_config(path), find_paths(str(path)))


def save(program: Program, name: str) -> None:
    """Write the screen as SVG, with the reader's own fonts: a picture fetches nothing."""
    svg = program.export_screenshot(title="jupytui")
    (HERE / f"{name}.svg").write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))


async def until(pilot: Pilot[int], seen: Callable[[], bool]) -> None:
    """Wait until the program knows something. Raises TimeoutError."""
    async with asyncio.timeout(40):
        while not seen():
            await pilot.pause(0.2)


async def picture(chosen: Options, size: tuple[int, int], shoot: Callable[[Pilot[int], Program], object]) -> None:
    """Run the program in a terminal of `size` until all is known, then shoot."""
    program = Program(chosen)
    async with program.run_test(size=size) as pilot:
        await until(pilot, lambda: all(view.state is not HostState.CONNECTING for view in program.store))
        await until(
            pilot, lambda: any(k.state is KernelState.BUSY for v in program.store for s in v.servers for k in s.kernels)
        )
        await pilot.pause(2)
        result = shoot(pilot, program)
        if asyncio.iscoroutine(result):
            await result
    await program.close()


async def shoot_all(chosen: Options) -> None:
    """Make one picture after the other. A digit pressed twice shows its pane for all hosts."""

    async def fleet(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("j", "j")
        await pilot.pause(0.5)
        save(program, "fleet")

    async def kernels(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("2", "2")
        await pilot.pause(1)
        save(program, "kernels")

    async def logs(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("j", "j", "3")
        await pilot.pause(2)
        save(program, "logs")

    async def services(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("4", "4")
        await pilot.pause(4)
        save(program, "services")

    async def tunnels(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("5", "5")
        await until(pilot, lambda: program.desk is not None and len(program.desk.tunnels()) == len(TUNNELS))
        await pilot.pause(2)
        save(program, "tunnels")

    async def passwords(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("6", "6")
        await pilot.pause(8)
        save(program, "passwords")

    async def certificates(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("7", "7")
        await pilot.pause(8)
        save(program, "certificates")

    async def settings(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("j", "j", "8")
        await pilot.pause(8)
        save(program, "settings")

    async def doctor(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("9", "9")
        await program.workers.wait_for_complete()
        await pilot.pause(1)
        save(program, "doctor")

    async def narrow(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("j", "j")
        await pilot.pause(0.5)
        save(program, "fleet-narrow")

    wide = (fleet, kernels, logs, services, tunnels, passwords, certificates, settings, doctor)
    for size, shoot in (*((WIDE, shoot) for shoot in wide), (NARROW, narrow)):
        await picture(chosen, size, shoot)


async def _with_tunnels(chosen: Options) -> None:
    """Have some tunnels up meanwhile, that have carried something."""
    async with connect(chosen.paths) as keeper:
        for tunnel in TUNNELS:
            await keeper.add(tunnel)
        try:
            for _ in range(40):
                reader, writer = await asyncio.open_connection(LOOPBACK, 18888)
                writer.write(b"GET /static/favicons/favicon.ico HTTP/1.0\r\n\r\n")
                await reader.read()
                writer.close()
            await shoot_all(chosen)
        finally:
            await keeper.stop()


def busy(server: JupyterServer) -> None:
    """Give its kernel something to do, and memory to hold."""
    server.execute("x = bytearray(700_000_000); import time; time.sleep(600)", until="busy")


def configure(server: JupyterServer) -> None:
    """Have a file that does not parse, a value that loses and a name that is wrong beside those that are right."""
    for name, text in (
        ("jupyter_server_config.py", "c.ServerApp.port = 9999\nc.NotebookApp.notebook_dir = '/data'\n"),
        ("jupyter_lab_config.py", "c.ServerApp.password = (\n"),
        ("jupyter_config.json", '{"ServerApp": {"shutdown_no_activity_timout": 86400}}\n'),
    ):
        server.host.write(f"/home/alice/.jupyter/{name}", text, user="alice")


def main() -> None:
    """Boot the hosts, start their Jupyters, make the pictures."""
    with own_lab() as lab, tempfile.TemporaryDirectory() as home:
        servers = start_jupyters(lab, *RECIPES)
        servers["gpu1"].api("POST", "api/kernels", {"name": "python3"})
        busy(servers["gpu1"])
        configure(servers["gpu1"])
        asyncio.run(_with_tunnels(options(Path(home), lab)))


if __name__ == "__main__":
    main()
