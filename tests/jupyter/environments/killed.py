"""Install, and be killed when WORD is seen: `…killed PREFIX KIND PIP WHEELS WORD`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from jupytui.hosts.local import LocalHost
from jupytui.jupyter.environments.install import install
from jupytui.jupyter.environments.outcome import Progress
from tests.jupyter.environments.plans import new_plan, upgrade_plan


async def main() -> None:
    prefix, kind, pip, wheels, word = sys.argv[1:]

    def tell(progress: Progress) -> None:
        if word in f"{progress.step}: {progress.line or 'begins'}":
            os.kill(os.getpid(), signal.SIGKILL)

    new = kind == "new"
    plan = new_plan(Path(prefix), pip, Path(wheels)) if new else upgrade_plan(Path(prefix), Path(wheels))
    await install(LocalHost(), plan, tell)


asyncio.run(main())
