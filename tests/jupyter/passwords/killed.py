"""Rotates a password and is killed before its n-th operation: `killed.py <JOB`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).parents[3]))

from jupytui.hosts.base import Host
from jupytui.hosts.local import LocalHost
from jupytui.jupyter.access import Access
from jupytui.jupyter.launch.shutdown import Target
from jupytui.jupyter.models import App
from jupytui.jupyter.settings.discover import Whose
from jupytui.secret import Secret
from tests.jupyter.passwords.cut import CutHost, How
from tests.jupyter.passwords.points import rotate


async def main() -> None:
    job = json.load(sys.stdin)
    here = LocalHost()
    host = cast("Host", CutHost(here, job["at"], How.KILL))
    target = Target("here", job["pid"], job["port"], None, Access(port=job["port"], token=Secret(job["token"])))
    await rotate(host, target, Whose(App(job["app"]), job["pid"]), job["old"], job["new"])
    await here.close()


asyncio.run(main())
