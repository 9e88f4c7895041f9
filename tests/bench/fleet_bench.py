"""What it costs to see 100 addresses: against `xargs ssh` and clush, warm, and at rest.

By hand, as root: `python -m tests.bench.fleet_bench`. Ten hosts of the lab have ten addresses each, with sshd's limits
at their defaults; all clients use the same key exchange. Every figure comes from this one run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from jupytui.fleet.fleet import Fleet
from jupytui.fleet.store import Store
from jupytui.hosts.base import Destination, HostState, Nobody
from tests.lab.lab import Lab
from tests.lab.session import own_lab

HOSTS = 10
ADDRESSES = 10
ROUNDS = 5


def make_config(lab: Lab, directory: Path) -> tuple[Path, list[str]]:
    """Return an ssh_config with an alias for each address of each host, and the aliases."""
    names, blocks = [], []
    for host in lab.up(*(f"n{number}" for number in range(1, HOSTS + 1))):
        host.add_addresses(ADDRESSES)
        for number, address in enumerate(host.extra_addresses()[:ADDRESSES]):
            names.append(f"{host.name}-{number}")
            blocks.append(lab.ssh_host(names[-1], address))
    known = directory / "known_hosts"
    keys = "".join(
        f"{address} {key}\n" for host in lab.hosts for address in host.extra_addresses() for key in host.host_keys()
    )
    known.write_text(keys)
    config = directory / "ssh_config"
    config.write_text("".join(blocks).replace(str(lab.known_hosts), str(known)))
    return config, names


def timed(argv: list[str], text: str = "") -> float:
    """Return the seconds `argv` takes. Raises CalledProcessError."""
    begun = time.perf_counter()
    subprocess.run(argv, input=text, text=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return time.perf_counter() - begun


def xargs_ssh(config: Path, names: list[str]) -> float:
    return timed(["xargs", "-P", "16", "-I", "{}", "ssh", "-F", str(config), "{}", "true"], "\n".join(names))


def clush(config: Path, names: list[str]) -> float | None:
    if not shutil.which("clush"):
        return None
    return timed(["clush", "-f", "64", "-o", f"-F {config}", "-w", ",".join(names), "true"])


class Lag:
    """How late the loop is, sampled every 5 ms."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def sample(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.005)
            self.late.append(1000 * (time.perf_counter() - begun - 0.005))

    @property
    def p99(self) -> float:
        return sorted(self.late)[int(0.99 * len(self.late))] if self.late else 0.0


@contextlib.contextmanager
def cpu(label: str) -> Iterator[None]:
    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    before, begun = used(), time.perf_counter()
    yield
    share = 100 * (used() - before) / (time.perf_counter() - begun)
    print(f"{label:42} {share:.2f} % of one CPU")


def memory() -> float:
    fields = Path("/proc/self/status").read_text().split("VmRSS:")[1].split()
    return int(fields[0]) / 1024


async def cold(config: Path, names: list[str], also: tuple[str, ...] = ()) -> tuple[float, float, Fleet]:
    """Return seconds until all `names` are up, the p99 of the loop's lag in ms, and the fleet."""
    fleet = Fleet(Store(), lambda _host: Nobody(), refresh=3600)
    for name in (*names, *also):
        fleet.add(Destination(name, name, str(config)))
    waiting, done = set(names), asyncio.Event()

    def changed(name: str) -> None:
        view = fleet.store.host(name)
        if view and view.state is HostState.UP:
            waiting.discard(name)
            if not waiting:
                done.set()

    fleet.store.subscribe(changed)
    lag = Lag()
    sampling = asyncio.create_task(lag.sample())
    begun = time.perf_counter()
    fleet.start()
    await asyncio.wait_for(done.wait(), 60)
    seconds = time.perf_counter() - begun
    sampling.cancel()
    return seconds, lag.p99, fleet


async def ours(config: Path, names: list[str]) -> None:
    seconds, p99, fleet = await cold(config, names)
    print(f"{'jupytui, 100 addresses up and looked at':42} {seconds:.2f} s, loop lag p99 {p99:.0f} ms")
    warm = []
    for _ in range(5):
        begun = time.perf_counter()
        await fleet.refresh()
        warm.append(time.perf_counter() - begun)
    print(f"{'warm refresh of 100':42} {statistics.median(warm):.3f} s (median of 5)")
    print(f"{'memory with 100 hosts':42} {memory():.0f} MiB")
    await fleet.close()


async def with_a_dead_one(config: Path, names: list[str]) -> None:
    seconds, _, fleet = await cold(config, names, ("dead",))
    print(f"{'the same 100 with a dead host among them':42} {seconds:.2f} s")
    await fleet.close()


async def at_rest(config: Path, names: list[str]) -> None:
    _, _, fleet = await cold(config, names)
    fleet.pace.refresh = 3.0
    await fleet.refresh()
    await asyncio.sleep(5)
    with cpu(f"{len(names)} hosts at 3 s refresh for 30 s"):
        await asyncio.sleep(30)
    print(f"{'memory then':42} {memory():.0f} MiB")
    await fleet.close()


def alone(what: str, config: Path, names: list[str]) -> float:
    """Run one measurement in a process of its own, as it would be; the first seconds that it names."""
    # With bytecode, as pip installs it.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"BENCH": what, "CONFIG": str(config), "NAMES": " ".join(names)}
    environment["PYTHONPYCACHEPREFIX"] = str(config.parent / "bytecode")
    argv = [sys.executable, "-m", "tests.bench.fleet_bench"]
    told = subprocess.run(argv, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(told, end="")
    seconds = re.search(r"([0-9.]+) s\b", told)
    return float(seconds[1]) if seconds else 0.0


def compare(lab: Lab, config: Path, names: list[str]) -> None:
    """Let all clients visit the same hosts in turns; what else the machine does hits all alike."""
    xargs_ssh(config, names)  # the first login at a host starts its user's systemd
    alone("ours", config, names)  # and the first import writes bytecode
    walls: list[tuple[float, float]] = []
    spent: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        settle(lab)
        with far_cpu(lab) as theirs_far:
            theirs = xargs_ssh(config, names)
        print(f"{'xargs -P 16 ssh … true':42} {theirs:.2f} s")
        settle(lab)
        if (seconds := clush(config, names)) is not None:
            print(f"{'clush -f 64 … true':42} {seconds:.2f} s")
        settle(lab)
        with far_cpu(lab) as ours_far:
            walls.append((theirs, alone("ours", config, names)))
        spent.append((theirs_far[0], ours_far[0]))
    theirs, seconds = (statistics.median(each) for each in zip(*walls, strict=True))
    ratio = statistics.median(ours / theirs for theirs, ours in walls)
    print(f"{'jupytui against xargs, medians':42} {seconds:.2f} s / {theirs:.2f} s, median of the ratios {ratio:.2f}")
    far, ours_too = (statistics.median(each) for each in zip(*spent, strict=True))
    print(f"{'CPU of the hosts: xargs, jupytui (+5 warm)':42} {far:.2f} s, {ours_too:.2f} s")


def used(lab: Lab) -> float:
    """Return the seconds of CPU that the lab's hosts have taken so far."""
    return int((lab.slot.cgroup / "cpu.stat").read_text().split()[1]) / 1e6


def settle(lab: Lab) -> None:
    """Wait until the hosts have nothing to do: what one client leaves (100 sessions to end) is not the next one's."""
    while True:
        before = used(lab)
        time.sleep(0.5)
        if used(lab) - before < 0.02:
            return


@contextlib.contextmanager
def far_cpu(lab: Lab) -> Iterator[list[float]]:
    """Yield a list that holds, in the end, the seconds of CPU that the lab's hosts took meanwhile."""
    taken: list[float] = []
    before = used(lab)
    yield taken
    taken.append(used(lab) - before)


def main() -> None:
    if what := os.environ.get("BENCH"):
        measure = {"ours": ours, "dead": with_a_dead_one, "rest": at_rest}[what]
        asyncio.run(measure(Path(os.environ["CONFIG"]), os.environ["NAMES"].split()))
        return
    with own_lab() as lab, tempfile.TemporaryDirectory() as directory:
        config, names = make_config(lab, Path(directory))
        dead = lab.ssh_host("dead", lab.hosts[0].slot.address(250))
        config.write_text(config.read_text() + dead)
        compare(lab, config, names)
        alone("dead", config, names)
        alone("rest", config, names[::5])


if __name__ == "__main__":
    main()
