"""When the program itself is at fault: a file for whoever mends it, a sentence for whoever used it."""

from __future__ import annotations

import logging
import os
import traceback
from datetime import datetime
from pathlib import Path

from rich.text import Text

from jupytui import __version__
from jupytui.config.paths import private_directory

LOG = "jupytui.log"
MAX_LOG = 2**20


def write_crash(logs: Path, error: BaseException) -> str:
    """Write where `error` came from, without the values of variables, and return a sentence that names the file."""
    text = f"jupytui {__version__}\n" + "".join(traceback.format_exception(error))
    path = logs / f"crash-{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.log"
    try:
        private_directory(logs)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    except OSError as problem:
        return f"jupytui stopped: {type(error).__name__}, a mistake of its own (no log: {problem.strerror})."
    return f"jupytui stopped because of a mistake of its own. What happened is in {path}"


def report(logs: Path, error: BaseException | None) -> Text:
    """Write the crash down and return the sentence for the terminal."""
    return Text(write_crash(logs, error or RuntimeError("unknown")))


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
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler
