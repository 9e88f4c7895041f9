"""What ended between two looks: pure, from pictures of a host to cases that want a cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from jupytui.fleet.evidence import Place, place_of
from jupytui.fleet.facts import Facts
from jupytui.jupyter.deaths import Ending
from jupytui.jupyter.models import Health, Kernel, Server

_SLACK = 5  # seconds by which a file may look older than the boot before it
_AWAY = 60.0  # seconds for which a kernel without a process may come back as another one
_NOT_OURS = {Health.STALE, Health.UNREADABLE}


class Life(msgspec.Struct, frozen=True):
    """A kernel's process as last seen alive: `seen` unix seconds of its host; `dead` when it has gone since, `listed`
    whether its server still names the kernel.

    `oom_kills` is what the machine had counted by then, `status` the wait status if a look saw it.
    """

    kernel: Kernel
    pid: int
    server: int
    seen: float
    oom_kills: int | None
    status: int | None = None
    dead: bool = False
    listed: bool = True


class Picture(msgspec.Struct, frozen=True):
    """What one look shows: servers that run by pid, their cgroups, lives by kernel id. `taken`: unix seconds there."""

    taken: float = 0.0
    boot_id: str | None = None
    oom_kills: int | None = None
    servers: Mapping[int, Server] = {}
    cgroups: Mapping[int, str] = {}
    lives: Mapping[str, Life] = {}
    left: frozenset[int] = frozenset()  # pids of servers of which only the runtime file is there


class Case(msgspec.Struct, frozen=True):
    """Something that ended, and where to look for why. `kernel` is its last model; None: it was the server."""

    ending: Ending
    server: Server
    place: Place
    kernel: Kernel | None = None

    @property
    def key(self) -> str:
        """The id of what ended."""
        return self.kernel.id if self.kernel else self.server.id


def picture_of(before: Picture, servers: tuple[Server, ...], facts: Facts) -> Picture:
    """Return the picture after a look; of kernels without a process it holds for a while what `before` knew.

    A server that lets nobody in does not tell of a kernel that it is about to restart.
    """
    running = {server.pid: server for server in servers if server.health not in _NOT_OURS}
    taken = facts.machine.boot_time + (facts.now.up or 0.0)
    kernels = [(kernel, server.pid) for server in running.values() for kernel in server.kernels]
    listed = {kernel.id for kernel, _ in kernels}
    lives = {id_: _ended(life, id_ in listed, facts) for id_, life in before.lives.items() if taken - life.seen < _AWAY}
    lives |= {
        kernel.id: Life(kernel, kernel.pid, pid, taken, facts.now.oom_kills) for kernel, pid in kernels if kernel.pid
    }
    return Picture(
        taken=taken,
        boot_id=facts.machine.boot_id,
        oom_kills=facts.now.oom_kills,
        servers=running,
        cgroups={pid: facts.detail(facts.processes[pid]).cgroup for pid in running if pid in facts.processes},
        lives={id_: life for id_, life in lives.items() if life.server in running},
        left=frozenset(server.pid for server in servers if server.health is Health.STALE),
    )


def _ended(life: Life, listed: bool, facts: Facts) -> Life:
    status = facts.ended.get(life.pid, life.status)
    return msgspec.structs.replace(life, dead=True, listed=listed, status=status)


def cases(before: Picture, now: Picture, facts: Facts) -> Iterator[Case]:
    """Yield what ran in `before` and has ended in `now`; nothing across a reboot, which ends everything."""
    if before.boot_id != now.boot_id:
        return
    for pid, server in before.servers.items():
        if pid not in now.servers:
            place = place_of(server, _since(server, before.taken), before.cgroups.get(pid, ""))
            oom = _rose(before.oom_kills, now.oom_kills)
            yield Case(Ending(pid, datetime.now(UTC), oom=oom, left=pid in now.left), server, place)
    for id_, life in before.lives.items():
        if life.server in now.servers and _has_ended(life, now.lives.get(id_)):
            yield _kernel_case(life, now, facts)


def _since(server: Server, seen: float) -> float:
    # One that never came up may have said why before it was seen for the last time: it takes its time to end.
    starting = server.health is Health.STARTING and server.started_at
    return min(seen, server.started_at.timestamp()) if starting and server.started_at else seen


def _has_ended(life: Life, now: Life | None) -> bool:
    """Whether there is news: a process that is just ending has neither a command nor, for a moment, a status."""
    return now is not None and (
        now.pid != life.pid or now.dead > life.dead or now.listed < life.listed or now.status != life.status
    )


def _kernel_case(life: Life, now: Picture, facts: Facts) -> Case:
    server = now.servers[life.server]
    oom = _rose(life.oom_kills, now.oom_kills)
    ending = Ending(life.pid, datetime.now(UTC), life.kernel.id, facts.ended.get(life.pid, life.status), oom)
    return Case(ending, server, place_of(server, life.seen, now.cgroups.get(life.server, "")), life.kernel)


def _rose(before: int | None, now: int | None) -> bool | None:
    return None if before is None or now is None else now > before


def left_behind(servers: tuple[Server, ...], facts: Facts) -> Iterator[Case]:
    """Yield the servers of which only the runtime file is left: they ended before anybody looked."""
    written = {file.pid: file.mtime for file in facts.files}
    for server in servers:
        if server.health is Health.STALE and server.pid in written:
            since = written[server.pid]
            ending = Ending(
                pid=server.pid,
                at=datetime.now(UTC),
                left=True,
                rebooted=facts.machine.boot_time > since + _SLACK,
            )
            yield Case(ending, server, place_of(server, since, ""))
