"""How tunnels stand as JSON: what `status --json` and `tunnel ls --json` print of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from jupytui.tunnels.models import Status


def brief(status: Status) -> dict[str, Any]:
    """Return the fields that `status --json` documents."""
    tunnel, here = status.tunnel, status.local or status.tunnel.local
    why = status.error
    return {
        "name": tunnel.name,
        "host": tunnel.host,
        "kind": str(tunnel.kind),
        "local": str(here) if here and (here.port or here.path) else None,
        "to": str(tunnel.to) if tunnel.to else None,
        "state": str(status.state),
        "since": _time(status.since or None),
        "reconnects": status.reconnects,
        "error": {"message": why.message, "hint": why.hint} if why else None,
    }


def encode(statuses: Sequence[Status]) -> str:
    """Return one JSON document, in ASCII: no text from outside can reach a terminal unescaped."""
    return json.dumps({"tunnels": [_whole(status) for status in statuses]}, indent=2)


def _whole(status: Status) -> dict[str, Any]:
    return {
        **brief(status),
        "url": status.url or None,
        "next_try": _time(status.next_try),
        "open_connections": status.open_connections,
        "connections": status.connections,
        "bytes_out": status.bytes_out,
        "bytes_in": status.bytes_in,
    }


def _time(moment: float | None) -> str | None:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
