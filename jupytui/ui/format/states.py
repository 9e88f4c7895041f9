"""State as a glyph and a word, never colour alone."""

from __future__ import annotations

from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Health, KernelState
from jupytui.ui.format.glyphs import DOWN, FAILED, STARTING, UNKNOWN, UP, WARNING
from jupytui.ui.format.span import Span

_HOSTS = {
    HostState.UP: Span(f"{UP} up", "good"),
    HostState.CONNECTING: Span(f"{STARTING} connecting", "warn"),
    HostState.UNREACHABLE: Span(f"{FAILED} no answer", "bad"),
    HostState.REFUSED: Span(f"{FAILED} refused", "bad"),
    HostState.AUTH_FAILED: Span(f"{FAILED} login failed", "bad"),
    HostState.KEY_UNKNOWN: Span(f"{WARNING} unknown key", "warn"),
    HostState.KEY_CHANGED: Span(f"{FAILED} key changed", "bad"),
    HostState.NO_SHELL: Span(f"{FAILED} no shell", "bad"),
    HostState.DOWN: Span(f"{DOWN} down", "bad"),
}
_SERVERS = {
    Health.OK: Span(f"{UP} up", "good"),
    Health.STARTING: Span(f"{STARTING} starting", "warn"),
    Health.SILENT: Span(f"{FAILED} no answer", "bad"),
    Health.OPEN: Span(f"{WARNING} open", "warn"),
    Health.LOCKED: Span(f"{UP} locked", "good"),
    Health.STALE: Span(f"{DOWN} gone", "dim"),
    Health.UNREADABLE: Span(f"{UNKNOWN} unknown", "dim"),
}
_KERNELS = {
    KernelState.IDLE: Span(f"{DOWN} idle"),
    KernelState.BUSY: Span(f"{UP} busy", "good"),
    KernelState.STARTING: Span(f"{STARTING} starting", "warn"),
    KernelState.RESTARTING: Span(f"{STARTING} restarting", "warn"),
    KernelState.DEAD: Span(f"{FAILED} dead", "bad"),
    KernelState.UNKNOWN: Span(f"{UNKNOWN} unknown", "dim"),
}
# How soon a person should look at it: trouble first, then what waits, then what is well.
_URGENCY = {"bad": 0, "warn": 1, "dim": 2, "": 3, "good": 3}


def of_host(state: HostState) -> Span:
    """Return a host's state."""
    return _HOSTS[state]


def of_server(health: Health) -> Span:
    """Return a server's state."""
    return _SERVERS[health]


def of_kernel(state: KernelState) -> Span:
    """Return a kernel's state."""
    return _KERNELS[state]


def urgency(state: Span) -> int:
    """Return how a state sorts: the smaller, the sooner somebody should look."""
    return _URGENCY[state.style]
