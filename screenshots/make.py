"""Make the pictures of this directory from the running program, against hosts of the lab. As root, in `.venv-test`:

python -m screenshots.make
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from jupytui.config.load import load_config
from jupytui.config.options import Options
from jupytui.config.paths import Paths
from jupytui.hosts.base import HostState
from jupytui.jupyter.models import KernelState
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


def options(home: Path, lab: Lab) -> Options:
    """Return how the program is started: four hosts, and one that is not there."""
    (home / "ssh_config").write_text(
        lab.ssh_config.read_text() + lab.ssh_host("hpc", lab.hosts[0].slot.address(250)) + "  ConnectTimeout 2\n"
    )
    path = home / "hosts.toml"
    tables = "".join(f"[hosts.{recipe.name}]\n" for recipe in RECIPES)
    path.write_text(f'[settings]\nrefresh = 1\nssh_config = "{home}/ssh_config"\n{tables}[hosts.hpc]\n')
    return Options(load_config(path), Paths(path, home / "cache", home / "state", home / "logs"))


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
    """Make one picture after the other."""

    async def fleet(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("j", "j")
        await pilot.pause(0.5)
        save(program, "fleet")

    async def kernels(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("2")
        await pilot.pause(1)
        save(program, "kernels")

    async def logs(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("j", "j", "3")
        await pilot.pause(2)
        save(program, "logs")

    async def services(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("4")
        await pilot.pause(4)
        save(program, "services")

    async def narrow(pilot: Pilot[int], program: Program) -> None:
        await pilot.press("j", "j")
        await pilot.pause(0.5)
        save(program, "fleet-narrow")

    for size, shoot in ((WIDE, fleet), (WIDE, kernels), (WIDE, logs), (WIDE, services), (NARROW, narrow)):
        await picture(chosen, size, shoot)


def busy(server: JupyterServer) -> None:
    """Give its kernel something to do, and memory to hold."""
    server.execute("x = bytearray(700_000_000); import time; time.sleep(600)", until="busy")


def main() -> None:
    """Boot the hosts, start their Jupyters, make the pictures."""
    with own_lab() as lab, tempfile.TemporaryDirectory() as home:
        servers = start_jupyters(lab, *RECIPES)
        servers["gpu1"].api("POST", "api/kernels", {"name": "python3"})
        busy(servers["gpu1"])
        asyncio.run(shoot_all(options(Path(home), lab)))


if __name__ == "__main__":
    main()
