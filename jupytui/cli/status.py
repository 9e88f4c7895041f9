"""`jupytui status [HOST…] [--json]`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime

from jupytui.cli.configured import configured
from jupytui.cli.look import open_fleet, run_until_done, say_unreached
from jupytui.cli.status_json import encode_status
from jupytui.cli.status_text import render_status
from jupytui.cli.table import room
from jupytui.config.model import Config
from jupytui.fleet.models import HostView


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument("hosts", metavar="HOST", nargs="*", help="only these hosts")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(arguments: Namespace) -> int:
    """Take one look and print it; returns 3 when some host could not be reached, with what is known printed still."""
    _paths, config = configured(arguments)
    return run_until_done(_status(config, [*arguments.hosts, *arguments.host], arguments.json))


async def _status(config: Config, names: Sequence[str], as_json: bool) -> int:
    async with open_fleet(config, names) as fleet:
        views = await fleet.look_once()
    _print(views, datetime.now(UTC), as_json)
    return say_unreached(views)


def _print(views: Sequence[HostView], now: datetime, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(encode_status(views, now).decode())
    elif views:
        print(render_status(views, now, room()))
