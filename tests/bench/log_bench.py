"""How fast a log comes in: lines per second into the ring, beside `ssh HOST tail -F` into a pipe.

`python -m tests.bench.log_bench -F SSH_CONFIG HOST` (prints both, exit 1 below 0.8). What a flood does to the screen is
measured by `log_flood`.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from contextlib import aclosing

from jupytui.hosts.base import Destination, Host, Nobody
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.logs.reader import LogReader
from jupytui.logs.ring import Ring
from jupytui.logs.source import LogFile

LINE = "[I 2026-11-20 10:11:12.345 ServerApp] 200 GET /api/kernels?1234567890 (alice@127.0.0.1) 1.23ms referer=None"
FILE = "/tmp/jupytui-log-bench"
MAKE = 'yes "$1" | head -n "$2" >"$3"'


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("-F", dest="config", required=True, help="an ssh_config")
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def ssh_rate(config: str, host: str, lines: int) -> float:
    """Lines per second of OpenSSH's client into a pipe."""
    start = time.perf_counter()
    child = subprocess.Popen(
        ["ssh", "-F", config, host, "tail", "-n", "+1", "-F", FILE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout
    seen = 0
    with child, child.stdout as pipe:
        while seen < lines:
            seen += pipe.read1(2**18).count(b"\n")  # type: ignore[attr-defined]
        taken = time.perf_counter() - start
        child.kill()
    return lines / taken


async def our_rate(host: Host, lines: int) -> float:
    """Lines per second into the ring, from the start of the stream as for ssh."""
    ring = Ring()
    reader = LogReader(host, LogFile(FILE), history=None, backlog=None)
    start = time.perf_counter()
    async with aclosing(reader.follow()) as batches:
        async for batch in batches:
            ring.feed(batch)
            if ring.end >= lines:
                break
    return lines / (time.perf_counter() - start)


async def compare(wanted: argparse.Namespace, host: Host) -> bool:
    await host.run(MAKE, LINE, str(wanted.lines), FILE, deadline=120)
    pairs = []
    for _ in range(wanted.rounds):
        theirs = await asyncio.to_thread(ssh_rate, wanted.config, wanted.host, wanted.lines)
        ours = await our_rate(host, wanted.lines)
        pairs.append((ours / theirs, ours, theirs))
        print(f"into the ring {ours / 1e6:.2f} M lines/s   ssh tail -F {theirs / 1e6:.2f}   ratio {ours / theirs:.2f}")
    ratio = sorted(pairs)[len(pairs) // 2][0]
    print(f"median ratio {ratio:.2f} (wanted: 0.80)")
    return ratio >= 0.8


async def main() -> int:
    wanted = arguments()
    host = open_host(Destination(wanted.host, wanted.host, wanted.config), Nobody(), Gates())
    try:
        await host.connect()
        good = await compare(wanted, host)
        await host.run('rm -f "$1"', FILE)
    finally:
        await host.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
