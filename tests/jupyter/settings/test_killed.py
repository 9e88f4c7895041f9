"""Whenever the program on the host is killed, all files are as before or as after once somebody looks again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from jupytui.hosts.local import LocalHost
from jupytui.jupyter.settings import apply as applying
from jupytui.jupyter.settings.edit import Edit, FileChange

CHANGE = Path(applying.__file__).parent / "on_host/change.py"
KILLED = Path(__file__).with_name("killed.py")
OLD, NEW, GONE = b"c.ServerApp.password = 'old'\n", b'{"IdentityProvider": {}}', b"{}"
State = dict[str, tuple[bytes, int]]


def lay(place: Path) -> Edit:
    """Three files: one to change, one to make, one to take away."""
    place.mkdir()
    for name, data in (("a.py", OLD), ("c.json", GONE)):
        (place / name).write_bytes(data)
        (place / name).chmod(0o640)
    return Edit(
        (
            FileChange(f"{place}/a.py", OLD, OLD + b"# more\n", 0o640, 0o600),
            FileChange(f"{place}/new/b.json", None, NEW),
            FileChange(f"{place}/c.json", GONE, None, 0o640),
        )
    )


def state(place: Path) -> State:
    """All files but the backups."""
    return {
        str(path.relative_to(place)): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in place.rglob("*")
        if path.is_file() and ".bak-" not in path.name
    }


BEFORE: State = {"a.py": (OLD, 0o640), "c.json": (GONE, 0o640)}
AFTER: State = {"a.py": (OLD + b"# more\n", 0o600), "new/b.json": (NEW, 0o600)}


async def test_killed_at_any_step_the_files_are_as_before_or_as_after(home: Path, here: LocalHost) -> None:
    steps, seen = 0, []
    while True:
        steps += 1
        place = home / f"tree{steps}"
        edit = lay(place)
        job = msgspec.json.encode(applying.work(edit, backups=True))
        command = [sys.executable, "-I", "-S", str(KILLED), str(CHANGE), str(steps)]
        done = subprocess.run(command, input=job, capture_output=True, check=False)
        if done.returncode != -signal.SIGKILL:
            break
        half = state(place)
        await applying.recover(here, sys.executable)
        now = state(place)
        assert now in (BEFORE, AFTER), f"step {steps}: {half}"
        if now == BEFORE:
            assert not list(place.rglob("*.bak-*"))
        seen.append(now == AFTER)
    assert done.returncode == 3, done.stderr
    assert state(place) == AFTER
    assert seen == sorted(seen), "once it has happened it stays so"
    assert (len(seen) > 40, any(seen), not all(seen)) == (True, True, True)
    assert [path.name for path in (home / ".local/state/jupytui/edits").iterdir()] == ["lock"]


async def test_undone_to_the_byte_and_the_mode(home: Path, here: LocalHost) -> None:
    edit = lay(home / "tree")
    await applying.apply(here, sys.executable, edit, backups=False)
    assert state(home / "tree") == AFTER
    await applying.apply(here, sys.executable, edit.undone, backups=False)
    assert state(home / "tree") == BEFORE
