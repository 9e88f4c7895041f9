"""When the program itself is at fault: a file for whoever mends it, a sentence for whoever used it."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from jupytui.config.crash import write_crash


def report(logs: Path, error: BaseException | None) -> Text:
    """Write the crash down and return the sentence for the terminal."""
    path = write_crash(logs, error or RuntimeError("unknown"))
    where = f" What happened is in {path}" if path else " No log of it could be written."
    return Text(f"jupytui stopped because of a mistake of its own.{where}")
