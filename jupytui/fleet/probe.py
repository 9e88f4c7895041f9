"""One look at one host: what is there, who answers, as a view."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import UTC, datetime
from functools import partial

from jupytui.errors import UsageError
from jupytui.fleet.contact import Answers, Contact
from jupytui.fleet.deaths import Deaths
from jupytui.fleet.facts import Facts
from jupytui.fleet.gpus import GpuWatch
from jupytui.fleet.models import HostView
from jupytui.fleet.password import is_untold, lets_in
from jupytui.fleet.servers import (
    by_address,
    kernel_of,
    kernels_of,
    notebook_of,
    server_id,
    server_of,
    started,
    system_of,
)
from jupytui.fleet.sightings import KernelSighting, ServerSighting, kernels_in, servers_in
from jupytui.fleet.survey import Survey
from jupytui.fleet.units import Units
from jupytui.hosts.base import Host, HostState, Shell
from jupytui.jupyter.access import Access
from jupytui.jupyter.client import ApiKernel, JupyterApi
from jupytui.jupyter.models import Kernel, Server
from jupytui.secret import Secret

_PATIENCE = 2.0  # seconds a look waits for servers; who answers later is in the next one
_LAST_WORD = 8.0  # seconds where no next look follows: a busy server, a slow link, a GPU that wakes up


class Probe:
    """Looks at one host, again and again, and remembers what needs to be asked only once."""

    def __init__(self, host: Host, tags: Sequence[str] = (), seen: Sequence[Server] = ()) -> None:
        """`seen` is what ran there when somebody looked last."""
        self.host = host
        self.tags = tuple(tags)
        self.deaths = Deaths(host)
        self._units = Units(host, seen)
        self._gpus = GpuWatch(host)
        self._leaving: list[Contact] = []
        self._contacts: dict[str, Contact] = {}
        self._begin(None)

    def _begin(self, shell: Shell | None) -> None:
        self._shell = shell
        self._survey = Survey(self.host.name)
        self._contacts = {}
        self._access: dict[str, Access] = {}
        self._lives: dict[str, tuple[str, int]] = {}

    def forget(self) -> None:
        """The connection was lost: with it go its shell, the open HTTP connections and what had been told once."""
        for contact in self._contacts.values():
            contact.stop()
        self._leaving += self._contacts.values()
        self._begin(None)

    async def close(self) -> None:
        """Look no more: nothing of ours is left on the host."""
        self.forget()
        await self._part()
        await self.deaths.close()
        await self._units.close()
        await self._gpus.stop()

    def api(self, server: str) -> JupyterApi:
        """Return the API of the server with this id, on a connection of its own. Raises UsageError."""
        return JupyterApi(self.host, self.access(server))

    def access(self, server: str) -> Access:
        """Return how the server with this id is reached from its own machine. Raises UsageError."""
        if access := self._access.get(server):
            return access
        raise UsageError(f"{server} does not answer.", "Its process is gone, or it listens on nothing that is known.")

    def token(self, server: str) -> Secret | None:
        """Return the token of the server with this id, None where it has none or we do not know it."""
        access = self._access.get(server)
        return access.token if access and access.token else None

    def renew(self) -> None:
        """Somebody asks for a look: what is asked seldom is asked at the next one."""
        self._units.renew()
        for contact in self._contacts.values():
            contact.renew()

    async def look(self, *, once: bool = False) -> HostView:
        """Look once; `once`: no other look follows soon, so it waits longer, and for the GPUs, too.

        Raises HostTrouble, DeadlineError; what ails a single server is in its health.
        """
        shell = await self.host.shell()
        if shell is not self._shell:
            self.forget()
            self._begin(shell)
            await self._gpus.stop()
        await self._part()
        for contact in self._contacts.values():
            contact.ask_if_due()
        began = time.perf_counter()
        facts = await self._survey.look(shell)
        rtt = time.perf_counter() - began
        if facts.machine.has_nvidia:
            self._gpus.start()
        servers, kernels = servers_in(facts), kernels_in(facts)
        await self._consult(servers, kernels, facts)
        await self._hear(once)
        return HostView(
            name=self.host.name,
            address=self.host.address,
            state=HostState.UP,
            rtt_ms=round(rtt * 1000, 1),
            system=system_of(facts, self._gpus.latest),
            servers=self._servers(servers, kernels, facts),
            seen_at=datetime.now(UTC),
            tags=self.tags,
            ahead=facts.ahead,
        )

    def _servers(
        self, servers: tuple[ServerSighting, ...], kernels: dict[str, KernelSighting], facts: Facts
    ) -> tuple[Server, ...]:
        seen = self._units.named(self._models(servers, kernels, facts))
        return tuple(sorted(self._units.with_stopped(self.deaths.view(seen, facts)), key=by_address))

    async def _part(self) -> None:
        leaving, self._leaving = self._leaving, []
        for contact in leaving:
            await contact.close()

    async def _consult(
        self, servers: tuple[ServerSighting, ...], kernels: dict[str, KernelSighting], facts: Facts
    ) -> None:
        """Ask the servers that can be asked what may have changed."""
        contacts: dict[str, Contact] = {}
        for seen in servers:
            if seen.process and not seen.foreign and (access := seen.access):
                contact = self._contacts.pop(seen.process.key, None)
                if contact and contact.access != access:
                    self._leaving.append(contact)
                    contact = None
                contact = contact or Contact(self.host, access, self._files_of(seen, facts))
                contact.moved_to(_trace(seen, contact.answers, kernels, facts))
                contacts[seen.process.key] = contact
        self._leaving += self._contacts.values()
        self._contacts = contacts
        await self._part()

    async def _hear(self, once: bool) -> None:
        """Wait a little for what servers answer; `once`: longer, and for the first answer about GPUs as well."""
        waiting: list[asyncio.Future[None]] = [task for each in self._contacts.values() for task in each.waiting]
        waiting += self._gpus.waiting if once else ()
        if waiting:
            await asyncio.wait(waiting, timeout=_LAST_WORD if once else _PATIENCE)

    def _files_of(self, seen: ServerSighting, facts: Facts) -> Callable[[], Awaitable[bool]] | None:
        return partial(lets_in, self.host, seen, started(seen.process, facts)) if is_untold(seen) else None

    def _models(
        self, servers: tuple[ServerSighting, ...], kernels: dict[str, KernelSighting], facts: Facts
    ) -> tuple[Server, ...]:
        """Return the models, and remember under which id each server can be reached."""
        orphans = self._orphans(servers, kernels)
        models: dict[str, Server] = {}
        self._access = {}
        for seen in servers:
            name = server_id(self.host.name, seen)
            # A stale file may name the port of a server that runs.
            name = f"{name}#{seen.pid}" if name in models else name
            contact = self._contacts.get(seen.process.key) if seen.process else None
            answers = contact.answers if contact else Answers()
            known = tuple(
                self._kernel(id_, api, kernel, answers.paths.get(id_) or notebook_of(kernel, seen), facts)
                for id_, api, kernel in kernels_of(seen, answers, kernels, orphans)
            )
            models[name] = server_of(name, seen, answers, known, facts)
            if access := contact.access if contact else seen.access if seen.foreign else None:
                self._access[name] = access
        return tuple(models.values())

    def _orphans(self, servers: tuple[ServerSighting, ...], kernels: dict[str, KernelSighting]) -> frozenset[str]:
        named = {kernel.id for contact in self._contacts.values() for kernel in contact.answers.kernels or ()}
        pids = {seen.process.pid for seen in servers if seen.process}
        return frozenset(id_ for id_, seen in kernels.items() if id_ not in named and seen.process.ppid not in pids)

    def _kernel(
        self, id_: str, api: ApiKernel | None, seen: KernelSighting | None, path: str | None, facts: Facts
    ) -> Kernel:
        restarts = self._count(id_, seen) if seen else None
        # Until it is restarted, its server calls a killed kernel what it was before. One that never had a process
        # here runs on another machine (a gateway).
        died = seen is None and id_ in self._lives
        return kernel_of(id_, api, seen, path, died=died, restarts=restarts, facts=facts, gpus=self._gpus.latest)

    def _count(self, id_: str, seen: KernelSighting) -> int | None:
        # A server does not tell that it restarted a dead kernel: the same kernel has another process then.
        key, restarts = self._lives.get(id_, (seen.process.key, 0))
        self._lives[id_] = (seen.process.key, restarts + (key != seen.process.key))
        return self._lives[id_][1] or None


def _trace(seen: ServerSighting, answers: Answers, kernels: dict[str, KernelSighting], facts: Facts) -> Hashable:
    """Return what moves when something happens at a server; None when the machine does not show that."""
    assert seen.process
    named = {kernel.id for kernel in answers.kernels or ()}
    own = [k for k in kernels.values() if k.id in named or k.process.ppid == seen.process.pid]
    if any(kernel.process.run_ns is None for kernel in own):
        return None
    runs = tuple(sorted((kernel.process.key, kernel.process.run_ns) for kernel in own))
    return runs, facts.open_files.get(seen.process.pid)
