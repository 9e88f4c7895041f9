"""What `jupytui cert ls [HOST…] [--json]` prints: the certificate of each server."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import Any

from jupytui import figures
from jupytui.actions.cert_sights import CertView, look, secured, servers_of
from jupytui.cli.look import open_fleet, say_unreached
from jupytui.cli.table import Cell, Column, Long, render, room
from jupytui.config.model import Config
from jupytui.errors import JupytuiError
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Server

COLUMNS = (
    Column("SERVER"),
    Column("TLS"),
    Column("LEFT", right=True),
    Column("FILE", rank=2),
    Column("TRUSTED BY", rank=1),
    Column("KEY", rank=5),
    Column("ISSUER", rank=3),
    Column("NAMES", rank=4),
    Column("NOTE", sentence=True),
)


async def list_all(config: Config, arguments: Namespace) -> int:
    """Print them; the exit status. What is about to expire is said, and changes nothing of that."""
    async with open_fleet(config, arguments.servers) as fleet:
        views = await fleet.look_once()
        unreached = say_unreached(views)
        found = [(view, server, await _seen(fleet, view, server)) for view in views for server in servers_of(view)]
    if arguments.json:
        sys.stdout.write(json.dumps({"servers": [_json(*one) for one in found]}, indent=2) + "\n")
    elif found:
        print(render(COLUMNS, [_row(*one) for one in found], room()))
    return unreached


async def _seen(fleet: Fleet, view: HostView, server: Server) -> CertView:
    try:
        return await look(fleet, Subject(view.name, server.id))
    except JupytuiError as error:
        return CertView(trouble=error.message)


def _json(view: HostView, server: Server, cert: CertView) -> dict[str, Any]:
    shown = cert.certificate
    return {
        "server": server.id,
        "host": view.name,
        "tls": secured(server),
        "issuer": shown.issuer if shown else None,
        "names": list(shown.names) if shown else None,
        "not_before": shown.not_before.isoformat() if shown else None,
        "not_after": shown.not_after.isoformat() if shown else None,
        "days_left": round(shown.days_left(), 2) if shown else None,
        "urgency": shown.urgency().name.lower() if shown else None,
        "key_type": shown.key_type if shown else None,
        "fingerprint": shown.fingerprint if shown else None,
        "file": cert.path or None,
        "key_file": cert.keyfile or None,
        "matches": cert.matches,
        "trusted_by": cert.trust.name.lower() if cert.trust else None,
        "trouble": cert.trouble or None,
    }


def _row(_view: HostView, server: Server, cert: CertView) -> tuple[Cell, ...]:
    shown = cert.certificate
    if shown is None:
        return (server.id, "on" if secured(server) else "off", *[""] * 6, cert.trouble)
    file = {True: "matches", False: "differs", None: ""}[cert.matches]
    urgency = shown.urgency().name.lower().replace("_", " ")
    note = cert.trouble or ("" if urgency == "fine" else urgency if shown.urgency() > 3 else "renew it")
    left = figures.left(shown.days_left())
    about = (str(cert.trust or ""), shown.key_type, Long(shown.issuer), Long(" ".join(shown.names)))
    return (server.id, "on", left, file, *about, note)
