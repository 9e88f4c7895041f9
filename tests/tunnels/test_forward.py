"""A tunnel carries what is given to it, whole, both ways, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from pathlib import Path

import pytest

from jupytui.errors import JupytuiError
from jupytui.tunnels.models import Address, Tunnel, TunnelKind, TunnelState
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.tunnels.conftest import PORT, SOCKET, Board, board_of, get, server_on, talk, until

TO = Address("127.0.0.1", PORT)
MANY = 1000
RESET = struct.pack("ii", 1, 0)


async def test_bytes_come_back_whole_and_are_counted(board: Board, host: LabHost) -> None:
    port = await board.tunnel(host.name)
    said = os.urandom(3_000_000)
    assert await talk(port, said) == said + b"<3000000>"
    await board.until(lambda: board.status().open_connections == 0)
    status = board.status()
    assert (status.connections, status.bytes_out, status.bytes_in) == (1, 3_000_000, 3_000_009)


async def test_new_keys_in_the_middle_lose_no_byte(fresh_host: LabHost, board: Board) -> None:
    fresh_host.exec("sed -i '1i RekeyLimit 1M' /etc/ssh/sshd_config; systemctl restart ssh; sshd -T | grep rekeylimit")
    with server_on(fresh_host):
        port = await board.tunnel(fresh_host.name)
        said = os.urandom(20_000_000)
        for answer in await asyncio.gather(talk(port, said), talk(port, said)):
            assert answer == said + b"<20000000>"
    assert board.status().reconnects == 0


async def test_an_end_from_the_client_lets_the_server_go_on(board: Board, host: LabHost) -> None:
    port = await board.tunnel(host.name)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"a")
    assert await reader.read(1) == b"a"
    writer.write_eof()
    assert await reader.read(-1) == b"<1>"
    writer.close()
    await board.until(lambda: board.status().open_connections == 0)


async def test_a_client_that_does_not_read_stops_the_server_and_nobody_else(board: Board, host: LabHost) -> None:
    port = await board.tunnel(host.name)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    block = bytes(2**20)
    written = 0
    with pytest.raises(TimeoutError):
        while written < 500:
            writer.write(block)
            async with asyncio.timeout(1):
                await writer.drain()
            written += 1
    assert written < 200  # MiB: windows, buffers of four sockets, and no more
    assert await talk(port) == b"hello<5>"
    writer.transport.abort()
    del reader
    await board.until(lambda: board.status().open_connections == 0)


async def test_a_reset_by_the_client_reaches_the_server(board: Board, host: LabHost) -> None:
    port = await board.tunnel(host.name)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"x")
    await reader.read(1)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
    await board.until(lambda: board.status().open_connections == 0)
    await nothing_open(host)


async def nothing_open(host: LabHost) -> None:
    await until(lambda: not host.exec(f"ss -Htn state established sport = :{PORT}").stdout)


async def test_aborted_clients_leave_no_channel_and_no_descriptor(board: Board, host: LabHost) -> None:
    port = await board.tunnel(host.name)
    await talk(port)
    before = len(list(Path("/proc/self/fd").iterdir()))
    await asyncio.to_thread(abort, port)
    assert await talk(port) == b"hello<5>"
    await board.until(lambda: board.status().open_connections == 0)
    await until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before)
    await nothing_open(host)


def abort(port: int) -> None:
    for number in range(MANY):
        with socket.create_connection(("127.0.0.1", port)) as client:
            if number % 2:
                client.sendall(b"x")
            if number % 4 == 3:
                client.recv(1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


async def test_unix_sockets_on_both_sides(board: Board, host: LabHost, home: Path) -> None:
    path = home / "run" / "t.sock"
    await board.add(Tunnel("t", host.name, local=Address(path=str(path)), to=Address(path=SOCKET)))
    await board.until_state(TunnelState.UP)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (await get(path)).endswith(b"hello from fw1")
    await board.down("t")
    assert not path.exists()


async def test_a_third_machine_behind_the_host(board: Board, lab: Lab, host: LabHost) -> None:
    with server_on(lab.host("fw2")) as third:
        port = await board.tunnel(host.name, to=Address(third.address, PORT))
        assert (await get(port)).endswith(b"hello from fw2")


async def test_a_server_here_is_seen_on_the_host(board: Board, host: LabHost) -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello " + await reader.read(100))
        writer.close()

    server = await asyncio.start_server(hello, "127.0.0.1", 0)
    to = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    await board.add(Tunnel("port", host.name, TunnelKind.REMOTE, Address("localhost", 0), to))
    await board.add(Tunnel("path", host.name, TunnelKind.REMOTE, Address(path="/home/alice/seen.sock"), to))
    port = (await board.until_state(TunnelState.UP, "port")).local
    await board.until_state(TunnelState.UP, "path")
    assert port
    say = "python3 -c 'import socket,sys; s=socket.socket({}); s.connect({}); s.send(b\"you\"); print(s.recv(99))'"
    by_port = say.format("socket.AF_INET", f'("127.0.0.1",{port.port})')
    by_path = say.format("socket.AF_UNIX", '"/home/alice/seen.sock"')
    for script in (by_port, by_path):
        done = await asyncio.to_thread(host.exec, script)
        assert done.stdout == "b'hello you'\n"
    await board.until(lambda: board.status("port").bytes_out == 3 and board.status("port").bytes_in == 9)
    await board.remove("path")
    assert "seen.sock" not in host.exec("ls /home/alice").stdout
    server.close()


async def test_socks_by_name(board: Board, host: LabHost) -> None:
    await board.add(Tunnel("t", host.name, TunnelKind.SOCKS))
    await board.until_state(TunnelState.UP)
    reader, writer = await asyncio.open_connection("127.0.0.1", board.port())
    writer.write(b"\5\1\0" + b"\5\1\0\3\x09localhost" + PORT.to_bytes(2, "big"))
    assert await reader.readexactly(12) == b"\5\0" + b"\5\0\0\1" + bytes(6)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert (await reader.read(-1)).endswith(b"hello from fw1")
    writer.close()


async def test_socks_says_when_nothing_listens_there(board: Board, host: LabHost) -> None:
    await board.add(Tunnel("t", host.name, TunnelKind.SOCKS))
    reader, writer = await asyncio.open_connection("127.0.0.1", board.port())
    writer.write(b"\5\1\0" + b"\5\1\0\1\x7f\0\0\1" + (9).to_bytes(2, "big"))
    assert await reader.read(-1) == b"\5\0" + b"\5\5\0\1" + bytes(6)
    writer.close()


async def test_a_port_that_is_taken_is_refused_with_the_name_of_its_holder(board: Board, host: LabHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(JupytuiError, match=rf"Port {port} .* is taken by .*{os.getpid()}"):
            await board.add(Tunnel("t", host.name, local=Address("localhost", port), to=TO))
    assert not board.statuses()


async def test_a_socket_of_an_earlier_keeper_is_taken_over(board: Board, host: LabHost) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    early = asyncio.create_task(talk(listening.getsockname()[1]))
    await board.add(Tunnel("t", host.name, to=TO), listening)
    assert await early == b"hello<5>"
    assert board.listeners() == {"t": listening}


async def test_nothing_behind_is_noticed_and_so_is_its_return(board: Board, host: LabHost, lab: Lab) -> None:
    port = await board.tunnel(host.name, to=Address("127.0.0.1", PORT + 1))
    with pytest.raises(ConnectionResetError):
        await talk(port)
    status = await board.until_state(TunnelState.NO_SERVER)
    assert status.error
    with host.spawn(f"exec python3 -u -m http.server --bind 127.0.0.1 {PORT + 1} 2>&1") as process:
        assert process.stdout
        process.stdout.readline()
        while not await got(port):
            await board.until(lambda: board.status().open_connections == 0)
        process.kill()
    await board.until_state(TunnelState.UP)


async def got(port: int) -> bool:
    try:
        return bool(await get(port))
    except ConnectionResetError:
        return False


async def test_fifty_tunnels_through_one_bastion_all_come_up(lab: Lab, host: LabHost, home: Path) -> None:
    inner = lab.host("fw2")
    names = [f"inner{number}" for number in range(50)]
    config = home / "config"
    jump = f"  ProxyJump {host.name}\n"
    config.write_text(lab.ssh_config.read_text() + "".join(lab.ssh_host(n, inner.address) + jump for n in names))
    with server_on(inner):
        async with board_of(config) as board:
            for name in names:
                await board.add(Tunnel(name, name, to=TO))
            for name in names:
                await board.until_state(TunnelState.UP, name, 60)
            answers = await asyncio.gather(*(get(board.port(name)) for name in names))
            assert all(answer.endswith(b"hello from fw2") for answer in answers)
            assert not any(status.error or status.reconnects for status in board.statuses())
            assert host.ssh_connections() == 1
