"""Where a secret could have been left: files, the journal, what a terminal was given."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from tests.lab.host import LabHost
from tests.security.marks import Found, Marks

BLOCK = 2**24


def trees_of(host: LabHost) -> dict[str, Path]:
    """Every place in the host that can be written, by its path there: its disk's upper layer, and what is in memory."""
    inside = Path(f"/proc/{host.pid}/root")
    disk = {"": "upper", "/home": "homes", "/root": "root-home"}
    memory = {f"/{name}": inside / name for name in ("run", "tmp", "dev/shm")}
    return {there: host.directory / here for there, here in disk.items()} | memory


def in_files(marks: Marks, trees: dict[str, Path], since: float) -> Iterator[Found]:
    """The secrets in files that were changed (or moved, or given another mode) after `since`, and in their names."""
    for there, tree in trees.items():
        for path, found in changed(tree, since):
            place = f"{there}/{path.relative_to(tree)}"
            yield from marks.search(f"the name of {place}", os.fsencode(place))
            if stat.S_ISLNK(found.st_mode):
                with suppress(OSError):
                    yield from marks.search(place, os.fsencode(path.readlink()))
            elif stat.S_ISREG(found.st_mode):
                yield from in_file(marks, place, path)


def changed(tree: Path, since: float) -> Iterator[tuple[Path, os.stat_result]]:
    """What below `tree` was changed since then; other file systems that are mounted there are left out."""
    device = tree.stat().st_dev
    for directory, directories, names in os.walk(tree):
        directories[:] = [name for name in directories if _device(Path(directory, name)) == device or _own(directory)]
        for name in [*names, *directories]:
            path = Path(directory, name)
            with suppress(OSError):
                found = path.lstat()
                if max(found.st_mtime, found.st_ctime) >= since:
                    yield path, found


def _own(directory: str) -> bool:
    """A user's runtime directory is a file system of its own."""
    return directory.endswith("/run/user")


def _device(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_dev
    return -1


def in_file(marks: Marks, place: str, path: Path) -> Iterable[Found]:
    """The secrets in one file, also where they lie across two blocks."""
    found: set[Found] = set()
    with suppress(OSError), path.open("rb") as file:
        before = b""
        while block := file.read(BLOCK):
            found.update(marks.search(place, before + block))
            before = block[-4096:]
    return found


def in_journal(marks: Marks, host: LabHost) -> list[Found]:
    """The secrets in the host's journal, that of the system and those of its users, each with the entry's unit."""
    import subprocess

    command = host.command("exec journalctl --merge --output=export --no-pager")
    export = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
    assert b"__CURSOR=" in export
    found: list[Found] = []
    if marks.search("", export):
        for entry in export.split(b"\n\n"):
            found += marks.search(f"the journal: {entry.decode(errors='replace')[-600:]}", entry)
    return found
