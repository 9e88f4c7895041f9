"""What the keeper is made of, part by part."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupytui.hosts.base import Nobody
from jupytui.tunnels.keeper import protocol
from jupytui.tunnels.keeper.listed import ListedHosts
from jupytui.tunnels.keeper.log import KEPT, MAX_BYTES, log, log_mistake, open_log
from jupytui.tunnels.keeper.memory import recall, save
from jupytui.tunnels.keeper.place import Place
from jupytui.tunnels.keeper.protocol import Remembered
from jupytui.tunnels.keeper.roster import Roster
from jupytui.tunnels.keeper.server import Keeper
from jupytui.tunnels.models import Address, Status, Tunnel, TunnelState
from jupytui.tunnels.switchboard import Switchboard
from tests.tunnels.keeper.conftest import says_back, tunnel


@pytest.fixture
def open_file(home: Path) -> Iterator[Path]:
    path = home / "keeper.log"
    open_log(path)
    yield path
    for handler in tuple(log.handlers):
        log.removeHandler(handler)
        handler.close()
    logging.raiseExceptions = True


def test_the_log_is_bounded_private_and_one_line_per_thing(home: Path, open_file: Path) -> None:
    log.info("add %s", "evil\x1b]52;c;x\x07\nname")
    assert open_file.read_text().count("\n") == 1 and "\x1b" not in open_file.read_text()
    for _ in range(3 * MAX_BYTES // 1000 * 2):
        log.info("x" * 1000)
    files = list(home.glob("keeper.log*"))
    assert len(files) == KEPT + 1 and sum(file.stat().st_size for file in files) <= (KEPT + 1) * MAX_BYTES
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_mistake_is_logged_without_what_it_says(open_file: Path) -> None:
    with pytest.raises(ValueError, match="swordfish") as raised:
        int("swordfish")
    log_mistake(raised.value)
    written = open_file.read_text()
    assert "ValueError" in written and "test_parts.py" in written and "literal" not in written


def test_a_look_imports_nothing_heavy() -> None:
    code = "import jupytui.tunnels.keeper.peek, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"textual", "rich", "asyncssh", "cryptography", "pyngrok"}


def test_what_is_saved_is_what_is_recalled(place: Place) -> None:
    place.state.mkdir(parents=True)
    whole = Tunnel("s", "h", local=Address(path="/run/x.sock"), to=Address("::1", 8888))
    tunnels = (Remembered(whole, True, "/run/x.sock"), Remembered(tunnel(Address("a", 1)), False))
    save(place.memory, tunnels)
    assert recall(place.memory) == tunnels
    assert [path.name for path in place.state.iterdir()] == [place.memory.name]


async def test_a_tunnel_whose_port_was_taken_meanwhile_says_so_and_comes_up_when_it_is_free(
    place: Place, echo: Address
) -> None:
    saved: list[Remembered] = []
    told: list[tuple[str, Status | None]] = []

    def changed(name: str, status: Status | None) -> None:
        told.append((name, status))

    board = Switchboard(ListedHosts(place.hosts).open, Nobody(), lambda status: changed(status.tunnel.name, status))
    roster = Roster(board, changed, lambda tunnels: saved.__setitem__(slice(None), tunnels))
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        fixed = Tunnel("t", "local", local=Address("127.0.0.1", port), to=echo)
        await roster.restore([Remembered(fixed, True)], {})
        (status,) = roster.statuses()
        assert status.state is TunnelState.FAILED and status.error and "taken" in status.error.message
        assert roster.wanted and saved[0].up
    await roster.retry("t")
    assert await says_back(Address("127.0.0.1", port))
    await roster.down("t")
    assert not roster.wanted and not saved[0].up
    await roster.remove("t")
    assert not roster.statuses() and not saved and told[-1] == ("t", None)
    await board.close()


async def test_a_newer_keeper_that_dies_during_the_hand_over_leaves_the_older_one_in_charge(
    place: Place, keeper: Keeper, echo: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupytui.tunnels.keeper.handover.PATIENCE", 0.5)
    status = await keeper.roster.add(tunnel(echo))
    reader, writer = await asyncio.open_unix_connection(str(place.socket))
    writer.write(protocol.encode(protocol.hello()) + protocol.encode(protocol.Handover(1)))
    async with asyncio.timeout(30):
        while not isinstance(protocol.read_reply(await reader.readline()), protocol.Handed):
            assert not reader.at_eof()
        writer.close()
        while keeper.handed:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
    assert await says_back(status.local)
    await keeper.roster.down("t")
    assert [one.up for one in recall(place.memory)] == [False]
    assert place.socket.is_socket()


async def _newer_keeper(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for everything, as a newer keeper does."""
    reader, writer = await asyncio.open_unix_connection(str(place.socket))
    writer.write(protocol.encode(protocol.hello()) + protocol.encode(protocol.Handover(1)))
    return reader, writer


async def _answer(reader: asyncio.StreamReader) -> protocol.Reply:
    """What is said about the hand-over in the end."""
    async with asyncio.timeout(30):
        while line := await reader.readline():
            reply = protocol.read_reply(line)
            if isinstance(reply, protocol.Handed | protocol.Failed):
                return reply
    raise AssertionError("nothing was said")


async def test_of_two_newer_keepers_at_once_one_takes_over(place: Place, keeper: Keeper, echo: Address) -> None:
    await keeper.roster.add(tunnel(echo))
    first_reader, first = await _newer_keeper(place)
    assert isinstance(await _answer(first_reader), protocol.Handed)
    second_reader, second = await _newer_keeper(place)
    refused = await _answer(second_reader)
    assert isinstance(refused, protocol.Failed)
    assert refused.message == "Another keeper is taking over."
    second.write(protocol.encode(protocol.Taken()) + protocol.encode(protocol.List(2)))
    async with asyncio.timeout(30):
        while not isinstance(protocol.read_reply(await second_reader.readline()), protocol.Statuses):
            assert not second_reader.at_eof()
    assert not first_reader.at_eof(), "only who has everything can say that it does"
    first.write(protocol.encode(protocol.Taken()))
    async with asyncio.timeout(30):
        await first_reader.read()
    for writer in (first, second):
        writer.close()
    await keeper.roster.board.close()


async def test_after_a_newer_keeper_that_died_another_can_take_over(
    place: Place, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupytui.tunnels.keeper.handover.PATIENCE", 0.2)
    late_reader, late = await _newer_keeper(place)
    assert isinstance(await _answer(late_reader), protocol.Handed)
    async with asyncio.timeout(30):
        while keeper.handed:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)
    monkeypatch.setattr("jupytui.tunnels.keeper.handover.PATIENCE", 30.0)
    reader, writer = await _newer_keeper(place)
    assert isinstance(await _answer(reader), protocol.Handed)
    late.write(protocol.encode(protocol.Taken()) + protocol.encode(protocol.List(2)))
    async with asyncio.timeout(30):
        while not isinstance(protocol.read_reply(await late_reader.readline()), protocol.Statuses):
            assert not late_reader.at_eof()
    assert keeper.handed and not reader.at_eof()
    writer.write(protocol.encode(protocol.Taken()))
    async with asyncio.timeout(30):
        await reader.read()
    for one in (late, writer):
        one.close()
