"""Plans of the shape that jupytui makes, with small packages, and what is left when one was cut short."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from jupytui.jupyter.environments.models import Installer, Plan, Step


def new_plan(prefix: Path, pip: str, wheels: Path) -> Plan:
    """A new environment with jt_alpha 1.0, made by pip (from outside, as ensurepip would take seconds)."""
    install = f"{pip} -m pip --python {prefix}/bin/python install --no-index --find-links {wheels} jt_alpha==1.0"
    steps = (
        Step("Make the environment", f"/usr/bin/python3 -m venv --without-pip {prefix} && echo made", 0.1),
        Step("Install the packages", install, 0.8),
        Step("See that it starts", f"{prefix}/bin/jt-alpha", 0.1, proof=True),
    )
    return Plan(str(prefix), True, Installer.PIP, ("jt_alpha==1.0",), steps)


def upgrade_plan(prefix: Path, wheels: Path, package: str = "jt_alpha==2.0") -> Plan:
    """To jt_alpha 2.0."""
    install = f"{prefix}/bin/python -m pip install --upgrade --no-index --find-links {wheels} {package}"
    steps = (
        Step("Install the packages", install, 0.9),
        Step("See that it starts", f"{prefix}/bin/jt-alpha", 0.1, proof=True),
    )
    return Plan(str(prefix), False, Installer.PIP, (package,), steps)


def versions(prefix: Path) -> dict[str, str]:
    """The packages in an environment, by the names of their dist-info."""
    found = (path.name.removesuffix(".dist-info") for path in prefix.glob("lib/python3*/site-packages/*.dist-info"))
    return {name: version for name, _, version in (dist.partition("-") for dist in found)}


def contents(prefix: Path) -> dict[str, bytes]:
    """Every file in an environment, but bytecode (Python writes it when it likes)."""
    files = (path for path in prefix.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(prefix)): path.read_bytes() for path in files}


def at_work(prefix: Path) -> list[str]:
    """The command lines of the processes that have to do with `prefix`, or that were started with this test's home."""
    found, marks = [], (f"{prefix}".encode(), f"HOME={os.environ['HOME']}\0".encode())
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                command, environ = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
                if marks[0] in command or marks[1] in environ:
                    found.append(command.replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


async def at_rest(prefix: Path, seconds: float = 20) -> None:
    """Wait until nothing works on `prefix` any more; fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while at_work(prefix):  # noqa: ASYNC110 - other processes' ends raise no event here
            await asyncio.sleep(0.02)
