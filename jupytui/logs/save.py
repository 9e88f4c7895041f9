"""Writes what a log view holds to a file on this machine."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path

from jupytui.errors import CommandError
from jupytui.logs.ring import Ring

_AT_ONCE = 128  # lines between two turns for the others


async def save(ring: Ring, path: Path, numbers: Iterable[int] | None = None) -> int:
    """Write the entries (those of `numbers` only: a `Scan`'s) to `path`, as they are shown; return how many lines.

    Secrets are masked, the file is 0600, and there all at once or not at all. Raises CommandError.
    """
    try:
        with _replacing(path) as file:
            count = await _write(file, _texts(ring, numbers))
            await asyncio.to_thread(_to_disk, file)
    except OSError as error:
        hint = "Is there room, and may you write there?"
        raise CommandError(f"{path} cannot be written: {error.strerror}.", hint) from None
    return count


@contextmanager
def _replacing(path: Path) -> Iterator[TextIOWrapper]:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600, and never through a link
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            yield file
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


def _texts(ring: Ring, numbers: Iterable[int] | None) -> Iterator[str]:
    for number in range(ring.first, ring.end) if numbers is None else numbers:
        if number >= ring.first:  # else it was dropped while we wrote
            entry = ring[number]
            yield f"--- {entry.text} ---\n" if entry.marker else f"{entry.text}\n"


async def _write(file: TextIOWrapper, texts: Iterator[str]) -> int:
    count = 0
    while some := list(islice(texts, _AT_ONCE)):
        file.write("".join(some))
        count += len(some)
        await asyncio.sleep(0)
    return count


def _to_disk(file: TextIOWrapper) -> None:
    file.flush()
    os.fsync(file.fileno())
