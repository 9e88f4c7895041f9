"""A limit on the memory of a process in a host: a real one, by whichever memory controller this machine has."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.lab.host import LabHost
from tests.lab.slot import LabError

_V1 = Path("/sys/fs/cgroup/memory")


@contextlib.contextmanager
def memory_limit(host: LabHost, pid: int, size: int) -> Iterator[None]:
    """Let process `pid` of `host` have `size` bytes: past that it is killed as a unit's process is past MemoryMax.

    Where the controller is bound to cgroup v1, the hosts' own cgroup2 has none and MemoryMax does nothing.
    """
    limited = (_V1 if _V1.is_dir() else Path("/sys/fs/cgroup")) / f"jupytui-lab-memory-{os.getpid()}"
    limited.mkdir()
    try:
        (limited / ("memory.limit_in_bytes" if _V1.is_dir() else "memory.max")).write_text(str(size))
        (limited / "cgroup.procs").write_text(str(outside(host, pid)))
        yield
    finally:
        for left in (limited / "cgroup.procs").read_text().split():
            os.kill(int(left), signal.SIGKILL)
        limited.rmdir()


def outside(host: LabHost, pid: int) -> int:
    """The PID that process `pid` of `host` has on this machine. Raises LabError."""
    namespace = Path(f"/proc/{host.pid}/ns/pid").stat().st_ino
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            words = next(line.split() for line in status.read_text().splitlines() if line.startswith("NSpid:"))
            if words[-1] == str(pid) and (status.with_name("ns") / "pid").stat().st_ino == namespace:
                return int(words[1])
    raise LabError(f"{host.name} has no process {pid}")
