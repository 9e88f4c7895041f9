"""When the program itself is at fault: a file for whoever mends it, a sentence for whoever used it."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from rich.text import Text

from jupytui.config.crash import frames, write_crash
from jupytui.config.paths import private_directory

LOG = "jupytui.log"
MAX_LOG = 2**20


def report(logs: Path, error: BaseException | None) -> Text:
    """Write the crash down and return the sentence for the terminal."""
    path = write_crash(logs, error or RuntimeError("unknown"))
    where = f" What happened is in {path}" if path else " No log of it could be written."
    return Text(f"jupytui stopped because of a mistake of its own.{where}")


class _Frames(logging.Formatter):
    """Of an exception only where it happened: its message may hold what was typed."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return "".join(frames(ei[1]))


def log_to(logs: Path) -> None:
    """Send warnings and worse to a private file; by default they would be printed over the screen."""
    logging.getLogger().addHandler(_handler(logs))


def _handler(logs: Path) -> logging.Handler:
    path = logs / LOG
    try:
        private_directory(logs)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        if path.stat().st_size > MAX_LOG:
            path.replace(path.with_suffix(".log.1"))
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        handler: logging.Handler = logging.FileHandler(path)
    except OSError:
        return logging.NullHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_Frames("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler
