"""The sampler as a test holds it, and what was seen by it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.security import sampler


@dataclass(frozen=True, slots=True)
class Sight:
    """What was at `place`; `mode` is a file's, 0 for a process."""

    place: str
    mode: int
    data: bytes


@dataclass
class Watched:
    """`looks` at everything, `programs` that were looked at when they started (None: the kernel does not tell)."""

    sights: list[Sight] = field(default_factory=list)
    looks: int = 0
    programs: int | None = None
    process: subprocess.Popen[str] | None = None

    def look(self) -> None:
        """Return when everything that is there now was looked at."""
        assert self.process and self.process.stdin and self.process.stdout
        self.process.stdin.write("l")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "looks\n"


@contextmanager
def watching(*trees: Path) -> Iterator[Watched]:
    """Look for as long as held; what was seen is there afterwards."""
    argv = [sys.executable, "-I", sampler.__file__, *map(str, trees)]
    watched = Watched()
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        watched.process = process
        try:
            assert process.stdout.readline() == "looks\n"
            yield watched
            counts, *lines = process.communicate()[0].splitlines()
            watched.looks, watched.programs = json.loads(counts)
            watched.sights += [
                Sight(place, mode, base64.b64decode(data)) for place, mode, data in map(json.loads, lines)
            ]
        finally:
            process.kill()
