"""Cuts rotations at every operation, three ways, and counts how servers stand afterwards.

By hand: `python -m tests.bench.password_cuts VERSION SETUP [EVERY]`; some minutes.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections import Counter
from itertools import count
from pathlib import Path

from tests.jupyter.passwords.cut import How
from tests.jupyter.passwords.points import points
from tests.jupyter.passwords.servers import OLD, configure, lay, living


async def main(version: str, setup: str, every: int) -> None:
    counted: Counter[tuple[str, str, str]] = Counter()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="jt") as place:
        os.environ["HOME"] = str(Path(place) / "home")
        for how in How:
            with socket.socket() as sock:
                sock.bind(("127.0.0.1", 0))
                port = int(sock.getsockname()[1])
            ground = lay(Path(place) / how, version, port)
            os.environ["HOME"] = str(ground.home)
            configure(ground, setup)
            async with living(ground) as server:
                async for point in points(server, how, count(1, every), OLD):
                    counted[point.now, point.files, point.later] += 1
                    failed += not point.holds
                    print(
                        point if not point.holds else f"{how} {point.at} {point.was}: {point.now} {point.files}",
                        flush=True,
                    )
    print(f"{version} {setup}: {sum(counted.values())} points, {failed} not as before or as after; {dict(counted)}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1))
