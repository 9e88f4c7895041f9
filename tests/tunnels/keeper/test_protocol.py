"""Whatever a front end says or does not read, the keeper and the other front ends go on."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.config.paths import Paths
from jupytui.errors import JupytuiError, UsageError
from jupytui.hosts.base import SecretKind, SecretPrompt
from jupytui.secret import Secret
from jupytui.tunnels.keeper import protocol
from jupytui.tunnels.keeper.client import connect
from jupytui.tunnels.keeper.outbox import MOST_CHANGES, Outbox
from jupytui.tunnels.keeper.place import Place
from jupytui.tunnels.keeper.server import Keeper
from jupytui.tunnels.models import Address, Status, TunnelState
from tests.tunnels.keeper.conftest import tunnel, until

HELLO = protocol.encode(protocol.hello())
SOMEWHERE = Address("127.0.0.1", 9)


async def _say(place: Place, *lines: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(str(place.socket))
    writer.write(b"".join(lines))
    return reader, writer


@pytest.mark.parametrize(
    "line",
    [
        b"garbage\n",
        b"\n",
        b"\xff\xfe\x00\n",
        b"[]\n",
        b"[" * 60_000 + b"\n",
        b'{"type":"dance","id":1}\n',
        b'{"type":"add","id":1,"tunnel":{"name":7}}\n',
        b'{"type":"up","id":"one","name":"x"}\n',
    ],
)
async def test_what_it_does_not_understand_is_answered_and_ends_nothing(
    place: Place, keeper: Keeper, line: bytes
) -> None:
    reader, writer = await _say(place, HELLO, line, protocol.encode(protocol.List(7)))
    assert isinstance(protocol.read_reply(await reader.readline()), protocol.Welcome)
    failed = protocol.read_reply(await reader.readline())
    assert isinstance(failed, protocol.Failed) and "does not understand" in failed.message
    assert protocol.read_reply(await reader.readline()) == protocol.Statuses(7, ())
    writer.close()


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n\r\n", protocol.encode(protocol.List(1)), b"x" * 100_000])
async def test_who_does_not_begin_with_hello_is_told_so_and_left(place: Place, keeper: Keeper, first: bytes) -> None:
    reader, writer = await _say(place, first)
    failed = protocol.read_reply(await reader.readline())
    assert isinstance(failed, protocol.Failed)
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    reader, writer = await _say(place, HELLO)
    assert isinstance(protocol.read_reply(await reader.readline()), protocol.Welcome)
    writer.close()


async def test_a_request_that_never_ends_costs_no_memory(place: Place, keeper: Keeper) -> None:
    _, writer = await _say(place, HELLO)
    sent = 0
    with pytest.raises(ConnectionError):
        while sent < 2**26:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536
    assert sent < 2**21
    writer.close()


async def test_a_front_end_that_does_not_read_is_dropped_and_holds_nobody_up(
    place: Place, keeper: Keeper, paths: Paths, echo: Address
) -> None:
    with socket.socket(socket.AF_UNIX) as stalled:
        stalled.connect(str(place.socket))
        stalled.sendall(HELLO + protocol.encode(protocol.Watch(0)))
        async with connect(paths) as client:
            await client.add(tunnel(echo))
            for _ in range(3000):
                await client.retry("t")
            assert client.statuses()[0].reconnects == 3000
            owed = [len(s._outbox._replies) + len(s._outbox._changes) for s in keeper._sessions]
            assert max(owed) <= 2, owed
            # Requests whose answers are never read are no way to memory either.
            stalled.setblocking(False)
            listing, gone = protocol.encode(protocol.List(1)) * 64, False
            for _ in range(2000):
                try:
                    stalled.send(listing)
                except BlockingIOError:
                    await asyncio.sleep(0)
                except OSError:
                    gone = True
                    break
            assert gone
            await client.retry("t")
            assert client.statuses()[0].reconnects == 3001


def test_of_one_tunnel_only_the_last_change_waits_and_of_too_many_none() -> None:
    outbox = Outbox()
    for number in range(MOST_CHANGES):
        outbox.change("t", Status(tunnel(SOMEWHERE), TunnelState.UP, number))
    assert not outbox.full
    for number in range(MOST_CHANGES):
        outbox.change(f"t{number}", None)
    assert outbox.full


async def test_an_old_change_never_follows_a_newer_list() -> None:
    outbox = Outbox()
    outbox.change("t", Status(tunnel(SOMEWHERE), TunnelState.UP, 1))
    outbox.forget_changes()
    outbox.put(protocol.Statuses(1, ()))
    assert [protocol.read_reply(line) for line in (await outbox.take()).splitlines()] == [protocol.Statuses(1, ())]


async def test_refusals_keep_their_kind_and_words(paths: Paths, keeper: Keeper) -> None:
    async with connect(paths) as client:
        with pytest.raises(UsageError, match="no tunnel 'x'") as raised:
            await client.up("x")
        assert raised.value.hint
        with pytest.raises(UsageError, match="no host 'nowhere'"):
            await client.add(tunnel(SOMEWHERE, host="nowhere"))
        await client.add(tunnel(SOMEWHERE))
        assert (await client.add(tunnel(SOMEWHERE))).state is TunnelState.UP
        with pytest.raises(UsageError, match="another tunnel 't'"):
            await client.add(tunnel(Address("127.0.0.1", 10)))
        with socket.create_server(("127.0.0.1", 0)) as squatter:
            port = squatter.getsockname()[1]
            with pytest.raises(JupytuiError, match="is taken"):
                await client.add(replace(tunnel(SOMEWHERE, "u"), local=Address("127.0.0.1", port)))
        await until(client, lambda known: known.keys() == {"t"})


@given(st.binary(max_size=200))
def test_no_line_at_all_is_more_than_a_refusal(line: bytes) -> None:
    try:
        protocol.read_request(line)
    except UsageError as error:
        assert "understand" in str(error)
    protocol.read_reply(line)


def test_every_message_comes_out_as_it_went_in_and_a_secret_shows_nowhere() -> None:
    answer = protocol.Answer(3, secret=Secret("swordfish"))
    assert protocol.read_request(protocol.encode(answer)) == answer
    assert "swordfish" not in repr(answer) + str(answer)
    with pytest.raises(UsageError) as raised:
        protocol.read_request(b'{"type":"answer","question":"swordfish"}')
    assert "swordfish" not in repr(raised.value) and raised.value.__cause__ is None
    asked = protocol.Asked(1, secret=SecretPrompt("h", SecretKind.CODE, "Code", again=True))
    assert protocol.read_reply(protocol.encode(asked)) == asked
    assert protocol.read_reply(b'{"type":"from the future"}') is None


def test_versions_are_compared_as_numbers() -> None:
    assert protocol.is_newer("0.10.0", "0.9.1")
    assert not protocol.is_newer("0.9.1", "0.9.1")
    assert not protocol.is_newer("", "0.1")
