"""Tunnels to a host that answers by script: what several front ends do to one at the same time, and new tries."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from jupytui.errors import JupytuiError, UsageError
from jupytui.hosts.base import Host, HostState, HostTrouble, Nobody, Prompter
from jupytui.tunnels.backoff import Backoff
from jupytui.tunnels.keeper.protocol import Remembered
from jupytui.tunnels.keeper.roster import Roster
from jupytui.tunnels.models import Address, Behind, Status, Tunnel, TunnelKind, TunnelState
from jupytui.tunnels.switchboard import Switchboard
from tests.tunnels.scripted import Scripted

SOON = 10.0
TUNNEL = Tunnel("t", "gpu", local=Address("127.0.0.1", 0), to=Address("localhost", 8888))


class Board(Switchboard):
    """Keeps its hosts, each prepared by `prepare`, and what a front end that follows it knows."""

    def __init__(self) -> None:
        self.prepare: Callable[[Scripted], None] = lambda _host: None
        self.hosts: list[Scripted] = []
        self.known: dict[str, Status] = {}
        self.news = asyncio.Event()
        super().__init__(self._open, Nobody(), lambda status: self.tell(status.tunnel.name, status))
        self.roster = Roster(self, self.tell, lambda _tunnels: None)

    def _open(self, name: str, prompter: Prompter) -> Host:
        host = Scripted(name, prompter)
        self.prepare(host)
        self.hosts.append(host)
        return host

    def tell(self, name: str, status: Status | None) -> None:
        self.known.pop(name, None)
        if status:
            self.known[name] = status
        self.news.set()

    async def until_told(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON):
            while not holds():
                self.news.clear()
                await self.news.wait()

    async def until(self, state: TunnelState, name: str = "t") -> Status:
        await self.until_told(lambda: self.known[name].state is state)
        return self.known[name]


@pytest.fixture
async def board() -> AsyncIterator[Board]:
    made = Board()
    yield made
    for host in made.hosts:
        host.may_end.set()
    await made.close()


async def is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False


async def test_a_tunnel_that_is_brought_up_while_it_is_removed_stays_and_can_be_removed(board: Board) -> None:
    await board.roster.add(TUNNEL)
    await board.until(TunnelState.UP)
    board.hosts[0].may_end.clear()
    removing = asyncio.create_task(board.roster.remove("t"))
    await board.hosts[0].closing.wait()
    await board.roster.add(TUNNEL)
    board.hosts[0].may_end.set()
    await removing
    status = await board.until(TunnelState.UP)
    assert status.local
    assert not await is_free(status.local.port)
    await board.roster.remove("t")
    assert not board.known
    assert not board.statuses()
    assert await is_free(status.local.port)


async def test_two_who_remove_a_tunnel_at_once_leave_no_row_behind(board: Board) -> None:
    await board.roster.add(TUNNEL)
    await board.until(TunnelState.UP)
    board.hosts[0].may_end.clear()
    taking_down = asyncio.create_task(board.roster.down("t"))
    await board.hosts[0].closing.wait()
    await board.roster.remove("t")
    board.hosts[0].may_end.set()
    await taking_down
    assert not board.known
    assert not board.statuses()


async def test_up_tries_a_connection_that_has_failed_where_hosts_toml_says_by_now(board: Board) -> None:
    def refuse(host: Scripted) -> None:
        host.trouble = HostTrouble(HostState.AUTH_FAILED, "It says no.")

    board.prepare = refuse
    await board.roster.add(TUNNEL)
    await board.roster.add(Tunnel("u", "gpu", local=Address("127.0.0.1", 0), to=TUNNEL.to))
    await board.until(TunnelState.FAILED)
    await board.roster.down("t")
    board.prepare = lambda _host: None
    await board.roster.up("t")
    await board.until(TunnelState.UP)
    await board.until(TunnelState.UP, "u")
    assert [host.tries for host in board.hosts] == [1, 1]


BEHIND = Behind("/", pid=7)


async def test_what_hosts_toml_wants_up_is_brought_up_as_it_says_by_now(board: Board) -> None:
    made = replace(TUNNEL, behind=BEHIND)
    await board.roster.add(made)
    await board.roster.down("t")
    await board.roster.bring_listed(TUNNEL)
    assert (await board.until(TunnelState.UP)).tunnel == made, "it leads the same way, and knows its server"
    moved = replace(TUNNEL, to=Address("localhost", 9999))
    await board.roster.bring_listed(moved)
    assert (await board.until(TunnelState.UP)).tunnel == moved


async def test_what_another_keeper_left_at_rest_is_brought_up_as_hosts_toml_says_by_now(board: Board) -> None:
    made = replace(TUNNEL, behind=BEHIND)
    await board.roster.restore([Remembered(made, False), Remembered(replace(TUNNEL, name="u"), False)], {})
    await board.roster.bring_listed(TUNNEL)
    moved = replace(TUNNEL, name="u", to=Address("localhost", 9999))
    await board.roster.bring_listed(moved)
    assert (await board.until(TunnelState.UP)).tunnel == made
    assert (await board.until(TunnelState.UP, "u")).tunnel == moved


async def test_what_hosts_toml_wants_up_and_cannot_come_up_says_why(board: Board) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        taken = Address("127.0.0.1", squatter.getsockname()[1])
        await board.roster.bring_listed(replace(TUNNEL, local=taken))
    status = await board.until(TunnelState.FAILED)
    assert status.error
    assert "taken" in status.error.message


async def test_one_at_rest_is_replaced_by_another_of_its_name_and_one_that_is_up_is_not(board: Board) -> None:
    moved = replace(TUNNEL, to=Address("localhost", 9999))
    await board.roster.add(TUNNEL)
    with pytest.raises(UsageError, match="another tunnel 't'"):
        await board.roster.add(moved)
    await board.roster.down("t")
    assert (await board.roster.add(moved)).tunnel == moved
    await board.roster.down("t")
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        taken = Address("127.0.0.1", squatter.getsockname()[1])
        with pytest.raises(JupytuiError, match="taken"):
            await board.roster.add(replace(TUNNEL, local=taken))
    (status,) = board.roster.statuses()
    assert (status.tunnel, status.state) == (moved, TunnelState.DOWN)


REMOTE = Tunnel("t", "gpu", TunnelKind.REMOTE, Address("127.0.0.1", 9000), Address("localhost", 8888))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried again by itself while a test lasts."""
    monkeypatch.setattr("jupytui.tunnels.remote.Backoff", lambda: Backoff(lambda _low, _high: 3600.0))
    monkeypatch.setattr("jupytui.tunnels.running.CHECK", 3600.0)


@pytest.mark.usefixtures("patient")
async def test_a_port_of_the_host_that_was_taken_says_when_it_is_tried_again_and_is_at_once(board: Board) -> None:
    board.prepare = lambda host: setattr(host, "lets_listen", False)
    await board.roster.add(REMOTE)
    status = await board.until(TunnelState.WAITING)
    assert status.next_try
    assert status.next_try > time.time() + 1000
    await board.roster.retry("t")
    await board.until_told(lambda: board.hosts[0].listens == 2 and board.known["t"].state is TunnelState.WAITING)
    board.hosts[0].lets_listen = True
    await board.roster.retry("t")
    status = await board.until(TunnelState.UP)
    assert status.local == REMOTE.local
    assert (status.next_try, board.hosts[0].listens, board.hosts[0].tries) == (None, 3, 1)


@pytest.mark.usefixtures("patient")
async def test_a_new_try_looks_whether_something_is_behind_by_now(board: Board) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        to = Address("127.0.0.1", free.getsockname()[1])
    port = (await board.roster.add(replace(TUNNEL, to=to))).local
    assert port
    await board.until(TunnelState.UP)
    _, writer = await asyncio.open_connection(port.host, port.port)
    await board.until(TunnelState.NO_SERVER)
    writer.close()
    await board.roster.retry("t")
    await board.until(TunnelState.CONNECTING)
    await board.until(TunnelState.NO_SERVER)
    with socket.create_server((to.host, to.port)):
        await board.roster.retry("t")
        await board.until(TunnelState.UP)


@pytest.mark.usefixtures("patient")
async def test_a_new_try_looks_which_server_is_behind_by_now(board: Board) -> None:
    said = [b"404 Not Found"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % said[0])
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    to = Address(*server.sockets[0].getsockname())
    await board.roster.add(replace(TUNNEL, to=to, behind=Behind()))
    await board.until(TunnelState.WRONG_SERVER)
    said[0] = b"403 Forbidden"  # a hub before it may say that
    await board.roster.retry("t")
    await board.until(TunnelState.UP)
    server.close()
