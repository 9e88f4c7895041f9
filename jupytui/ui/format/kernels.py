"""The kernels' rows, and the scope's sums."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from jupytui import figures
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Death, Kernel, KernelState
from jupytui.ui.format import states
from jupytui.ui.format.glyphs import FAILED
from jupytui.ui.format.line import Line, Span, plain
from jupytui.ui.format.look import Look
from jupytui.ui.format.table import Cell, Column, Table


class KernelRow(Struct, frozen=True):
    """A kernel of a server; `stale` when its host is not being seen now.

    `text` is what a filter looks at and `sort_name` what sorts by name, both worked out once.
    """

    key: Subject
    kernel: Kernel
    stale: bool
    text: str
    sort_name: str


def row_of(key: Subject, kernel: Kernel, stale: bool) -> KernelRow:
    """Return the row of a kernel."""
    name = f"{notebook(kernel).casefold()}\0{key.server}"
    return KernelRow(key, kernel, stale, _haystack(key.server or "", kernel), name)


def notebook(kernel: Kernel) -> str:
    """Return the name of its notebook (a path's last part)."""
    return kernel.path.rsplit("/", 1)[-1] if kernel.path else "(no notebook)"


def _haystack(server_id: str, kernel: Kernel) -> str:
    name = kernel.path or "(no notebook)"
    return f"{name} {server_id} {kernel.spec or ''} {kernel.state} {kernel.pid or ''}".casefold()


def _name(row: KernelRow, _look: Look) -> Line:
    return plain(notebook(row.kernel))


def _server(row: KernelRow, _look: Look) -> Line:
    return plain(row.key.server or "")


def _spec(row: KernelRow, _look: Look) -> Line:
    return plain(row.kernel.spec or figures.UNKNOWN)


def _state(row: KernelRow, _look: Look) -> Line:
    if row.kernel.died:
        return (Span(f"{FAILED} {fate(row.kernel.died)}", "bad"),)
    return (states.of_kernel(row.kernel.state),)


def fate(death: Death) -> str:
    """Return how a kernel ended: `restarted 2/5, killed: out of memory (cgroup)`."""
    return f"restarted {death.restarts}/{death.limit}, {death.words}" if death.restarts else death.words


def _unless_died(cell: Cell) -> Cell:
    # The sentence on a death stands over the figures to its right.
    return lambda row, look: () if row.kernel.died else cell(row, look)


def idle_seconds(kernel: Kernel, now: datetime) -> float | None:
    """Return the seconds since it last did anything; None where nobody can tell."""
    return None if kernel.state is KernelState.UNKNOWN else figures.seconds_since(kernel.last_activity, now)


def _since(row: KernelRow, look: Look) -> Line:
    return plain(figures.age(idle_seconds(row.kernel, look.now)))


def _pid(row: KernelRow, _look: Look) -> Line:
    return plain(figures.count(row.kernel.pid))


def _cpu(row: KernelRow, _look: Look) -> Line:
    return plain(figures.percent(row.kernel.cpu_percent))


def _ram(row: KernelRow, _look: Look) -> Line:
    return plain(figures.size(row.kernel.rss))


def _gpu(row: KernelRow, _look: Look) -> Line:
    return plain(figures.size(row.kernel.gpu_memory))


def _clients(row: KernelRow, _look: Look) -> Line:
    return plain(figures.count(row.kernel.clients))


def _restarts(row: KernelRow, _look: Look) -> Line:
    return plain(figures.count(row.kernel.restarts))


def _tone(row: KernelRow, _look: Look) -> str:
    return "dim" if row.stale else ""


WIDE = Table(
    (
        Column("NOTEBOOK", 22, _name, grow=3, most=60),
        Column("SERVER", 12, _server, rank=3, grow=1, most=28),
        Column("SPEC", 8, _spec, rank=5, grow=1, most=16),
        Column("STATE", 12, _state),
        Column("SINCE", 5, _unless_died(_since), rank=2, right=True),
        Column("PID", 7, _unless_died(_pid), rank=6, right=True),
        Column("CPU", 5, _unless_died(_cpu), rank=1, right=True),
        Column("RAM", 5, _unless_died(_ram), right=True),
        Column("GPU", 5, _gpu, rank=4, right=True),
        Column("CLIENTS", 7, _clients, rank=7, right=True),
        Column("RESTARTS", 8, _restarts, rank=8, right=True),
    ),
    tone=_tone,
)
NARROW = Table(
    (
        Column("NOTEBOOK", 18, _name, grow=1, most=40),
        Column("STATE", 10, _state, firm=True, gap=1),
        Column("SINCE", 5, _unless_died(_since), rank=1, right=True, gap=1),
        Column("RAM", 5, _unless_died(_ram), right=True, gap=1),
        Column("CPU", 5, _unless_died(_cpu), rank=2, right=True, gap=1),
    ),
    tone=_tone,
)


def table(width: int) -> Table:
    """Return the table for a pane of `width` cells."""
    return NARROW if width < 72 else WIDE


def about(row: KernelRow) -> str:
    """Return where one kernel is, in full: its server, spec, process and notebook's path."""
    parts = [row.key.server or "", row.kernel.spec or ""]
    parts += [f"pid {row.kernel.pid}"] if row.kernel.pid else []
    parts += [f"GPU {figures.size(row.kernel.gpu_memory)}"] if row.kernel.gpu_memory else []
    parts.append(row.kernel.path or f"kernel {row.kernel.id[:8]}")
    return " · ".join(filter(None, parts))


def story(row: KernelRow, look: Look) -> list[str]:
    """Return how a kernel died and what shows it, in full; [] of one that did not."""
    if not (death := row.kernel.died):
        return []
    now = "" if row.kernel.state is KernelState.DEAD else f" Now it is {row.kernel.state}."
    when = figures.duration(figures.seconds_since(death.at, look.now))
    return [f"{FAILED} {fate(death)}, {when} ago.{now}", *death.evidence]


def summary(rows: Sequence[KernelRow]) -> str:
    """Return the sums of the rows: `12 kernels · 3 busy · 61G RAM · 22G GPU`."""
    busy = sum(row.kernel.state is KernelState.BUSY for row in rows)
    rss = sum(row.kernel.rss or 0 for row in rows)
    gpu = sum(row.kernel.gpu_memory or 0 for row in rows)
    parts = [figures.plural(len(rows), "kernel")]
    parts += [f"{busy} busy"] if busy else []
    parts += [f"{figures.size(rss)} RAM"] if rss else []
    parts += [f"{figures.size(gpu)} GPU"] if gpu else []
    return " · ".join(parts)
