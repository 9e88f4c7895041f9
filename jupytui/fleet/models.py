"""What is known of the fleet: one frozen `HostView` per host, replaced whole at each look."""

from __future__ import annotations

from datetime import datetime

import msgspec

from jupytui.hosts.state import HostState
from jupytui.jupyter.models import Server


class Gpu(msgspec.Struct, frozen=True):
    """One GPU, memory in bytes, utilization in percent."""

    index: int
    name: str
    memory_used: int | None = None
    memory_total: int | None = None
    utilization: int | None = None


class System(msgspec.Struct, frozen=True):
    """The machine itself. `cpu_percent` is of all CPUs, 0–100, since the look before."""

    os: str | None = None
    load1: float | None = None
    cpus: int | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    disk_free: int | None = None
    boot_id: str | None = None
    gpus: tuple[Gpu, ...] = ()
    cpu_percent: float | None = None


class Trouble(msgspec.Struct, frozen=True):
    """Why a host is not up: a sentence, what to do about it, and what was run and what came back."""

    message: str
    hint: str = ""
    detail: str = ""


class HostView(msgspec.Struct, frozen=True):
    """One host as last seen. `seen_at` is when a look last succeeded; with `state` not up, the rest is that old.

    `waiting` is the question that waits for the user ("asks for a one-time password"), None when none does.
    `ahead` is by how many seconds its clock is ahead of ours, 0 where they agree to a few: `last_activity` is by ours,
    all other times it tells are by its own.
    """

    name: str
    address: str = ""
    state: HostState = HostState.CONNECTING
    error: Trouble | None = None
    rtt_ms: float | None = None
    system: System | None = None
    servers: tuple[Server, ...] = ()
    seen_at: datetime | None = None
    waiting: str | None = None
    tags: tuple[str, ...] = ()
    ahead: float = 0.0
