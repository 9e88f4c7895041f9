"""Why things of a host died: noticed by its looks, examined beside them, shown in its view.

A look is never delayed: the evidence is gathered by one command of its own, and what comes of it is in the next view.
What was shut down or restarted on purpose, by us, in a browser or by systemctl, is no death.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from jupytui.errors import JupytuiError
from jupytui.fleet.endings import Case, Picture, cases, left_behind, picture_of
from jupytui.fleet.evidence import Place, gather
from jupytui.fleet.facts import Facts
from jupytui.fleet.units import as_stopped
from jupytui.hosts.base import Host, HostTrouble
from jupytui.jupyter.deaths import Evidence, kernel_death, server_death
from jupytui.jupyter.models import Death, Health, Kernel, KernelState, Server

_log = logging.getLogger(__name__)

KEPT = 600.0  # seconds for which a kernel or server that is no more is still shown, with why
SETTLED = 3600.0  # seconds of work after which an end is history
OURS = 120.0  # seconds for which an action's subject may take to end


class Deaths:
    """The deaths on one host. They outlive a lost connection, and are forgotten when the program ends."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._before: Picture | None = None
        self._open: dict[str, Case] = {}
        self._task: asyncio.Task[None] | None = None
        self._ours: dict[int, float] = {}  # pids, and until when their end is ours
        self._examined: frozenset[int] = frozenset()  # servers of which only a file is left
        self._deaths: dict[str, Death] = {}  # by kernel id and server id
        self._gone: dict[str, Case] = {}  # what is shown although it is no more, by the same

    def view(self, servers: tuple[Server, ...], facts: Facts) -> tuple[Server, ...]:
        """Notice what has ended since the look before; return `servers` with the causes that are known by now."""
        self._notice(servers, facts)
        self._forget(servers)
        ghosts = [case for case in self._gone.values() if case.kernel]
        lost = [as_stopped(case.server) for case in self._gone.values() if not case.kernel]
        return tuple(self._with_deaths(server, ghosts) for server in (*servers, *lost))

    def expect(self, server: str, kernel: str | None) -> None:
        """What is about to end is ended by us: a kernel, or (None) a server with all its kernels."""
        before = self._before or Picture()
        for pid, known in before.servers.items():
            if known.id == server:
                lives = [life.pid for id_, life in before.lives.items() if life.server == pid and kernel in {None, id_}]
                self._ours |= dict.fromkeys(lives if kernel else [pid, *lives], time.monotonic() + OURS)

    def dismiss(self, server: str, kernel: str | None) -> None:
        """The user has seen it."""
        self._deaths.pop(kernel or server, None)
        self._gone.pop(kernel or server, None)

    async def close(self) -> None:
        """Examine no more."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _notice(self, servers: tuple[Server, ...], facts: Facts) -> None:
        now = picture_of(self._before or Picture(), servers, facts)
        if self._before is not None:
            ended = list(cases(self._before, now, facts))
            # Not at the first look: a single one, as of the command line, has nobody to wait for what comes of it.
            done = self._examined | {case.server.pid for case in ended}
            self._take([*ended, *(case for case in left_behind(servers, facts) if case.server.pid not in done)])
            self._examined = now.left
        self._before = now
        if self._open and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._examine(), name=f"deaths on {self._host.name}")

    def _take(self, ended: list[Case]) -> None:
        for case in ended:
            if self._ours.get(case.ending.pid, 0.0) > time.monotonic():
                self._deaths.pop(case.key, None)
            elif case.ending.rebooted:
                self._judge(case, Evidence())
            else:
                self._open[case.key] = case
                if case.key in self._deaths and not case.kernel:
                    self._gone[case.key] = case  # it fails again and again: that is known before this time is examined

    async def _examine(self) -> None:
        while self._open:
            place, together = _of_one_server(self._open)
            try:
                evidence = await gather(self._host, place)
            except HostTrouble:
                return  # the host's watcher knows; the look after it comes back goes on here
            except JupytuiError:
                evidence = Evidence()
            except Exception:
                _log.exception("evidence was gathered in a way that was not foreseen")
                evidence = Evidence()
            for case in together:
                if self._open.get(case.key) is case:
                    del self._open[case.key]
                self._judge(case, evidence)

    def _judge(self, case: Case, evidence: Evidence) -> None:
        death = (kernel_death if case.kernel else server_death)(case.ending, evidence)
        if death is None:
            self._deaths.pop(case.key, None)
        else:
            self._deaths[case.key] = death
            self._gone[case.key] = case

    def _forget(self, servers: tuple[Server, ...]) -> None:
        """Let go of what has worked again for long, and of what has been gone for long."""
        now = datetime.now(UTC)
        here: dict[str, bool] = {server.id: server.health is not Health.STALE for server in servers}
        here |= {kernel.id: kernel.state is not KernelState.DEAD for server in servers for kernel in server.kernels}
        for key, death in list(self._deaths.items()):
            age = (now - death.at).total_seconds()
            if (key not in here and age > KEPT) or (here.get(key) and age > SETTLED):
                del self._deaths[key]
        self._gone = {key: case for key, case in self._gone.items() if key in self._deaths and key not in here}

    def _with_deaths(self, server: Server, ghosts: list[Case]) -> Server:
        gone = [_gone_kernel(case.kernel) for case in ghosts if case.kernel and case.server.pid == server.pid]
        kernels = tuple(_with_death(kernel, self._deaths) for kernel in (*server.kernels, *gone))
        return msgspec.structs.replace(server, died=self._deaths.get(server.id), kernels=kernels)


def _of_one_server(open_: Mapping[str, Case]) -> tuple[Place, list[Case]]:
    first, *_ = open_.values()
    together = [case for case in open_.values() if case.server.pid == first.server.pid]
    since = min(case.place.since for case in together)
    return msgspec.structs.replace(first.place, since=since), together


def _with_death(kernel: Kernel, deaths: Mapping[str, Death]) -> Kernel:
    death = deaths.get(kernel.id)
    return msgspec.structs.replace(kernel, died=death) if death else kernel


def _gone_kernel(kernel: Kernel) -> Kernel:
    return Kernel(kernel.id, kernel.spec, KernelState.DEAD, kernel.path, last_activity=kernel.last_activity)
