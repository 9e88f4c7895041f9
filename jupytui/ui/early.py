"""The last known picture, on the terminal before the toolkit that will draw it has been imported.

Importing textual alone takes longer than all of ours. Until it is there, the hosts as they were last seen stand where
they will stand, dim as everything that is old; its first frame then covers them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from jupytui.config.options import Options
from jupytui.fleet.memory import first_picture
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.ui.format import fleet
from jupytui.ui.format.fleet import FleetRow, HostRow, ServerRow
from jupytui.ui.format.line import Line
from jupytui.ui.format.look import Look

WIDE = 72
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"  # the same alternate screen that textual enters: entering twice is entering once
_LEAVE = "\x1b[?1049l\x1b[?25h"


@contextmanager
def early_picture(options: Options) -> Iterator[None]:
    """Show the picture now; if what follows fails before its own screen is up, the terminal is as it was."""
    terminal = sys.stderr  # where textual draws
    try:
        _draw(options)
        yield
    except BaseException:
        terminal.write(_LEAVE)
        terminal.flush()
        raise


def _draw(options: Options) -> None:
    width, height = os.get_terminal_size(sys.stderr.fileno())
    views = first_picture(options.config, options.hosts, options.paths.cache)
    lines = list(picture(views, width, datetime.now(UTC)))[: height - 3]
    placed = (f"\x1b[{number};1H\x1b[2m{line}\x1b[0m" for number, line in enumerate(lines, 1))
    sys.stderr.write(_ENTER + "".join(placed))
    sys.stderr.flush()


def picture(views: Iterable[HostView], width: int, now: datetime) -> Iterator[str]:
    """Yield the lines of the Fleet pane below two empty ones, where its header will be, in `width` cells."""
    table, look, inside = fleet.table(width), Look(now, str(Path.home())), max(1, width - 3)
    yield ""
    yield ""
    if width >= WIDE:
        yield "  " + _text(table.header(inside))
    for row in _rows(views):
        yield "  " + _text(table.row(row, look, inside))


def _rows(views: Iterable[HostView]) -> Iterator[FleetRow]:
    for view in views:
        yield HostRow(Subject(view.name), view, False if view.servers else None)
        yield from (ServerRow(Subject(view.name, server.id), view, server) for server in view.servers)


def _text(line: Line) -> str:
    return "".join(span.text for span in line)
