"""Servers and kernels as files, processes and sockets show them, before anybody was asked."""

from __future__ import annotations

import ipaddress
import posixpath
from collections.abc import Iterable, Mapping

import msgspec

from jupytui.fleet.facts import Detail, Facts, Listener, Process
from jupytui.jupyter.access import Access
from jupytui.jupyter.models import App
from jupytui.jupyter.process import app_of, kernel_of, option
from jupytui.jupyter.runtime import RuntimeFile, base_path, is_stale
from jupytui.secret import Secret
from jupytui.text import clean_line


class KernelSighting(msgspec.Struct, frozen=True):
    """A kernel's process and those below it; `directory` is where its connection file is.

    `notebook` is the full path of what it was started for, None when nobody said: jupyter_server >= 2 puts it into
    the kernel's environment (SessionManager.get_kernel_env, JPY_SESSION_NAME). It is not told of later renames.
    """

    id: str
    process: Process
    family: tuple[Process, ...]
    directory: str
    notebook: str | None = None


class ServerSighting(msgspec.Struct, frozen=True):
    """A server: its process, its runtime file, or both. `process` None: the file is stale."""

    app: App
    process: Process | None
    file: RuntimeFile | None
    detail: Detail = Detail()
    listeners: tuple[Listener, ...] = ()
    sock: str | None = None
    foreign: bool = False  # another user's, and we may not look inside

    @property
    def pid(self) -> int:
        """The process, or the one that wrote the file."""
        return self.process.pid if self.process else self.file.pid if self.file else 0

    @property
    def port(self) -> int | None:
        """Where it listens, else where it said it would."""
        if self.listeners:
            return self.listeners[0].port
        return self.file.port if self.file else None

    @property
    def bind(self) -> str | None:
        """loopback, all or the addresses it listens on."""
        addresses = sorted({listener.address for listener in self.listeners})
        if not addresses:
            return None
        if any(address in _EVERYWHERE for address in addresses):
            return "all"
        return "loopback" if all(map(_is_loopback, addresses)) else ",".join(addresses)

    @property
    def tls(self) -> bool:
        """Whether it speaks TLS."""
        return self.file.secure if self.file else option(self.detail.argv, "certfile") is not None

    @property
    def base_url(self) -> str:
        """The path it lives under."""
        if self.file:
            return self.file.base_url
        return base_path(option(self.detail.argv, "base_url", "base-url") or "/")

    @property
    def access(self) -> Access | None:
        """How to reach it from its own machine, None where it listens on nothing we know of."""
        token = self.file.token if self.file else Secret("")
        if self.sock:
            return Access(sock=self.sock, base_url=self.base_url, token=token)
        if not self.listeners:
            return None
        address = _dial(listener.address for listener in self.listeners)
        return Access(address, self.port, None, self.tls, self.base_url, token)


_EVERYWHERE = frozenset({"0.0.0.0", "::", "*"})


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _dial(addresses: Iterable[str]) -> str:
    every = set(addresses)
    for there, dialled in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("*", "127.0.0.1"), ("::1", "::1")):
        if there in every:
            return dialled
    return "::1" if "::" in every else min(every)


def servers_in(facts: Facts) -> tuple[ServerSighting, ...]:
    """Return every server that runs or left a runtime file, by pid."""
    files: dict[int, RuntimeFile] = {}
    stale: list[ServerSighting] = []
    for file in facts.files:
        process = facts.processes.get(file.pid)
        if _stale(file, process, facts):
            stale.append(ServerSighting(_app(None, file), None, file))
        else:
            files[file.pid] = file
    running = [
        _running(process, files.get(process.pid), facts) for process in facts.processes.values() if process.listed
    ]
    return tuple(sorted(filter(None, running), key=_pid)) + tuple(sorted(stale, key=_pid))


def _pid(server: ServerSighting) -> int:
    return server.pid


def _stale(file: RuntimeFile, process: Process | None, facts: Facts) -> bool:
    if process is None or process.ending:
        return True
    started = facts.machine.boot_time + process.start / facts.machine.tick
    is_jupyter = app_of(facts.detail(process).argv) is not None
    return is_stale(file, started, is_jupyter, frozenset(sock.port for sock in _owned(process, facts)))


def _running(process: Process, file: RuntimeFile | None, facts: Facts) -> ServerSighting | None:
    detail = facts.detail(process)
    app = app_of(detail.argv)
    if process.ending or detail.elsewhere or (file is None and (app is None or _is_copy(process, detail, facts))):
        return None
    owned = _owned(process, facts)
    foreign = detail.uid not in {-1, facts.machine.uid} and facts.machine.uid != 0
    return ServerSighting(
        app=_app(app, file),
        process=process,
        file=file,
        detail=detail,
        listeners=_serving(_guess(detail, facts) if foreign else owned, file, detail),
        sock=_sock(process, file, facts),
        foreign=foreign,
    )


def _app(app: App | None, file: RuntimeFile | None) -> App:
    if file and file.legacy:
        return App.CLASSIC if app in {None, App.NOTEBOOK} else app or App.CLASSIC
    return app or App.SERVER


def _is_copy(process: Process, detail: Detail, facts: Facts) -> bool:
    # A fork of a server that has not become something else yet.
    parent = facts.processes.get(process.ppid)
    return parent is not None and facts.detail(parent).argv == detail.argv


def _owned(process: Process, facts: Facts) -> tuple[Listener, ...]:
    inodes = {owner.inode for owner in facts.owners if owner.pid == process.pid}
    return tuple(listener for listener in facts.listeners if listener.inode in inodes)


def _guess(detail: Detail, facts: Facts) -> tuple[Listener, ...]:
    # Another user's sockets show their owner, not their process.
    asked = option(detail.argv, "port") or "8888"
    return tuple(sock for sock in facts.listeners if sock.uid == detail.uid and str(sock.port) == asked)


def _serving(listeners: tuple[Listener, ...], file: RuntimeFile | None, detail: Detail) -> tuple[Listener, ...]:
    """Return those of one port: a server extension may listen on more."""
    ports = [listener.port for listener in listeners]
    asked = file.port if file else int(text) if (text := option(detail.argv, "port") or "").isdecimal() else None
    port = asked if asked in ports else min(ports, default=0)
    return tuple(listener for listener in listeners if listener.port == port)


def _sock(process: Process, file: RuntimeFile | None, facts: Facts) -> str | None:
    if file and file.sock:
        return file.sock
    paths = [owner.path for owner in facts.owners if owner.pid == process.pid and owner.path.startswith("/")]
    return paths[0] if paths and file is None and not _owned(process, facts) else None


def kernels_in(facts: Facts) -> dict[str, KernelSighting]:
    """Return every kernel that runs, by id, with the processes below it."""
    named = {process.pid: kernel for process in facts.processes.values() if (kernel := _kernel(process, facts))}
    heads: dict[int, list[Process]] = {}
    for process in facts.processes.values():
        if (head := _head(process, named, facts.processes)) is not None:
            heads.setdefault(head, []).append(process)
    return {named[pid][0]: _sighting(named[pid], facts.processes[pid], family, facts) for pid, family in heads.items()}


def _sighting(kernel: tuple[str, str], process: Process, family: list[Process], facts: Facts) -> KernelSighting:
    notebook = facts.detail(process).env.get("JPY_SESSION_NAME")
    return KernelSighting(kernel[0], process, tuple(family), kernel[1], notebook)


def _kernel(process: Process, facts: Facts) -> tuple[str, str] | None:
    kernel = kernel_of(facts.detail(process).argv) if process.listed and not process.ending else None
    return (clean_line(kernel[0], 128), posixpath.normpath(kernel[1] or ".")) if kernel else None


def _head(process: Process, named: Mapping[int, tuple[str, str]], processes: Mapping[int, Process]) -> int | None:
    """Return the pid of the topmost process above `process` (or itself) that runs the same kernel."""
    head: int | None = None
    pid, steps = process.pid, 0
    while pid in processes and steps < 64:
        if pid in named and (head is None or named[pid][0] == named[head][0]):
            head = pid
        pid, steps = processes[pid].ppid, steps + 1
    return head
