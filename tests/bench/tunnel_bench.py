"""What a tunnel carries, and what it costs: against `ssh -L` with the same cipher, to the same host, in the same run.

By hand, as root: `python -m tests.bench.tunnel_bench [throughput far latency aborts flapping]`. Ours and ssh's are
processes of their own and take turns, so that what else the machine does falls on both.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupytui.hosts.base import Destination, Nobody
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.tunnels.models import Address, Tunnel, TunnelState
from jupytui.tunnels.switchboard import Switchboard
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.lab.proxy import Proxy
from tests.lab.session import own_lab

CIPHER = "aes128-gcm@openssh.com"
SOURCE_PORT = 9900
ROUNDS = 5
EIGHT = 8
MB = 10**6

# Sends as many bytes as it is asked for (a negative number: takes as many), or says one byte for "0".
SOURCE = """
import socket, threading
block = bytes(1 << 20)
def serve(client):
    with client:
        left = int(client.recv(32))
        if left == 0:
            client.sendall(b"x")
        while left < 0:
            data = client.recv(1 << 20)
            if not data:
                return client.sendall(b"x")
        while left > 0:
            left -= client.send(block[: min(left, len(block))])
def guarded(client):
    try:
        serve(client)
    except (OSError, ValueError):
        pass
server = socket.create_server(("127.0.0.1", 9900), backlog=4096)
print("listening", flush=True)
while True:
    threading.Thread(target=guarded, args=(server.accept()[0],), daemon=True).start()
"""


@dataclass
class Program:
    """A process with tunnels on `ports`."""

    name: str
    process: subprocess.Popen[str]
    ports: Sequence[int]

    @property
    def memory(self) -> float:
        """The most it has held so far, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in socks]


@contextlib.contextmanager
def ssh(config: Path, host: str, count: int, cipher: str = CIPHER) -> Iterator[Program]:
    """With `cipher`, or with the one that it takes by itself when that is empty."""
    ports = free_ports(count)
    forwards = [word for port in ports for word in ("-L", f"{port}:127.0.0.1:{SOURCE_PORT}")]
    options = ["-o", f"Ciphers={cipher}"] if cipher else []
    argv = ["ssh", "-F", str(config), *options, "-o", "BatchMode=yes", "-N", *forwards, host]
    with subprocess.Popen(argv, text=True) as process:
        wait_for(ports[-1])
        yield Program("ssh -L" if cipher else "as typed", process, ports)
        process.terminate()


def own_cipher(config: Path, host: str) -> str:
    """Return what `ssh` agrees on with `host` when nobody says anything."""
    argv = ["ssh", "-v", "-F", str(config), "-o", "BatchMode=yes", host, "true"]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stderr
    return said.split("server->client cipher: ")[1].split()[0]


@contextlib.contextmanager
def ours(config: Path, host: str, count: int) -> Iterator[Program]:
    argv = [sys.executable, "-m", "tests.bench.tunnel_bench"]
    environment = {**os.environ, "SERVE": f"{config} {host} {count}"}
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=environment, text=True, stdin=pipe, stdout=pipe) as process:
        assert process.stdout
        ports = list(map(int, process.stdout.readline().split()))
        yield Program("jupytui", process, ports)
        process.terminate()


def wait_for(port: int) -> None:
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)


def switchboard(config: Path) -> Switchboard:
    gates = Gates()
    return Switchboard(
        lambda name, prompter: open_host(Destination(name, name, str(config)), prompter, gates),
        Nobody(),
        lambda status: None,
    )


async def until_up(board: Switchboard) -> None:
    while any(status.state is not TunnelState.UP for status in board.statuses()):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def serve(config: str, host: str, count: str) -> None:
    """Be the process with the tunnels, until SIGTERM."""
    board = switchboard(Path(config))
    to = Address("127.0.0.1", SOURCE_PORT)
    statuses = [await board.add(Tunnel(f"t{number}", host, to=to)) for number in range(int(count))]
    await until_up(board)
    print(*(status.local.port for status in statuses if status.local), flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await board.close()


@contextlib.contextmanager
def source(host: LabHost) -> Iterator[None]:
    with host.spawn('exec python3 -c "$1"', SOURCE) as process:
        assert process.stdout
        process.stdout.readline()
        yield
        process.kill()


def fetch(port: int, size: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"%d" % size)
        buffer = bytearray(1 << 20)
        got = 0
        while count := sock.recv_into(buffer):
            got += count
    assert got == size, f"{got} of {size} bytes came"


def send(port: int, size: int) -> None:
    block = bytes(1 << 20)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"%-32d" % -1)
        for _ in range(size // len(block)):
            sock.sendall(block)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b"x"


def rate(move: Callable[[int, int], None], ports: Sequence[int], size: int) -> float:
    """Return MB/s of `size` bytes in all through `ports` at once."""
    threads = [threading.Thread(target=move, args=(port, size // len(ports))) for port in ports]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return size / (time.perf_counter() - begun) / MB


def compare(title: str, programs: Sequence[Program], measure: Callable[[Program], float], unit: str) -> list[float]:
    """Print each round's figures in columns, then the medians; those are returned."""
    rounds = []
    for number in range(ROUNDS):  # the order changes, so that neither always comes after the other
        order = programs if number % 2 else programs[::-1]
        figures = {program.name: measure(program) for program in order}
        rounds.append([figures[program.name] for program in programs])
    print(f"\n{title}")
    print("".join(f"{program.name:>14}" for program in programs))
    for row in rounds:
        print("".join(f"{value:14.2f}" for value in row))
    medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
    print("".join(f"{value:14.2f}" for value in medians), f"  {unit}, median of {ROUNDS}", end="")
    print("  (" + ", ".join(f"{medians[0] / other:.2f} x" for other in medians[1:]) + ")")
    return medians


def throughput(lab: Lab) -> None:
    host = lab.host("fwbench")
    with contextlib.ExitStack() as running:
        running.enter_context(source(host))
        mine, *others = programs = [
            running.enter_context(ours(lab.ssh_config, host.name, EIGHT)),
            running.enter_context(ssh(lab.ssh_config, host.name, EIGHT)),
            running.enter_context(ssh(lab.ssh_config, host.name, EIGHT, "")),
        ]
        for program in programs:
            rate(fetch, program.ports[:1], 200 * MB)
        print(f"jupytui and ssh -L: {CIPHER}; ssh -L as typed: {own_cipher(lab.ssh_config, host.name)}")
        compare("one tunnel", programs, lambda one: rate(fetch, one.ports[:1], 1000 * MB), "MB/s")
        compare("eight at once", programs, lambda one: rate(fetch, one.ports, 1000 * MB), "MB/s")
        compare("one tunnel, sending", programs, lambda one: rate(send, one.ports[:1], 500 * MB), "MB/s")
        print(f"memory: {mine.memory:.0f} MiB, ssh {others[0].memory:.0f} MiB")


def far(lab: Lab) -> None:
    """The same at 50 ms round trip."""
    host = lab.host("fwbench")
    with late(host.address) as port:
        config = lab.ssh_config.with_name("late_config")
        known = f"  HostKeyAlias {host.address}\n  Port {port}\n"
        config.write_text(lab.ssh_host("late", "127.0.0.1") + known)
        with source(host), ours(config, "late", 1) as mine, ssh(config, "late", 1) as other:
            both = [mine, other]
            for program in both:
                rate(fetch, program.ports, 50 * MB)
            compare("at 50 ms round trip", both, lambda one: rate(fetch, one.ports, 200 * MB), "MB/s")
            print(f"memory: {mine.memory:.0f} MiB, ssh {other.memory:.0f} MiB")


@contextlib.contextmanager
def late(address: str) -> Iterator[int]:
    """A port that leads to the host's sshd, 25 ms late each way; in a process of its own."""
    environment = {**os.environ, "LATE": address}
    argv = [sys.executable, "-m", "tests.bench.tunnel_bench"]
    with subprocess.Popen(argv, env=environment, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.kill()


async def be_late(address: str) -> None:
    async with Proxy(address, 22, delay=0.025) as proxy:
        print(proxy.port, flush=True)
        await asyncio.Event().wait()


def latency(lab: Lab) -> None:
    host = lab.host("fwbench")

    def connect(program: Program) -> float:
        times = []
        for _ in range(200):
            begun = time.perf_counter()
            with socket.create_connection(("127.0.0.1", program.ports[0])) as sock:
                sock.sendall(b"0")
                assert sock.recv(1) == b"x"
            times.append(1000 * (time.perf_counter() - begun))
        return statistics.median(times)

    with source(host), ours(lab.ssh_config, host.name, 1) as mine, ssh(lab.ssh_config, host.name, 1) as other:
        compare("connect and one byte, p50 of 200", [mine, other], connect, "ms")


async def aborts(lab: Lab) -> None:
    """10 000 local connects, aborted at once."""
    host = lab.host("fwbench")
    board = switchboard(lab.ssh_config)
    await board.add(Tunnel("t", host.name, to=Address("127.0.0.1", SOURCE_PORT)))
    await until_up(board)
    before, held = descriptors(), memory()
    begun = time.perf_counter()
    local = board.statuses()[0].local
    assert local
    await asyncio.to_thread(abort_all, local.port, 10_000)
    while descriptors() != before:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    channels = len(host.exec("ss -Htn state established dport = :9900").stdout.splitlines())
    print(
        f"\n10 000 connects aborted: {time.perf_counter() - begun:.1f} s, 0 descriptors and {channels} channels left,"
    )
    print(f"memory {held:.0f} -> {memory():.0f} MiB; opened: {board.statuses()[0].connections}")
    await board.close()


def abort_all(port: int, count: int) -> None:
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def memory() -> float:
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


async def flapping(lab: Lab, seconds: float = 300.0) -> None:
    """The link is broken once a second, while somebody begins a connection through it ten times a second."""
    host = lab.host("fwbench")
    async with Proxy(host.address, 22) as proxy:
        config = lab.ssh_config.with_name("flapping_config")
        config.write_text(
            lab.ssh_host("flapping", "127.0.0.1") + f"  HostKeyAlias {host.address}\n  Port {proxy.port}\n"
        )
        board = switchboard(config)
        await board.add(Tunnel("t", "flapping", to=Address("127.0.0.1", SOURCE_PORT)))
        await until_up(board)
        local = board.statuses()[0].local
        assert local
        print("\nflapping once a second: seconds, MiB, descriptors, tasks, channels, sessions, reconnects, visits")
        await show(0, host, board)
        visiting = asyncio.create_task(visit(local.port))
        begun, cuts = time.monotonic(), 0
        while (passed := time.monotonic() - begun) < seconds:
            await proxy.reset()
            cuts += 1
            await asyncio.sleep(1)
            if cuts % 10 == 0:
                await show(passed, host, board)
        visiting.cancel()
        await asyncio.wait([visiting])
        await until_up(board)
        await asyncio.sleep(2)
        await show(time.monotonic() - begun, host, board)
        print(f"{cuts} cuts")
        await board.close()


async def show(passed: float, host: LabHost, board: Switchboard) -> None:
    channels = "ss -Htn state established dport = :9900 | wc -l; ss -Htn state established sport = :22 | wc -l"
    far = (await asyncio.to_thread(host.exec, channels)).stdout.split()
    status, tasks = board.statuses()[0], len(asyncio.all_tasks())
    print(f"{passed:4.0f} {memory():6.1f} {descriptors():4} {tasks:4} {far[0]:>4} {far[1]:>4}", end="")
    print(f" {status.reconnects:4} {status.connections:5}", flush=True)


async def visit(port: int) -> None:
    """Ask for a byte ten times a second, however it goes; each is given a second."""
    async with asyncio.TaskGroup() as visits:
        while True:
            visits.create_task(_ask(port))
            await asyncio.sleep(0.1)


async def _ask(port: int) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"0")
                await reader.read(1)
            finally:
                writer.close()


def main() -> None:
    if "SERVE" in os.environ:
        asyncio.run(serve(*os.environ["SERVE"].split()))
    elif "LATE" in os.environ:
        asyncio.run(be_late(os.environ["LATE"]))
    else:
        wanted = sys.argv[1:] or ["throughput", "far", "latency", "aborts", "flapping"]
        with own_lab() as lab:
            for name in wanted:
                if name in {"aborts", "flapping"}:
                    with source(lab.host("fwbench")):
                        asyncio.run({"aborts": aborts, "flapping": flapping}[name](lab))
                else:
                    {"throughput": throughput, "far": far, "latency": latency}[name](lab)


if __name__ == "__main__":
    main()
