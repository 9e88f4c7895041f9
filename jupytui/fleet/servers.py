"""Puts together what was seen of a server and what it answered: pure, from facts to models."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from jupytui.fleet.contact import Answers, auth_of
from jupytui.fleet.facts import Facts, Process
from jupytui.fleet.gpus import Gpus
from jupytui.fleet.models import System
from jupytui.fleet.sightings import KernelSighting, ServerSighting, servers_in
from jupytui.jupyter.client import ApiKernel
from jupytui.jupyter.models import App, Auth, Health, Kernel, KernelState, Log, Server, Unit
from jupytui.systemd.cgroup import owning_unit
from jupytui.text import clean_line

STARTING = 60.0  # seconds a server may take until it listens


def system_of(facts: Facts, gpus: Gpus) -> System:
    """Return the machine's own figures."""
    now, machine = facts.now, facts.machine
    return System(
        os=machine.os,
        load1=now.load1,
        cpus=machine.cpus,
        memory_used=now.memory_used,
        memory_total=now.memory_total,
        disk_free=facts.disk_free,
        boot_id=machine.boot_id,
        gpus=gpus.cards,
        cpu_percent=_machine_percent(facts),
    )


def _machine_percent(facts: Facts) -> float | None:
    now, before = facts.now, facts.before[0]
    if None in (now.cpu_total, now.cpu_busy, before.cpu_total, before.cpu_busy):
        return None
    total = (now.cpu_total or 0) - (before.cpu_total or 0)
    return (
        round(max(0.0, min(100.0, 100 * ((now.cpu_busy or 0) - (before.cpu_busy or 0)) / total)), 1) if total else None
    )


def percent_of(family: Iterable[Process], facts: Facts) -> float | None:
    """Return what `family` used since the look before, in percent of one core; at the first look, see `_so_far`."""
    then, earlier = facts.before
    if then.up is None:
        return _so_far(family, facts)
    if facts.now.up is None or facts.now.up <= then.up:
        return None
    used = [process.cpu - was.cpu for process in family if (was := earlier.get(process.pid)) and was.key == process.key]
    seconds = max(0, sum(used)) / facts.machine.tick
    return round(100 * seconds / (facts.now.up - then.up), 1) if used else None


def _so_far(family: Iterable[Process], facts: Facts) -> float | None:
    """Return what each of `family` used on average since it started, in percent of one core: what `ps` shows."""
    ages = {process: (facts.now.up or 0.0) - process.start / facts.machine.tick for process in family if process.start}
    rates = [process.cpu / facts.machine.tick / max(age, 1.0) for process, age in ages.items() if age >= 0]
    return round(100 * sum(rates), 1) if rates else None


def server_id(host: str, server: ServerSighting) -> str:
    """Return HOST:PORT or HOST:/socket; of one that has neither HOST:#UNIT, or HOST:#PID without a unit.

    A unit that fails again and again has another process at each look, and is one server.
    """
    if server.sock or (server.file and server.file.sock):
        return f"{host}:{clean_line(server.sock or (server.file and server.file.sock) or '')}"
    unit = _unit(server.detail.cgroup)
    return f"{host}:{server.port}" if server.port else f"{host}:#{unit.name if unit else server.pid}"


def by_address(server: Server) -> tuple[bool, int, str]:
    """Return how servers of a host are ordered: by port, then by socket; process ids and ages change."""
    return server.port is None, server.port or 0, server.sock or ""


def server_of(name: str, seen: ServerSighting, answers: Answers, kernels: tuple[Kernel, ...], facts: Facts) -> Server:
    """Return the server called `name` as a model."""
    file, process = seen.file, seen.process
    auth = auth_of(answers.door, bool(file and file.token), bool(file and file.has_password) or answers.password)
    version = answers.version or (file.version if file else None)
    sock = seen.sock or (file.sock if file else None)
    return Server(
        id=name,
        pid=seen.pid,
        app=_app(seen.app, version),
        version=version,
        port=None if sock else seen.port,
        sock=clean_line(sock) if sock else None,
        base_url=seen.base_url,
        root_dir=_root_dir(seen),
        url=_url(seen, sock),
        bind=seen.bind,
        auth=auth,
        tls=answers.tls,
        unit=_unit(seen.detail.cgroup),
        log=log_of(seen.detail.stdout, seen.detail.env.get("JOURNAL_STREAM", ""), seen.detail.cgroup),
        health=_health(seen, answers, auth, facts),
        started_at=started(process, facts),
        last_activity=_by_our_clock(answers.status.last_activity, facts),
        cpu_percent=percent_of((process,), facts) if process else None,
        rss=process.rss if process else None,
        kernels=kernels,
    )


def _app(app: App, version: str | None) -> App:
    # The same command ran notebook's own server before 7, and its `/api` then tells notebook's version: 4 to 6.
    # jupyter_server's is 1 or 2.
    return App.CLASSIC if app is App.NOTEBOOK and version and version[:2] in {"4.", "5.", "6."} else app


def notebook_of(kernel: KernelSighting | None, server: ServerSighting) -> str | None:
    """Return the path of a kernel's notebook as the server would say it, from its process."""
    if kernel is None or not kernel.notebook:
        return None
    root = server.file.root_dir if server.file else None
    return clean_line(kernel.notebook.removeprefix(root.rstrip("/") + "/") if root else kernel.notebook) or None


def _root_dir(seen: ServerSighting) -> str | None:
    path = seen.file.root_dir if seen.file else seen.detail.cwd
    return clean_line(path) or None if path else None


def _url(seen: ServerSighting, sock: str | None) -> str:
    if sock:
        return f"http+unix://{quote(sock, safe='', errors='replace')}{seen.base_url}"
    if not seen.port:
        return ""
    return f"{'https' if seen.tls else 'http'}://localhost:{seen.port}{seen.base_url}"


def _unit(cgroup: str) -> Unit | None:
    owner = owning_unit(cgroup)
    return Unit(clean_line(owner.name, 256), owner.scope) if owner else None


def log_of(stdout: str, journal: str, cgroup: str) -> Log | None:
    """Return where a process' stdout (the target of /proc/PID/fd/1) goes; None when it may not be seen.

    `journal` is its JOURNAL_STREAM, "DEVICE:INODE" of the socket systemd gave it (systemd.exec(5)).
    """
    owner = owning_unit(cgroup)
    if stdout.startswith("socket:[") and (owner or stdout == f"socket:[{journal.partition(':')[2]}]"):
        return Log("journal", clean_line(owner.name, 256) if owner else None)
    for start, kind in (("/dev/null", "null"), ("/dev/pts/", "terminal"), ("/dev/tty", "terminal"), ("pipe:", "pipe")):
        if stdout.startswith(start):
            return Log(kind, clean_line(stdout) if kind == "terminal" else None)
    if stdout.startswith("/"):
        return Log("file", clean_line(stdout))
    return Log("unknown") if stdout else None


def _health(seen: ServerSighting, answers: Answers, auth: Auth, facts: Facts) -> Health:
    if seen.process is None:
        return Health.STALE
    if seen.foreign:
        return Health.UNREADABLE
    if answers.health in {Health.STARTING, Health.SILENT}:
        return Health.STARTING if _is_young(seen.process, facts) else Health.SILENT
    exposed = auth is Auth.NONE and seen.bind not in {None, "loopback"}
    return Health.OPEN if exposed else answers.health


def _is_young(process: Process, facts: Facts) -> bool:
    return (facts.now.up or 0.0) - process.start / facts.machine.tick < STARTING


def is_coming_up(facts: Facts) -> bool:
    """Return whether a server that was just started listens on nothing yet, as far as was told."""
    if not any(process.listed and _is_young(process, facts) for process in facts.processes.values()):
        return False
    servers = [server for server in servers_in(facts) if server.process and not server.access]
    return any(_is_young(server.process, facts) for server in servers if server.process)


def started(process: Process | None, facts: Facts) -> datetime | None:
    """Return since when a process runs, to two seconds; None where that is not known."""
    if process is None or not process.start:
        return None
    return datetime.fromtimestamp(int(facts.machine.boot_time + process.start / facts.machine.tick), UTC)


def _by_our_clock(moment: datetime | None, facts: Facts) -> datetime | None:
    try:
        return moment and moment - timedelta(seconds=facts.ahead)
    except OverflowError:
        return None


def kernels_of(
    seen: ServerSighting, answers: Answers, all_kernels: Mapping[str, KernelSighting], orphans: frozenset[str]
) -> tuple[tuple[str, ApiKernel | None, KernelSighting | None], ...]:
    """Return the kernels of a server: those it names, those it started, and `orphans` beside its runtime file.

    The last only where it does not tell us itself, because several servers share a runtime directory.
    """
    named = {kernel.id: kernel for kernel in answers.kernels or ()}
    started = [id_ for id_, kernel in all_kernels.items() if seen.process and kernel.process.ppid == seen.process.pid]
    if answers.kernels is None and seen.file:
        beside = posixpath.dirname(seen.file.path)
        started += [id_ for id_ in orphans if all_kernels[id_].directory == beside]
    return tuple((id_, named.get(id_), all_kernels.get(id_)) for id_ in dict.fromkeys([*named, *started]))


def kernel_of(
    id_: str,
    api: ApiKernel | None,
    seen: KernelSighting | None,
    path: str | None,
    *,
    died: bool,
    restarts: int | None,
    facts: Facts,
    gpus: Gpus,
) -> Kernel:
    """Return one kernel as a model."""
    family = seen.family if seen else ()
    gpu_memory = [gpus.used[process.pid] for process in family if process.pid in gpus.used]
    return Kernel(
        id=id_,
        spec=api.name if api else None,
        state=KernelState.DEAD if died else api.state if api else KernelState.UNKNOWN,
        path=path,
        pid=seen.process.pid if seen else None,
        cpu_percent=percent_of(family, facts),
        rss=sum(process.rss for process in family) if seen else None,
        gpu_memory=sum(gpu_memory) if gpu_memory else None,
        clients=api.connections if api else None,
        restarts=restarts,
        last_activity=_by_our_clock(api.last_activity, facts) if api else None,
    )
