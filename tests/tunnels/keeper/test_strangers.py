"""Other users of the machine, and what they plant."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from jupytui.config.paths import Paths
from jupytui.errors import JupytuiError
from jupytui.tunnels.keeper import protocol
from jupytui.tunnels.keeper.client import connect
from jupytui.tunnels.keeper.lair import Lair
from jupytui.tunnels.keeper.memory import recall, save
from jupytui.tunnels.keeper.peek import peek
from jupytui.tunnels.keeper.place import LONGEST, Place, find_place
from jupytui.tunnels.keeper.server import Keeper
from jupytui.tunnels.models import Address
from tests.tunnels.keeper.conftest import tunnel

NOBODY = 65534
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user")

TALK = """
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1])
try:
    s.sendall(b'{"type":"hello","protocol":1}\\n'); print(s.recv(9))
except (BrokenPipeError, ConnectionResetError):
    print(b'')
"""


def _as_nobody(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["setpriv", f"--reuid={NOBODY}", "--clear-groups", *command], capture_output=True, text=True, check=False
    )


async def _talk_as_nobody(path: Path) -> str:
    import asyncio

    done = await asyncio.to_thread(_as_nobody, "/usr/bin/python3", "-c", TALK, str(path))
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@root
async def test_another_user_can_neither_speak_to_it_nor_read_its_files(
    paths: Paths, place: Place, keeper: Keeper, echo: Address
) -> None:
    async with connect(paths) as client:
        await client.add(tunnel(echo))
        Path(os.environ["HOME"]).chmod(0o711)
        place.run.parent.chmod(0o711)
        assert "Permission" in await _talk_as_nobody(place.socket)
        for path in (place.memory, place.lock, place.run, place.socket):
            assert "Permission denied" in _as_nobody("cat", str(path)).stderr
        # Even with every door open the kernel says who it is.
        for path in (place.socket.parent, place.socket):
            path.chmod(0o777)
        assert await _talk_as_nobody(place.socket) == "b''"
        assert client.attached


@root
async def test_a_squatted_socket_is_refused_by_both_sides(paths: Paths, place: Place) -> None:
    place.run.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as squatter:
        squatter.bind(str(place.socket))
        squatter.listen()
        os.chown(place.socket, NOBODY, -1)
        with pytest.raises(JupytuiError, match="another user"):
            peek(paths)
        with pytest.raises(JupytuiError, match="another user"):
            Lair.take(place)
        async with connect(paths) as client:
            with pytest.raises(JupytuiError, match="another user"):
                await client.add(tunnel(Address("127.0.0.1", 9)))


@root
def test_a_directory_of_somebody_else_is_refused(paths: Paths, place: Place) -> None:
    place.run.mkdir(mode=0o700)
    os.chown(place.run, NOBODY, -1)
    with pytest.raises(JupytuiError, match="another user"):
        Lair.take(place)
    with pytest.raises(JupytuiError, match="another user"):
        peek(paths)


@root
def test_a_runtime_directory_of_somebody_else_is_not_used(paths: Paths, place: Place) -> None:
    os.chown(place.run.parent, NOBODY, -1)
    assert find_place(paths).run == paths.state / "run"


def test_planted_links_are_refused_or_replaced_and_never_followed(paths: Paths, place: Place, home: Path) -> None:
    target = home / "target"
    target.mkdir()
    place.run.symlink_to(target)
    for look in (lambda: Lair.take(place), lambda: peek(paths)):
        with pytest.raises(JupytuiError, match="no directory of yours"):
            look()
    place.run.unlink()
    place.run.mkdir(mode=0o700)
    place.socket.symlink_to(target / "socket")
    for look in (lambda: Lair.take(place), lambda: peek(paths)):
        with pytest.raises(JupytuiError, match="no socket"):
            look()
    place.socket.unlink()
    place.lock.unlink(missing_ok=True)
    place.lock.symlink_to(target / "lock")
    with pytest.raises(JupytuiError, match="it is a link"):
        Lair.take(place)
    place.memory.symlink_to(target / "memory")
    with pytest.raises(JupytuiError, match="cannot be read"):
        recall(place.memory)
    save(place.memory, [protocol.Remembered(tunnel(Address("127.0.0.1", 9)), True)])
    assert not list(target.iterdir()) and not place.memory.is_symlink()


def test_a_stale_socket_is_replaced_and_a_living_keeper_is_not(place: Place) -> None:
    place.run.mkdir(mode=0o755)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place.socket))
    lair = Lair.take(place)
    assert lair and Lair.take(place) is None
    assert place.run.stat().st_mode & 0o777 == 0o700
    lair.close()
    again = Lair.take(place)
    assert again
    again.close()


def test_a_path_too_long_for_a_socket_is_avoided_and_then_named(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    long = Path(os.environ["HOME"]) / ("x" * LONGEST)
    long.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    assert find_place(paths).run == paths.state / "run"
    with pytest.raises(JupytuiError, match="too long"):
        find_place(Paths(paths.hosts, paths.cache, long, long))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"tunnels":[{"type":"remembered"}]}'])
def test_a_torn_memory_is_an_empty_one(place: Place, content: bytes) -> None:
    place.state.mkdir(parents=True)
    place.memory.write_bytes(content)
    assert recall(place.memory) == ()


def test_what_a_lock_that_is_not_a_keepers_says_is_not_followed(place: Place, home: Path) -> None:
    place.state.mkdir(parents=True, mode=0o700)
    for said in (b"", b"relative", b"/etc/passwd", b"/\0", b"\xff", b"/" + b"x" * 4096):
        place.lock.write_bytes(said)
        assert list(place.sockets()) == [place.socket]
    told = home / "run" / place.socket.name
    place.lock.write_bytes(os.fsencode(told))
    assert list(place.sockets()) == [place.socket, told]
    planted = place.lock.rename(home / "planted")
    place.lock.symlink_to(planted)
    assert list(place.sockets()) == [place.socket]


@root
async def test_a_socket_that_the_lock_names_is_checked_like_the_usual_one(paths: Paths, place: Place) -> None:
    told = Path(os.environ["HOME"]) / "elsewhere" / place.socket.name
    told.parent.mkdir(mode=0o700)
    place.state.mkdir(parents=True, mode=0o700)
    place.lock.write_bytes(os.fsencode(told))
    with socket.socket(socket.AF_UNIX) as squatter:
        squatter.bind(str(told))
        squatter.listen()
        os.chown(told, NOBODY, -1)
        with pytest.raises(JupytuiError, match="another user"):
            peek(paths)
        os.chown(told.parent, NOBODY, -1)
        async with connect(paths) as client:
            with pytest.raises(JupytuiError, match="another user"):
                await client.add(tunnel(Address("127.0.0.1", 9)))
