"""The keeper's life: started when needed, one only, outliving front ends, restored when killed, gone when idle."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jupytui.config.paths import Paths
from jupytui.errors import JupytuiError
from jupytui.tunnels.keeper.client import connect
from jupytui.tunnels.keeper.peek import peek
from jupytui.tunnels.keeper.place import Place, find_place
from jupytui.tunnels.models import Address, Status, TunnelState
from tests.tunnels.keeper.conftest import keepers, only_keeper, says_back, tunnel, until, until_gone


async def test_no_keeper_is_started_by_a_look_and_one_is_by_a_tunnel(paths: Paths, place: Place, echo: Address) -> None:
    assert list(peek(paths)) == []
    async with connect(paths) as client:
        assert not client.statuses() and not keepers(place)
        status = await client.add(tunnel(echo))
        await until(client, lambda known: known["t"].state is TunnelState.UP)
        assert await says_back(status.local)
        assert await only_keeper(place)
    assert [one.local for one in peek(paths)] == [status.local]


async def test_front_ends_that_start_at_once_get_one_keeper_and_see_the_same_live(
    paths: Paths, place: Place, echo: Address
) -> None:
    async with connect(paths) as one, connect(paths) as two:
        await asyncio.gather(one.add(tunnel(echo, "a")), two.add(tunnel(echo, "b")))
        assert await only_keeper(place)
        for client in (one, two):
            await until(client, lambda known: known.keys() == {"a", "b"})
        await one.remove("a")
        await until(two, lambda known: known.keys() == {"b"})
        await two.down("b")
        await until(one, lambda known: known["b"].state is TunnelState.DOWN)


async def test_killed_it_is_back_with_the_same_tunnels_at_the_same_ports(
    paths: Paths, place: Place, echo: Address
) -> None:
    async with connect(paths) as client:
        up = await client.add(tunnel(echo, "up"))
        await client.add(tunnel(echo, "down"))
        await client.down("down")
        pid = await only_keeper(place)
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        assert up.local
        while True:
            try:
                assert await says_back(up.local)
                break
            except ConnectionError:
                await asyncio.sleep(0.01)
        took = time.monotonic() - began
        print(f"back after {took:.2f} s")
        assert took < 3
        await until(client, lambda known: _states(known) == {"up": "up", "down": "down"})
        assert await only_keeper(place) != pid


async def test_it_leaves_when_nothing_is_up_and_what_is_down_is_still_known(
    paths: Paths, place: Place, echo: Address
) -> None:
    async with connect(paths) as client:
        status = await client.add(tunnel(echo))
        pid = await only_keeper(place)
        await client.down("t")
        await until_gone(pid)
        assert [one.state for one in client.statuses()] == [TunnelState.DOWN]
        assert [one.state for one in peek(paths)] == [TunnelState.DOWN]
        await client.up("t")
        await until(client, lambda known: known["t"].state is TunnelState.UP)
        assert {one.tunnel.name for one in client.statuses()} == {"t"}
        assert status.tunnel == client.statuses()[0].tunnel
        leaving = await only_keeper(place)
        await client.stop()
        await until_gone(leaving)
    assert not place.socket.exists()


async def test_its_files_are_ours_alone_also_without_a_umask(paths: Paths, place: Place, echo: Address) -> None:
    before = os.umask(0)
    try:
        async with connect(paths) as client:
            await client.add(tunnel(echo))
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (place.socket, place.lock, place.memory, place.log)}
    assert set(modes.values()) == {0o600}, modes
    assert [stat.S_IMODE(path.stat().st_mode) for path in (place.run, place.state, place.logs)] == [0o700] * 3


async def test_it_has_a_session_of_its_own_and_is_deaf_to_sighup(paths: Paths, place: Place, echo: Address) -> None:
    async with connect(paths) as client:
        status = await client.add(tunnel(echo))
        pid = await only_keeper(place)
        assert os.getsid(pid) not in {os.getsid(0), pid}
        assert {str(Path(f"/proc/{pid}/fd/{stream}").readlink()) for stream in range(3)} == {"/dev/null"}
        assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
        os.kill(pid, signal.SIGHUP)
        assert await says_back(status.local)
        assert await only_keeper(place) == pid


async def test_it_is_found_again_after_the_runtime_directory_was_swept_away(
    paths: Paths, place: Place, echo: Address
) -> None:
    async with connect(paths) as client:
        await client.add(tunnel(echo))
        pid = await only_keeper(place)
        place.socket.unlink()
        place.run.rmdir()
    async with connect(paths) as client:
        await client.add(tunnel(echo, "another"))
        assert {one.tunnel.name for one in client.statuses()} == {"t", "another"}
    assert await only_keeper(place) == pid


async def test_a_newer_keeper_takes_over_and_nobody_is_refused(
    paths: Paths, place: Place, echo: Address, version: Callable[[str], None]
) -> None:
    version("0.0.1")
    async with connect(paths) as old:
        await old.add(tunnel(echo, "resting"))
        await old.down("resting")
        local = (await old.add(tunnel(echo))).local
    before = await only_keeper(place)
    assert local
    refused, done = [], asyncio.Event()

    async def come_and_go() -> int:
        made = 0
        while not done.is_set():
            try:
                _, writer = await asyncio.open_connection(local.host, local.port)
                writer.close()
                made += 1
            except ConnectionRefusedError as error:
                refused.append(error)
            await asyncio.sleep(0.002)
        return made

    coming = [asyncio.create_task(come_and_go()) for _ in range(3)]
    version("99.0")
    async with connect(paths) as new:
        await until_gone(before)
        await until(new, lambda known: _states(known) == {"resting": "down", "t": "up"})
        assert await says_back(local)
        assert await only_keeper(place) != before
        done.set()
        assert min(await asyncio.gather(*coming)) > 5
        assert refused == []
        version("98.0")
        async with connect(paths) as older:
            assert _states({one.tunnel.name: one for one in older.statuses()}) == {"resting": "down", "t": "up"}
            assert older.attached


def _states(known: dict[str, Status]) -> dict[str, str]:
    return {name: status.state for name, status in known.items()}


async def test_why_it_does_not_start_reaches_the_front_end(paths: Paths, place: Place, echo: Address) -> None:
    place.logs.mkdir(parents=True)
    place.log.symlink_to("/tmp/elsewhere")
    async with connect(paths) as client:
        with pytest.raises(JupytuiError, match=r"does not start: .*keeper-.*log cannot be written"):
            await client.add(tunnel(echo))
    assert not Path("/tmp/elsewhere").exists()


@pytest.fixture
def elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Be in a session whose runtime directory is another, as in a login after cron has started the keeper."""

    def be(name: str) -> None:
        directory = home / name
        directory.mkdir(mode=0o700, exist_ok=True)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))

    return be


async def test_it_is_found_from_a_session_with_another_runtime_directory(
    paths: Paths, place: Place, echo: Address, elsewhere: Callable[[str], None]
) -> None:
    async with connect(paths) as client:
        await client.add(tunnel(echo))
        pid = await only_keeper(place)
        elsewhere("after-login")
        assert find_place(paths).socket != place.socket
        async with connect(paths) as another:
            assert [one.state for one in another.statuses()] == [TunnelState.UP]
            await another.add(tunnel(echo, "another"))
            await until(client, lambda known: known.keys() == {"t", "another"})
        assert {one.tunnel.name for one in peek(paths)} == {"t", "another"}
        assert await only_keeper(place) == pid


async def test_a_newer_keeper_takes_over_from_one_of_another_session(
    paths: Paths, place: Place, echo: Address, version: Callable[[str], None], elsewhere: Callable[[str], None]
) -> None:
    version("0.0.1")
    async with connect(paths) as old:
        local = (await old.add(tunnel(echo))).local
    before = await only_keeper(place)
    version("99.0")
    elsewhere("after-login")
    async with connect(paths) as new:
        await until_gone(before)
        await until(new, lambda known: _states(known) == {"t": "up"})
        assert await says_back(local)
        assert await only_keeper(place) != before
    elsewhere("another-login")
    assert [one.local for one in peek(paths)] == [local]


async def test_it_is_found_when_the_whole_runtime_directory_has_gone_with_the_last_session(
    paths: Paths, place: Place, echo: Address, elsewhere: Callable[[str], None]
) -> None:
    async with connect(paths) as client:
        await client.add(tunnel(echo))
        pid = await only_keeper(place)
    shutil.rmtree(place.run.parent)
    elsewhere("after-login")
    async with connect(paths) as client:
        await client.add(tunnel(echo, "another"))
        assert {one.tunnel.name for one in client.statuses()} == {"t", "another"}
    assert await only_keeper(place) == pid
