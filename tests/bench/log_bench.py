"""How fast a log comes in: lines per second into the ring, beside `ssh HOST tail -F` into a pipe.

`python -m tests.bench.log_bench -F SSH_CONFIG HOST` (prints both, exit 1 below 0.8); with `--flood 60`, also how late
the event loop is and how much memory is taken while a million lines a second are written for so many seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import subprocess
import sys
import time
from contextlib import aclosing, suppress
from pathlib import Path

from jupytui.hosts.base import Destination, Host, Nobody
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.logs.events import Marker
from jupytui.logs.reader import LogReader
from jupytui.logs.ring import Ring
from jupytui.logs.scan import ERRORS, Scan
from jupytui.logs.source import LogFile

LINE = "[I 2026-11-20 10:11:12.345 ServerApp] 200 GET /api/kernels?1234567890 (alice@127.0.0.1) 1.23ms referer=None"
FLOOD_LINE = "[I 2026-11-20 10:11:12.345 ServerApp] 200"
FILE = "/tmp/jupytui-log-bench"
MAKE = 'yes "$1" | head -n "$2" >"$3"'
# 100 000 lines every 0.1 s: a million a second as long as the machine can write them.
WRITE = """
import sys, time
line, seconds, path = sys.argv[1], float(sys.argv[2]), sys.argv[3]
data, start, rounds = (line + "\\n").encode() * 100_000, time.monotonic(), 0
with open(path, "ab", buffering=0) as file:
    while time.monotonic() - start < seconds:
        file.write(data)
        rounds += 1
        time.sleep(max(0, start + rounds / 10 - time.monotonic()))
print(rounds * 100_000)
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("-F", dest="config", required=True, help="an ssh_config")
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flood", type=float, default=0, metavar="SECONDS")
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


def memory() -> int:
    """Resident bytes now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def lateness(into: list[float]) -> None:
    while True:
        start = time.perf_counter()
        await asyncio.sleep(0.01)
        into.append(time.perf_counter() - start - 0.01)


async def flood(wanted: argparse.Namespace, host: Host) -> bool:
    """Follow a file that gets a million lines a second, with an error search under way as in the pane."""
    await host.run(': >"$1"', FILE)
    ring, skipped, late, most = Ring(), 0, list[float](), 0
    idle = memory()
    watch = asyncio.create_task(lateness(late))
    writing = 'python3 -c "$1" "$2" "$3" "$4" && sleep 1 && echo end >>"$4"'
    writer = asyncio.create_task(host.run(writing, WRITE, FLOOD_LINE, str(wanted.flood), FILE, deadline=300))
    scan = Scan(ring, ERRORS)
    reader = LogReader(host, LogFile(FILE))
    ticked = 0.0
    async with aclosing(reader.follow()) as batches:
        async for batch in batches:
            ring.feed(batch)
            skipped += sum(int(event.text.split()[1].replace(",", "")) for event in batch if isinstance(event, Marker))
            if time.perf_counter() - ticked > 0.1:
                ticked, most = time.perf_counter(), max(most, memory())
                scan.step()
            if ring.end and ring[ring.end - 1].text == "end":
                break
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch
    late.sort()
    p99, grown = late[int(len(late) * 0.99)], most - idle
    written = int((await writer).stdout)
    print(f"flood: {written:,} lines in {wanted.flood:g} s; seen {ring.end:,}, skipped {skipped:,}")
    print(
        f"loop late p99 {p99 * 1000:.1f} ms, worst {late[-1] * 1000:.1f} ms; memory {grown / 2**20:.0f} MiB above idle"
    )
    return p99 < 0.1 and grown < 150 * 2**20


async def main() -> int:
    wanted = arguments()
    host = open_host(Destination(wanted.host, wanted.host, wanted.config), Nobody(), Gates())
    try:
        await host.connect()
        good = await flood(wanted, host) if wanted.flood else True
        good = await compare(wanted, host) and good
        await host.run('rm -f "$1"', FILE)
    finally:
        await host.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
