"""`jupytui status [HOST…] [--json]`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime

from jupytui.cli import say
from jupytui.cli.configured import configured
from jupytui.cli.look import open_fleet, run_until_done, say_unreached
from jupytui.cli.status_json import encode_status
from jupytui.cli.status_text import render_status
from jupytui.cli.table import room
from jupytui.config.model import Config
from jupytui.config.paths import Paths
from jupytui.errors import JupytuiError
from jupytui.tunnels.keeper.peek import peek
from jupytui.tunnels.known import with_listed
from jupytui.tunnels.models import Status


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument("hosts", metavar="HOST", nargs="*", default=[], help="only these hosts")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(arguments: Namespace) -> int:
    """Take one look and print it; returns 3 when some host could not be reached, with what is known printed still."""
    paths, config = configured(arguments)
    return run_until_done(_status(paths, config, [*arguments.hosts, *arguments.host], arguments.json))


async def _status(paths: Paths, config: Config, names: Sequence[str], as_json: bool) -> int:
    async with open_fleet(config, names) as fleet:
        views = await fleet.look_once()
    if as_json:
        tunnels = [status for status in _tunnels(paths, config) if not names or status.tunnel.host in names]
        sys.stdout.write(encode_status(views, datetime.now(UTC), tunnels).decode())
    elif views:
        print(render_status(views, datetime.now(UTC), room()))
    return say_unreached(views)


def _tunnels(paths: Paths, config: Config) -> Sequence[Status]:
    """Return how they stand; where the keeper cannot say, that is said, and hosts are told of all the same."""
    try:
        known = peek(paths)
    except JupytuiError as error:
        say(str(error))
        known = ()
    return with_listed(config, known)
