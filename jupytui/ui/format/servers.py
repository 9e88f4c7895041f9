"""A server and its machine in a few words each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar

from jupytui import figures
from jupytui.fleet.models import HostView, System
from jupytui.jupyter.models import App, Auth, Health, KernelState, Server
from jupytui.ui.format.look import Look
from jupytui.ui.format.span import Span

LOCAL = "local"
SOON = 14  # days of a certificate's life from which on it is a warning
N = TypeVar("N", int, float)
_HOME = re.compile(r"/(?:home|Users)/([^/]+)(?=/|$)|/(root)(?=/|$)")


def host_name(view: HostView) -> str:
    """Return what people call the host."""
    return "this machine" if view.name == LOCAL and view.address in {"", LOCAL} else view.name


def address(view: HostView) -> str:
    """Return where the host is, without SSH's usual port."""
    return view.address.removesuffix(":22")


def server_name(server: Server) -> str:
    """Return what a server is called on its host: program and port, socket, unit or process."""
    if server.port is not None:
        return f"{server.app} :{server.port}"
    if server.sock:
        return f"{server.app} {server.sock.rsplit('/', 1)[-1]}"
    return f"{server.app} of {server.unit.name}" if server.unit else f"{server.app} pid {server.pid}"


def software(server: Server) -> str:
    """Return the program and version that answers (the API tells the version of jupyter_server)."""
    program = "notebook" if server.app is App.CLASSIC else "jupyter_server"
    return f"{program} {server.version}" if server.version else f"{server.app}"


def directory(server: Server, view: HostView, look: Look) -> str:
    """Return the root directory with the home directory as `~` (another user's as `~name`)."""
    path = server.root_dir or ""
    if look.home and view.name == LOCAL and (path + "/").startswith(look.home + "/"):
        return "~" + path.removeprefix(look.home)
    user, at, _host = view.address.rpartition("@")
    match = _HOME.match(path)
    if not match:
        return path
    owner = match[1] or match[2]
    return ("~" if at and owner == user else f"~{owner}") + path[match.end() :]


def where(server: Server) -> str:
    """Return who can reach the server, when that is more than its own machine, and what keeps it alive."""
    kept = f"{server.unit.scope} unit {server.unit.name.removesuffix('.service')}" if server.unit else "process"
    return ", ".join(filter(None, (exposure(server), kept)))


def exposure(server: Server) -> str:
    """Return who can reach the server, "" when nobody on other machines can or nobody knows."""
    return {None: "", "loopback": "", "all": "everyone"}.get(server.bind, f"{server.bind}")


def auth(server: Server) -> str:
    """Return in one short word how people are let in."""
    return {Auth.UNKNOWN: figures.UNKNOWN, Auth.BOTH: "token+pw"}.get(server.auth, f"{server.auth}")


def tls(server: Server, look: Look) -> Span:
    """Return how long the served certificate lasts."""
    if server.tls is None:
        return Span(figures.UNKNOWN)
    if server.tls.not_after is None:
        return Span("yes")
    days = (server.tls.not_after - look.now) / timedelta(days=1)
    if days < 0:
        return Span("expired", "bad")
    return Span(figures.left(days), "warn" if days < SOON else "")


def kernels(server: Server) -> str:
    """Return how many kernels, and what they do: `2 busy`, `1/3 busy`, `3 idle`, `none`, `–` where nobody knows."""
    total = len(server.kernels)
    states = [kernel.state for kernel in server.kernels]
    if not total:
        return "none" if server.health in {Health.OK, Health.OPEN} else figures.UNKNOWN
    if busy := states.count(KernelState.BUSY):
        return f"{busy} busy" if busy == total else f"{busy}/{total} busy"
    unknown = states.count(KernelState.UNKNOWN)
    return f"{total} ?" if unknown == total else f"{total} idle"


def memory(server: Server) -> int | None:
    """Return the bytes that would come free if the server and its kernels ended."""
    return _total([server.rss, *(kernel.rss for kernel in server.kernels)])


def gpu_memory(server: Server) -> int | None:
    """Return the GPU memory of all kernels, bytes."""
    return _total(kernel.gpu_memory for kernel in server.kernels)


def cpu(server: Server, system: System | None) -> float | None:
    """Return the percentage of the whole machine's CPUs that the server and its kernels use."""
    of_one = _total([server.cpu_percent, *(kernel.cpu_percent for kernel in server.kernels)])
    return None if of_one is None or system is None or not system.cpus else of_one / system.cpus


def host_memory(system: System | None) -> str:
    """Return memory in use and in all: `48/126G`."""
    if system is None:
        return figures.UNKNOWN
    used, total = figures.size(system.memory_used), figures.size(system.memory_total)
    if system.memory_total is None:
        return used
    return f"{used[:-1] if used[-1] == total[-1] else used}/{total}"


def host_gpu(system: System | None) -> str:
    """Return how busy the busiest GPU is."""
    loads = [gpu.utilization for gpu in system.gpus if gpu.utilization is not None] if system else []
    return figures.percent(max(loads, default=None))


def _total(values: Iterable[N | None]) -> N | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None
