"""Tunnels to a real host: nothing that happens to a front end stops what they carry."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from jupytui.config.paths import Paths, find_paths
from jupytui.hosts.base import Nobody, SecretPrompt, UnknownKey
from jupytui.secret import Secret
from jupytui.tunnels.keeper import spawn, unit
from jupytui.tunnels.keeper.client import connect
from jupytui.tunnels.keeper.memory import recall
from jupytui.tunnels.keeper.place import Place
from jupytui.tunnels.models import Address, Status, TunnelState
from tests.jupyter.launch.conftest import reach
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.tunnels.keeper.conftest import ROOT, only_keeper, tunnel, until

STALL = float(os.environ.get("JUPYTUI_TEST_STALL", "3"))  # seconds; 60 by hand
SOURCE = Address("localhost", 7070)
PASSPHRASE = "xyzzy plugh"

# Sends without end, at some 10 MB/s.
DRIP = """
import socket, time, threading
def drip(c):
    try:
        while True: c.sendall(b"x" * 65536); time.sleep(0.005)
    except OSError: pass
s = socket.create_server(("127.0.0.1", 7070))
while True: threading.Thread(target=drip, args=s.accept()[:1], daemon=True).start()
"""


@pytest.fixture(scope="module")
def source(lab: Lab) -> LabHost:
    host = lab.host("kp1")
    host.write("/opt/drip.py", DRIP, mode="644")
    host.exec("systemd-run --quiet --unit=drip /usr/bin/python3 /opt/drip.py")
    host.exec("until ss -Hltn | grep -q 127.0.0.1:7070; do sleep 0.05; done")
    return host


@pytest.fixture
def paths(home: Path, lab: Lab, source: LabHost) -> Paths:
    hosts = home / "hosts.toml"
    hosts.write_text(f'[settings]\nssh_config = "{lab.ssh_config}"\n[hosts.kp1]\n')
    return find_paths(str(hosts))


@asynccontextmanager
async def _front_end(paths: Paths) -> AsyncIterator[tuple[asyncio.subprocess.Process, Address]]:
    words = ["-P", "-m", "tests.tunnels.keeper.front_end", str(paths.hosts), "kp1", str(SOURCE)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stdout
    yield process, Address.parse((await process.stdout.readline()).decode())
    if process.returncode is None:
        process.kill()
    await process.wait()


async def _flows(reader: asyncio.StreamReader, seconds: float) -> None:
    """Read for so long; fails when nothing comes for ten seconds."""
    until = time.monotonic() + seconds
    total = 0
    while time.monotonic() < until or total < 2**20:
        async with asyncio.timeout(10):
            data = await reader.read(2**18)
        assert data, "the download has ended"
        total += len(data)


async def test_a_download_goes_on_while_the_front_end_is_stalled_and_when_it_is_killed(
    paths: Paths, place: Place
) -> None:
    async with _front_end(paths) as (front, local):
        reader, writer = await asyncio.open_connection(local.host, local.port)
        await _flows(reader, 0)
        keeper = await only_keeper(place)
        front.send_signal(signal.SIGSTOP)
        before = _rss(keeper)
        await _flows(reader, STALL)
        print(f"keeper: {before} KiB before, {_rss(keeper)} KiB after {STALL} s")
        async with connect(paths) as another:
            await until(another, lambda known: known["t"].bytes_in > 2**20)
        front.kill()
        await front.wait()
        await _flows(reader, 0.5)
        assert await only_keeper(place) == keeper
        writer.close()


def _rss(pid: int) -> int:
    """In KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


async def test_after_the_keepers_death_the_same_tunnel_carries_within_three_seconds(paths: Paths, place: Place) -> None:
    async with connect(paths) as client:
        local = (await client.add(tunnel(SOURCE, host="kp1"))).local
        assert local
        assert (await client.settled("t")).state is TunnelState.UP
        os.kill(await only_keeper(place), signal.SIGKILL)
        began = time.monotonic()
        while not await _gives(local):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        took = time.monotonic() - began
        print(f"carries again after {took:.2f} s")
        assert took < 3


async def _gives(local: Address) -> bool:
    try:
        reader, writer = await asyncio.open_connection(local.host, local.port)
        async with asyncio.timeout(10):
            got = await reader.read(1)
        writer.close()
    except ConnectionError:
        return False
    return bool(got)


class Person:
    def __init__(self) -> None:
        self.asked: list[SecretPrompt | UnknownKey] = []

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        self.asked.append(prompt)
        return Secret(PASSPHRASE)

    async def trust(self, question: UnknownKey) -> bool:
        self.asked.append(question)
        return True


async def test_an_unknown_key_and_a_passphrase_wait_for_whoever_comes_and_the_passphrase_is_left_nowhere(
    home: Path, lab: Lab, paths: Paths, place: Place, source: LabHost
) -> None:
    identity, config = home / "id", home / "ssh_config"
    shutil.copy(lab.identity, identity)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", PASSPHRASE, "-f", identity], check=True)
    block = lab.ssh_host("kp1", source.address).replace(str(lab.known_hosts), str(home / "known_hosts"))
    config.write_text(block.replace(str(lab.identity), str(identity)))
    paths.hosts.write_text(f'[settings]\nssh_config = "{config}"\n[hosts.kp1]\n')
    async with connect(paths) as blind:
        await blind.add(tunnel(SOURCE, host="kp1"))
        await until(blind, lambda known: known["t"].state is TunnelState.ASKING)
        person = Person()
        async with connect(paths, person):
            await until(blind, lambda known: known["t"].state is TunnelState.UP)
    assert [type(question) for question in person.asked] == [UnknownKey, SecretPrompt]
    keeper = await only_keeper(place)
    files = [path for path in (*place.state.rglob("*"), *place.logs.rglob("*")) if path.is_file()]
    seen = [Path(f"/proc/{keeper}/{name}") for name in ("cmdline", "environ")]
    assert place.log in files
    assert not [path for path in (*files, *seen) if PASSPHRASE.encode() in path.read_bytes()]


async def test_the_unit_for_after_login_is_installed_started_with_our_path_and_removed(
    lab: Lab, source: LabHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = await reach(lab, source)
    path_here = f'{os.environ["PATH"]}:/opt/50% off/$HOME/a"b\\c'
    monkeypatch.setenv("PATH", path_here)
    try:
        # The host has no jupytui; sleep stands in for it.
        path = await unit.install(far, Nobody(), ("/usr/bin/sleep", "infinity"))
        look = f"systemctl --user is-active {unit.NAME}; systemctl --user is-enabled {unit.NAME}"
        assert (await far.run(look)).stdout == b"active\nenabled\n"
        assert path == f"/home/alice/.config/systemd/user/{unit.NAME}"
        variables = f"cat /proc/$(systemctl --user show -P MainPID {unit.NAME})/environ"
        assert f"PATH={path_here}".encode() in (await far.run(variables)).stdout.split(b"\0")
        assert await unit.uninstall(far, Nobody())
        assert not await unit.uninstall(far, Nobody())
        assert (await far.run(f"test -e {path}")).status == 1
    finally:
        await far.close()


async def test_after_login_what_hosts_toml_wants_up_is_up(paths: Paths, place: Place) -> None:
    with paths.hosts.open("a") as file:
        file.write(
            '[tunnels.wanted]\nhost = "kp1"\nto = "7070"\nup = true\n[tunnels.other]\nhost = "kp1"\nto = "7070"\n'
        )
    process = await asyncio.create_subprocess_exec(*unit.login_command(paths.hosts), env=spawn.environment())
    try:
        async with connect(paths) as client:
            await until(client, lambda known: _states(known) == {"wanted": "up"})
        process.terminate()
        assert await process.wait() == 0
        assert [one.up for one in recall(place.memory)] == [True]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _states(known: dict[str, Status]) -> dict[str, str]:
    return {name: status.state for name, status in known.items()}
