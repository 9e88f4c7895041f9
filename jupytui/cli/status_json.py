"""What `status --json` prints: exactly the documented fields, in their order, whatever else the models hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from jupytui import __version__
from jupytui.cli.tunnel_json import brief
from jupytui.fleet.models import Gpu, HostView, System, Trouble
from jupytui.jupyter.models import Kernel, Log, Server, Tls, Unit
from jupytui.tunnels.models import Status

FIELDS: dict[type, tuple[str, ...]] = {
    HostView: ("name", "address", "state", "error", "rtt_ms", "system", "servers"),
    Trouble: ("message", "hint"),
    System: ("os", "load1", "cpus", "memory_used", "memory_total", "disk_free", "boot_id", "gpus"),
    Gpu: ("index", "name", "memory_used", "memory_total", "utilization"),
    Server: (
        *("id", "pid", "app", "version", "port", "sock", "base_url", "root_dir", "url", "bind", "auth", "tls", "unit"),
        *("log", "health", "started_at", "last_activity", "kernels"),
    ),
    Tls: ("issuer", "not_after", "self_signed"),
    Unit: ("name", "scope"),
    Log: ("kind", "where"),
    Kernel: (
        *("id", "spec", "state", "path", "pid", "cpu_percent", "rss", "gpu_memory", "clients", "restarts"),
        "last_activity",
    ),
}


def encode_status(views: Sequence[HostView], taken_at: datetime, tunnels: Sequence[Status] = ()) -> bytes:
    """Return one JSON document, in ASCII: no text from outside can reach a terminal unescaped.

    What a host tells is dated by that host's clock.
    """
    document = {"jupytui": __version__, "taken_at": _plain(taken_at), "hosts": _plain(views)}
    document["tunnels"] = [brief(status) for status in tunnels]
    return json.dumps(document, indent=2).encode("ascii") + b"\n"


def _plain(value: Any, ahead: float = 0.0) -> Any:
    if fields := FIELDS.get(type(value)):
        ahead = value.ahead if isinstance(value, HostView) else ahead
        return {field: _plain(_as_told(field, getattr(value, field), ahead), ahead) for field in fields}
    if isinstance(value, list | tuple):
        return [_plain(item, ahead) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def _as_told(field: str, value: Any, ahead: float) -> Any:
    return value + timedelta(seconds=ahead) if field == "last_activity" and value else value
