"""Runs on_host/change.py and is killed before its N-th step on the file system: `…killed.py CHANGE N <JOB`.

Exits with 3 when there were fewer steps.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEPS = ("open", "write", "fsync", "fchmod", "link", "replace", "rename", "unlink", "makedirs", "close")
left = int(sys.argv[2])


def counted(step: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **options: Any) -> Any:
        global left  # noqa: PLW0603
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*args, **options)

    return run


source = Path(sys.argv[1]).read_text()
for name in STEPS:
    setattr(os, name, counted(getattr(os, name)))
exec(compile(source, "change", "exec"), {"__name__": "__main__"})
os._exit(3)
