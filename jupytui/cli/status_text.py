"""What plain `status` prints: hosts, their servers, and their kernels, one line each, in the words of the screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from jupytui import figures
from jupytui.cli.table import Cell, Column, Long, render
from jupytui.fleet.models import HostView
from jupytui.jupyter.models import Kernel, Server
from jupytui.ui.format import servers, states
from jupytui.ui.format.look import Look

COLUMNS = (
    Column("HOST / SERVER"),
    Column("DIRECTORY", rank=2),
    Column("STATE"),
    Column("WHERE"),
    Column("AUTH", rank=4),
    Column("TLS", rank=5),
    Column("VERSION", rank=9),
    Column("KERNELS", rank=3),
    Column("CPU", right=True, rank=6),
    Column("MEM", right=True, rank=1),
    Column("GPU", right=True, rank=7),
    Column("AGE", right=True, rank=8),
)


def render_status(views: Sequence[HostView], now: datetime, width: int | None = None) -> str:
    """Return the picture as text of at most `width` cells a line (None: as wide as it is)."""
    return render(COLUMNS, [row for view in views for row in _host(view, Look(now))], width)


def _host(view: HostView, look: Look) -> Iterator[Sequence[Cell]]:
    system = view.system
    count = sum(len(server.kernels) for server in view.servers)
    memory = servers.host_memory(system) if system else ""
    cpu = figures.percent(system.cpu_percent) if system and system.cpu_percent is not None else ""
    gpu = servers.host_gpu(system) if system and system.gpus else ""
    yield (
        *(view.name, "", states.of_host(view.state).text, view.address, "", "", ""),
        *(str(count) if count else "", cpu, memory, gpu, ""),
    )
    for server in view.servers:
        yield _server(server, view, look)
        yield from (_kernel(kernel, look) for kernel in server.kernels)


def _server(server: Server, view: HostView, look: Look) -> Sequence[Cell]:
    at = server.id.partition(":")[2]  # as the commands take it
    return (
        Long(f"  {server.app} {at if at.startswith(('/', '#')) else f':{at}'}", front=True),
        Long(servers.directory(server, view, look), least=12, front=True),
        states.of_server(server.health).text,
        Long(servers.where(server)),
        *(servers.auth(server), servers.tls(server, look).text, server.version or "", servers.kernels(server)),
        *(figures.percent(server.cpu_percent), figures.size(server.rss), ""),
        figures.age(figures.seconds_since(server.started_at, look.now, view.ahead)),
    )


def _kernel(kernel: Kernel, look: Look) -> Sequence[Cell]:
    return (
        Long(f"    {kernel.path or '(no notebook)'}", front=True),
        *("", states.of_kernel(kernel.state).text, Long(kernel.spec or ""), "", "", "", ""),
        *(figures.percent(kernel.cpu_percent), figures.size(kernel.rss)),
        figures.size(kernel.gpu_memory) if kernel.gpu_memory is not None else "",
        figures.age(figures.seconds_since(kernel.last_activity, look.now)),
    )
