"""What a look finds, before it is made into servers and kernels: plain frozen values, nothing interpreted.

Text here is as the machine gave it (bytes that are not UTF-8 as surrogates), because paths go back to that machine;
it is cleaned where it enters a model.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from jupytui.jupyter.runtime import RuntimeFile, parse_runtime_file

_WRITING = 30  # seconds in which a runtime file that makes no sense may yet be finished


class Machine(msgspec.Struct, frozen=True):
    """What stays true until a reboot. `tick` is CPU ticks per second, `boot_time` unix seconds.

    `clock` is what its clock said when this was told, in unix seconds, 0 where it did not say.
    """

    os: str | None = None
    boot_id: str | None = None
    uid: int = -1
    tick: int = 100
    cpus: int | None = None
    boot_time: int = 0
    has_nvidia: bool = False
    clock: int = 0


class Now(msgspec.Struct, frozen=True):
    """The moment of the look. `up` is seconds since boot, memory bytes, `cpu_*` ticks of all CPUs since boot.

    `oom_kills` is how many processes the machine has killed since boot because memory ran out (/proc/vmstat, >= 4.13).
    """

    up: float | None = None
    load1: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    cpu_busy: int | None = None
    cpu_total: int | None = None
    oom_kills: int | None = None


class Process(msgspec.Struct, frozen=True):
    """A process that may be Jupyter's, or (`listed` False) one below a kernel.

    `key` (pid, start, name) stays the same as long as the process runs the same program. `start` is ticks since boot,
    `cpu` ticks used, `rss` bytes; `run_ns` what the main thread ran, in nanoseconds: it moves with the smallest
    thing a kernel does, where `cpu` counts hundredths of a second.
    """

    key: str
    pid: int
    ppid: int
    start: int
    name: str
    state: str
    cpu: int
    rss: int
    run_ns: int | None = None
    listed: bool = True

    @property
    def ending(self) -> bool:
        """Whether it has let go of its memory: on its way out, or waiting for its parent to notice."""
        return self.state in {"Z", "X"} or self.rss == 0


class Detail(msgspec.Struct, frozen=True):
    """What is told once of a process. `env` holds only the variables asked for; `uid` -1 when unknown.

    `elsewhere`: it is in a network of its own, that is, in a container.
    """

    argv: tuple[str, ...] = ()
    uid: int = -1
    cgroup: str = ""
    stdout: str = ""
    cwd: str = ""
    env: Mapping[str, str] = {}
    elsewhere: bool = False


class Listener(msgspec.Struct, frozen=True):
    """A listening TCP socket: `address` is an IP address, "*" for all of both families."""

    address: str
    port: int
    uid: int
    inode: int


class Owner(msgspec.Struct, frozen=True):
    """A socket a process holds; `path` when it is a listening unix socket."""

    pid: int
    inode: int
    path: str = ""


class RuntimeText(msgspec.Struct, frozen=True):
    """A server's runtime file as it lies there; `mtime` unix seconds."""

    path: str
    mtime: int
    text: bytes


class Look(msgspec.Struct, frozen=True):
    """One answer of the survey. None means: as in the look before. `complete` is False for a cut answer.

    `ended` is how kernels ended whose server has not noticed yet: wait statuses (waitpid(2)) by pid.
    """

    complete: bool = False
    machine: Machine | None = None
    now: Now = Now()
    processes: tuple[Process, ...] = ()
    ended: Mapping[int, int] = {}
    details: Mapping[str, Detail] = {}
    open_files: Mapping[int, int] = {}
    listeners: tuple[Listener, ...] | None = None
    owners: tuple[Owner, ...] = ()
    connections: tuple[str, ...] | None = None
    files: tuple[RuntimeText, ...] = ()
    disk_free: int | None = None


class Facts(msgspec.Struct, frozen=True):
    """All that is known of a machine: the last look, with what earlier ones told once.

    `before` gives the rates; `unread` is True when a runtime file was still being written. `ahead` is by how many
    seconds its clock is ahead of ours, 0 where they agree to a few.
    """

    machine: Machine = Machine()
    now: Now = Now()
    processes: Mapping[int, Process] = {}
    ended: Mapping[int, int] = {}
    details: Mapping[str, Detail] = {}
    open_files: Mapping[int, int] = {}
    listeners: tuple[Listener, ...] = ()
    owners: tuple[Owner, ...] = ()
    connections: tuple[str, ...] = ()
    files: tuple[RuntimeFile, ...] = ()
    unread: bool = False
    disk_free: int | None = None
    before: tuple[Now, Mapping[int, Process]] = (Now(), {})
    ahead: float = 0.0

    def detail(self, process: Process) -> Detail:
        """Return what was told once of `process`."""
        return self.details.get(process.key) or Detail()


def learn(facts: Facts, look: Look) -> Facts:
    """Return `facts` brought up to date by `look`."""
    keys = {process.key for process in look.processes}
    kept = {key: detail for key, detail in facts.details.items() if key in keys}
    machine = look.machine or facts.machine
    files, unread = (facts.files, False) if look.connections is None else _parse(look.files, machine, look.now)
    return Facts(
        machine=machine,
        now=look.now,
        processes={process.pid: process for process in look.processes},
        ended=look.ended,
        details=kept | dict(look.details),
        open_files=look.open_files,
        listeners=facts.listeners if look.listeners is None else look.listeners,
        owners=facts.owners if look.listeners is None else look.owners,
        connections=facts.connections if look.connections is None else look.connections,
        files=files,
        unread=unread,
        disk_free=facts.disk_free if look.disk_free is None else look.disk_free,
        before=(facts.now, facts.processes),
        ahead=facts.ahead,
    )


def _parse(texts: tuple[RuntimeText, ...], machine: Machine, now: Now) -> tuple[tuple[RuntimeFile, ...], bool]:
    parsed = [(text, parse_runtime_file(text.path, text.mtime, text.text)) for text in texts]
    # Two runtime directories may be one: a link, or two variables that say the same.
    files = {(file.pid, file.port, file.sock): file for _, file in parsed if file}
    recent = machine.boot_time + (now.up or 0.0) - _WRITING
    return tuple(files.values()), any(file is None and text.mtime > recent for text, file in parsed)
