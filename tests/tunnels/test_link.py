"""The link is cut, hangs, flaps, is refused, sleeps: the tunnel's port stays, and its traffic comes back."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from pathlib import Path

import pytest

from jupytui.tunnels.models import Address, Tunnel, TunnelState
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.lab.proxy import Proxy
from tests.tunnels.conftest import DROP, PORT, Board, board_of, talk, until

CUTS, CONNECTS = 20, 1000
BREAKS = 12


class Knocker:
    """Connects to a port without a pause, in a thread of its own."""

    def __init__(self, port: int) -> None:
        self.made = self.refused = 0
        self._port = port
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.005):
            self.made += 1
            try:
                socket.create_connection(("127.0.0.1", self._port), 5).close()
            except ConnectionResetError:  # it was taken, and broken with its link before this thread had its turn
                continue
            except OSError:
                self.refused += 1

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


async def carrying(board: Board, host: LabHost) -> int:
    """Bring a tunnel up, and through it to the server: before that sshd may still fork, and DROP miss what it forks."""
    port = await board.tunnel(host.name)
    assert await talk(port) == b"hello<5>"
    return port


async def test_over_twenty_cuts_no_connect_is_refused_and_traffic_comes_back(board: Board, host: LabHost) -> None:
    port = await carrying(board, host)
    knocker = Knocker(port)
    try:
        for cut in range(1, CUTS + 1):
            await asyncio.to_thread(host.exec, DROP)
            await board.until(lambda cut=cut: board.status().reconnects >= cut)  # type: ignore[misc]
            assert await talk(port) == b"hello<5>"
        await until(lambda: knocker.made >= CONNECTS)
    finally:
        await asyncio.to_thread(knocker.end)
    assert knocker.refused == 0
    assert board.status().reconnects == CUTS


async def test_a_session_that_was_killed_is_noticed_within_a_second(board: Board, host: LabHost) -> None:
    await carrying(board, host)
    board.reported.clear()
    await asyncio.to_thread(host.exec, DROP)
    await board.until(lambda: any(s.state is not TunnelState.UP for s in board.reported), 1.0)
    await board.until_state(TunnelState.UP)


async def test_new_connections_wait_for_the_link_and_are_served_within_two_seconds(board: Board, host: LabHost) -> None:
    port = await carrying(board, host)
    await asyncio.to_thread(host.exec, f"{DROP}; ip link set eth0 down")
    await board.until_state(TunnelState.CONNECTING)
    waiting = asyncio.create_task(talk(port))
    done, _ = await asyncio.wait([waiting], timeout=3)
    assert not done
    healed = time.monotonic()
    await asyncio.to_thread(host.exec, "ip link set eth0 up")
    assert await waiting == b"hello<5>"
    assert time.monotonic() - healed < 2


async def test_a_half_open_link_is_lost_within_fifteen_seconds(board: Board, host: LabHost) -> None:
    port = await board.tunnel(host.name)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"x")
    await reader.read(1)
    host.cut()
    try:
        await board.until(lambda: board.status().state is not TunnelState.UP, 15)
        assert board.status().error
        with pytest.raises(ConnectionResetError):  # what was cut must not look complete
            await reader.read(1)
        writer.close()
    finally:
        host.heal()
    await board.until_state(TunnelState.UP, seconds=2)
    assert await talk(port) == b"hello<5>"


async def test_after_a_sleep_the_link_is_doubted_at_once(lab: Lab, host: LabHost, home: Path) -> None:
    async with Proxy(host.address, 22) as proxy:
        config = home / "config"
        alias = f"  HostKeyAlias {host.address}\n  Port {proxy.port}\n"
        config.write_text(lab.ssh_host("proxied", "127.0.0.1") + alias)
        async with board_of(config) as board:
            port = await board.tunnel("proxied")
            board.woke()
            assert await talk(port) == b"hello<5>"
            assert board.status().reconnects == 0
            proxy.stall()
            board.woke()
            await board.until(lambda: board.status().state is not TunnelState.UP, 8)  # keepalive would take 12 s
            proxy.resume()
            await board.retry("t")
            await board.until_state(TunnelState.UP)
            assert await talk(port) == b"hello<5>"


async def test_connections_that_were_broken_leave_no_memory_behind(lab: Lab, host: LabHost, home: Path) -> None:
    async with Proxy(host.address, 22) as proxy:
        config = home / "config"
        alias = f"  HostKeyAlias {host.address}\n  Port {proxy.port}\n"
        config.write_text(lab.ssh_host("proxied", "127.0.0.1") + alias)
        async with board_of(config) as board:
            port = await board.tunnel("proxied")
            assert await talk(port) == b"hello<5>"
            gc.disable()  # a long-lived process collects all its garbage but seldom
            try:
                before = _memory()
                for cut in range(1, BREAKS + 1):
                    await proxy.reset()
                    await board.until(lambda cut=cut: board.status().reconnects >= cut)  # type: ignore[misc]
                    assert await talk(port) == b"hello<5>"
                assert _memory() - before < BREAKS / 2
            finally:
                gc.enable()


def _memory() -> float:
    """What this process holds, in MiB."""
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


ACCEPTED = "awk '/^Tcp:/ { opened = $7 } END { print opened }' /proc/net/snmp"  # TCP connections so far


async def test_a_changed_key_fails_and_is_not_tried_again(lab: Lab, fresh_host: LabHost, board: Board) -> None:
    await board.add(Tunnel("t", fresh_host.name, to=Address("127.0.0.1", PORT)))
    await board.until_state(TunnelState.UP)
    await asyncio.to_thread(fresh_host.rekey)
    await asyncio.to_thread(fresh_host.exec, DROP)
    status = await board.until_state(TunnelState.FAILED)
    assert status.error
    assert "changed" in status.error.message
    assert status.next_try is None
    tries = fresh_host.exec(ACCEPTED).stdout
    await asyncio.sleep(1)  # the next try would be within half a second
    assert fresh_host.exec(ACCEPTED).stdout == tries
    with socket.create_connection(("127.0.0.1", board.port())):
        pass  # the port is still ours
    lab.trust()
    await board.retry("t")
    await board.until_state(TunnelState.UP)


async def test_a_question_that_nobody_answers_waits_for_somebody(lab: Lab, host: LabHost, home: Path) -> None:
    config = home / "config"
    known = home / "known_hosts"
    config.write_text(lab.ssh_host("new", host.address).replace(str(lab.known_hosts), str(known)))
    async with board_of(config) as board:
        await board.add(Tunnel("t", "new", to=Address("127.0.0.1", PORT)))
        status = await board.until_state(TunnelState.ASKING)
        assert status.error
        known.write_text(lab.known_hosts.read_text())
        await board.retry("t")
        await board.until_state(TunnelState.UP)


async def test_an_address_where_nobody_is_is_tried_for_ever(lab: Lab, host: LabHost, home: Path) -> None:
    config = home / "config"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    alias = f"  HostKeyAlias {host.address}\n  Port {port}\n"
    config.write_text(lab.ssh_host("late", "127.0.0.1") + alias)
    async with board_of(config) as board:
        await board.add(Tunnel("t", "late", to=Address("127.0.0.1", PORT)))
        status = await board.until_state(TunnelState.WAITING)
        assert status.next_try
        assert status.error
        async with Proxy(host.address, 22, port=port):
            await board.until_state(TunnelState.UP)
            assert await talk(board.port()) == b"hello<5>"
            await board.down("t")


async def test_down_and_up_again(board: Board, host: LabHost) -> None:
    port = await board.tunnel(host.name)
    await board.down("t")
    assert board.status().state is TunnelState.DOWN
    assert host.ssh_connections() == 0
    with pytest.raises(ConnectionRefusedError):
        await talk(port)
    await board.up("t")
    await board.until_state(TunnelState.UP)
    assert await talk(board.port()) == b"hello<5>"


async def test_tunnels_to_one_host_share_one_connection(board: Board, host: LabHost) -> None:
    for number in range(5):
        await board.tunnel(host.name, f"t{number}")
    assert host.ssh_connections() == 1
