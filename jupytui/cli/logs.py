"""`jupytui logs SERVER [-f] [-n N]`: the lines on stdout, remarks on what happened to them on stderr."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from contextlib import aclosing

from jupytui.cli import UNREACHED, say
from jupytui.cli.configured import configured
from jupytui.cli.lifecycle import running, stopped
from jupytui.cli.look import open_fleet, run_until_done, say_unreached
from jupytui.config.model import Config
from jupytui.errors import CommandError, UsageError
from jupytui.fleet.feed import follow, ring_for
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.models import HostView
from jupytui.hosts.base import HostTrouble
from jupytui.jupyter.launch.services import jupyter_services
from jupytui.logs.events import Batch
from jupytui.logs.reader import LogReader
from jupytui.logs.source import Source, source_of, source_of_unit

LINES = 50


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument("server", metavar="SERVER", help="HOST, HOST:PORT, HOST:/socket; HOST:UNIT if stopped")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is written, over lost connections")
    parser.add_argument("-n", "--lines", metavar="N", type=_count, default=LINES, help=f"so many last lines ({LINES})")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is not a number of lines")
    return int(text)


def run(arguments: Namespace) -> int:
    """Print a log. Raises UsageError with the candidates when no one server is meant."""
    _paths, config = configured(arguments)
    return run_until_done(_logs(config, arguments))


async def _logs(config: Config, arguments: Namespace) -> int:
    name = arguments.server.partition(":")[0]
    async with open_fleet(config, [name]) as fleet:
        views = await fleet.look_once()
        if unreached := say_unreached(views):
            return unreached
        source = await _source(fleet, views[0], arguments.server)
        # A pipe takes its time, and nothing may be missing in it: nothing is ever skipped.
        reader = LogReader(fleet.host(name), source, history=arguments.lines, backlog=None)
        return await (_follow(fleet, name, reader, source) if arguments.follow else _once(reader, source))


async def _source(fleet: Fleet, view: HostView, wanted: str) -> Source:
    """Return the log of a server that runs, else of a unit that is stopped. Raises UsageError with the candidates."""
    try:
        server = running(view, wanted)
    except UsageError as nothing_runs:
        services = await jupyter_services(fleet.host(view.name), view.servers)
        try:
            service = stopped(services.services, view.name, wanted)
        except UsageError:
            raise nothing_runs from None
        return source_of_unit(service.name, service.scope, service.output)
    if server.log is None:
        raise CommandError(f"It is not known where the log of {server.id} goes.")
    unit = server.unit
    name, scope = (unit.name, unit.scope) if unit else (None, None)
    return source_of(server.log.kind, server.log.where, name, scope, server.pid)


async def _once(reader: LogReader, source: Source) -> int:
    printer = _Printer(source)
    try:
        async with aclosing(reader.follow(live=False)) as batches:
            async for batch in batches:
                printer.take(batch)
    except HostTrouble as trouble:
        say(f"{trouble}")
        return UNREACHED
    finally:
        printer.finish()
    return 0


async def _follow(fleet: Fleet, name: str, reader: LogReader, source: Source) -> int:
    printer = _Printer(source)
    fleet.start([name])  # who watches it brings it back after a cut
    async with aclosing(follow(fleet, name, reader)) as batches:
        async for batch in batches:
            if isinstance(batch, HostTrouble):
                say(f"{batch}")
            else:
                printer.take(batch)
    return 0


class _Printer:
    """Prints whole lines as they become whole."""

    def __init__(self, source: Source) -> None:
        self._ring = ring_for(source)
        self._printed = 0

    def take(self, batch: Batch) -> None:
        """Print what is new."""
        self._ring.feed(batch)
        for entry in self._ring.entries(self._printed, self._ring.end):
            if entry.marker:
                say(f"{entry.text}.")
            else:
                sys.stdout.write(f"{entry.text}\n")
        self._printed = self._ring.end
        sys.stdout.flush()

    def finish(self) -> None:
        """Print the last line even if it has no end."""
        self._ring.break_line()
        self.take(())
