"""What `status --json` prints: exactly the documented fields, in their order, whatever else the models hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
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
    """Return one JSON document, in ASCII: no text from outside can reach a terminal unescaped."""
    document = {"jupytui": __version__, "taken_at": _plain(taken_at), "hosts": _plain(views)}
    document["tunnels"] = [brief(status) for status in tunnels]
    return json.dumps(document, indent=2).encode("ascii") + b"\n"


def _plain(value: Any) -> Any:
    if fields := FIELDS.get(type(value)):
        return {field: _plain(getattr(value, field)) for field in fields}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
