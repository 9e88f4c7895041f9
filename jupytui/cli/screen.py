"""No command: the full-screen program."""

from __future__ import annotations

import sys
from argparse import Namespace

from jupytui.cli.configured import configured
from jupytui.config.options import Options
from jupytui.errors import UsageError


def run(arguments: Namespace) -> int:
    """Start the full-screen program; returns its exit status. Raises UsageError without a terminal."""
    if not all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):  # textual draws on stderr
        raise UsageError("This needs a terminal, and there is none.", "`jupytui status` works without.")
    paths, config = configured(arguments)
    config.watched(arguments.host)
    options = Options(config, paths, tuple(arguments.host), arguments.mouse, arguments.read_only)

    from jupytui.ui.app import run as show

    return show(options)
