"""Where warnings and mistakes of ours are written: a private file, which is made when there is something to write."""

from __future__ import annotations

import copy
import io
import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from jupytui.config.crash import frames
from jupytui.config.private import PrivateDirectory

LOG = "jupytui.log"
MAX_BYTES = 2**20


class PrivateFile(RotatingFileHandler):
    """0600 in a directory 0700; a link in its place is never followed."""

    def _open(self) -> io.TextIOWrapper:
        path = Path(self.baseFilename)
        return os.fdopen(PrivateDirectory(path.parent).append(path.name), "a", encoding="utf-8", errors="replace")


class _Frames(logging.Formatter):
    """Of an exception only where it happened: its message may hold what was typed."""

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)
        record.exc_text = None  # another handler may have left its own there
        if record.name == "asyncio" and record.exc_info:
            record.msg, record.args = "nobody was there for an exception", ()  # asyncio's own words quote it
        return super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return "".join(frames(ei[1]))


def log_to(logs: Path) -> None:
    """Send warnings and worse to a file below `logs`; by default they would be printed, with what is in exceptions."""
    handler = PrivateFile(logs / LOG, maxBytes=MAX_BYTES, backupCount=1, delay=True)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_Frames("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.raiseExceptions = False  # a log that cannot be written is no reason to print it
