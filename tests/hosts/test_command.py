"""What a host promises, kept by this machine and by one behind a real sshd alike."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from jupytui.errors import CommandError, DeadlineError
from jupytui.hosts import files, script
from jupytui.hosts.base import Host
from tests.hosts.processes import a_nap, processes, running, until


async def test_a_script_gets_its_arguments_and_exactly_its_stdin(host: Host) -> None:
    args = ("a b", "c'd\\n\"e", "$(x)`y`", "é\n\n", "")
    done = await host.run('cat; printf "<%s>" "$@"; echo no >&2; exit 3', *args, stdin=b"\0\xff\n\\")
    assert done.stdout == b"\0\xff\n\\" + "".join(f"<{arg}>" for arg in args).encode()
    assert (done.status, done.stderr) == (3, b"no\n")


@pytest.mark.parametrize("size", [0, 1, 65537, 5_000_000])
async def test_any_amount_of_bytes_goes_in_and_comes_out_unchanged(host: Host, size: int) -> None:
    data = os.urandom(size)
    assert (await host.run("cat", stdin=data)).stdout == data


async def test_a_script_that_does_not_read_its_stdin_is_not_held_up_by_it(host: Host) -> None:
    assert (await host.run("echo ok", stdin=b"x" * 3_000_000)).stdout == b"ok\n"


async def test_what_a_script_left_running_does_not_hold_it_up(host: Host) -> None:
    nap = a_nap()
    assert (await host.run(f"{nap} & echo ok", deadline=5)).stdout == b"ok\n"
    assert not processes(nap)


async def test_a_cancelled_command_leaves_no_process_and_no_session_behind(host: Host) -> None:
    nap = a_nap()
    for _ in range(2):  # twelve in all: more than the ten sessions of an sshd's connection
        tasks = [asyncio.create_task(host.run(f"{nap} & {nap} | {nap}")) for _ in range(6)]
        await running(nap, 18)
        for task in tasks:
            task.cancel()
        assert all(
            isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*tasks, return_exceptions=True)
        )
        assert not processes(nap)
    assert (await host.run("echo on")).stdout == b"on\n"


async def test_a_command_past_its_deadline_is_ended_even_when_it_will_not_hear(host: Host) -> None:
    nap = a_nap()
    with pytest.raises(DeadlineError, match=r"longer than 0\.5 s"):
        await host.run(f"trap '' TERM HUP INT; {nap}; {nap}", deadline=0.5)
    assert not processes(nap)


async def test_a_command_may_clean_up_when_it_is_ended(host: Host, tmp_path: Path) -> None:
    done = tmp_path / "done"
    with pytest.raises(DeadlineError):
        await host.run(f"trap 'echo bye >{done}; exit' TERM; while :; do sleep 0.05; done", deadline=0.5)
    assert done.read_text() == "bye\n"


async def test_endless_output_is_bounded(host: Host) -> None:
    with pytest.raises(CommandError, match="more than 100000 bytes"):
        await host.run("exec yes $0", max_output=100_000)


async def test_a_stream_talks_both_ways_and_ends_with_its_context(host: Host) -> None:
    nap = a_nap()
    async with host.stream(f'while read -r line; do echo "<$line>"; done; echo "$1"; {nap}', "end") as process:
        await process.write(b"1\n")
        assert await process.read() == b"<1>\n"
        await process.write(b"2\n")
        assert await process.read() == b"<2>\n"
        await process.write_eof()
        assert await process.read() == b"end\n"
        assert processes(nap)
    assert not processes(nap)


async def test_a_stream_that_nobody_reads_is_held_back_and_loses_nothing(host: Host) -> None:
    async with host.stream("seq 1 2000000; echo end >&2") as process:
        first = await process.read(1)
        await asyncio.sleep(0.3)  # time to flood us, if it could
        assert process.stderr == b""
        data = first + b"".join([chunk async for chunk in _chunks(process.read)])
        assert await process.wait() == 0
    assert data.split() == [b"%d" % number for number in range(1, 2_000_001)]


async def _chunks(read: Callable[[], Awaitable[bytes]]) -> AsyncIterator[bytes]:
    while data := await read():
        yield data


async def test_a_file_is_written_whole_with_its_mode_whatever_the_umask(host: Host, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        for mode in (0o600, 0o640, 0o755, 0o400):
            path = tmp_path / f"file {mode:o}\n'"
            await host.write(str(path), b"\0data" * 300_000, mode)
            assert stat.S_IMODE(path.stat().st_mode) == mode
            assert await host.read(str(path)) == path.read_bytes() == b"\0data" * 300_000
    finally:
        os.umask(old)
    assert len(list(tmp_path.glob("*"))) - sum(p.is_dir() for p in tmp_path.iterdir()) == 4
    assert not list(tmp_path.glob(".jupytui-*"))


async def test_an_aborted_write_leaves_the_file_as_it_was_or_wholly_new(host: Host, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "file"
    path.write_bytes(b"old")
    new = b"new" * 5_000_000
    for delay in (0.0, 0.005, 0.01, 0.02, 0.04):
        task = asyncio.create_task(host.write(str(path), new))
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.wait([task])
        assert path.read_bytes() in {b"old", new}
        assert [entry.name for entry in folder.iterdir()] == ["file"]


async def test_a_write_that_is_cut_short_leaves_the_file_as_it_was(host: Host, tmp_path: Path) -> None:
    """As when the link is cut in the middle: the far side gets less than was announced, and then the end."""
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "file"
    path.write_bytes(b"old")
    args = files.write_args(str(path), 1000, 0o600)
    done = await host.run(files.WRITE, *args, stdin=b"x" * 999)
    assert done.status != 0
    assert path.read_bytes() == b"old"
    process = await host.spawn(script.COMMAND)  # type: ignore[attr-defined]
    await process.write(script.once(files.WRITE, args, b"x" * 1000, "nonce")[:-1])
    await until(lambda: len(list(folder.iterdir())) == 2)
    await process.write_eof()
    assert await process.wait() != 0
    await process.close()
    assert [(entry.name, entry.read_bytes()) for entry in folder.iterdir()] == [("file", b"old")]


async def test_a_planted_symlink_is_replaced_and_not_followed(host: Host, tmp_path: Path) -> None:
    victim, directory = tmp_path / "victim", tmp_path / "directory"
    victim.write_text("untouched")
    directory.mkdir()
    for target in (victim, directory, tmp_path / "nowhere"):
        link = tmp_path / "link"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        await host.write(str(link), b"mine")
        assert not link.is_symlink()
        assert link.read_bytes() == b"mine"
    assert victim.read_text() == "untouched"
    assert not list(directory.iterdir())


async def test_a_directory_is_never_written_over_or_into(host: Host, tmp_path: Path) -> None:
    directory = tmp_path / "directory"
    directory.mkdir()
    with pytest.raises(CommandError, match="Is a directory"):
        await host.write(str(directory), b"x")
    with pytest.raises(CommandError, match="not written"):
        await host.write(str(tmp_path / "missing" / "file"), b"x")
    assert not list(directory.iterdir())


async def test_a_file_that_cannot_be_read_says_why(host: Host, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 11)
    with pytest.raises(FileNotFoundError):
        await host.read(str(tmp_path / "no\nsuch"))
    with pytest.raises(FileNotFoundError):
        await host.read(str(tmp_path / "big" / "under"))
    with pytest.raises(CommandError, match="longer than 10 bytes"):
        await host.read(str(tmp_path / "big"), 10)
    with pytest.raises(CommandError, match="cannot be read"):
        await host.read(str(tmp_path))
    assert await host.read(str(tmp_path / "big"), 11) == b"x" * 11


async def test_the_resident_shell_keeps_what_was_defined_and_answers_in_turn(host: Host) -> None:
    shell = await host.shell()
    assert await host.shell() is shell
    await shell.ask(b"hello() { printf 'hello %s' \"$1\"; }  # said once")
    answers = await asyncio.gather(*(shell.ask(b"hello %d" % number) for number in range(50)))
    assert answers == [b"hello %d" % number for number in range(50)]
    assert await shell.ask(b"cat; echo 'end'") == b"end\n"
    big = await shell.ask(b"head -c 9000000 /dev/zero")
    assert len(big) == 9_000_000


async def test_an_answer_that_does_not_come_closes_the_shell_and_what_it_ran(host: Host) -> None:
    nap = a_nap()
    shell = await host.shell()
    with pytest.raises(DeadlineError):
        await shell.ask(nap.encode(), deadline=0.3)
    fresh = await host.shell()
    assert fresh is not shell
    assert await fresh.ask(b"echo fresh") == b"fresh\n"
    await running(nap, 0)


async def test_an_answer_without_end_is_bounded(host: Host) -> None:
    shell = await host.shell()
    with pytest.raises(CommandError, match="more than"):
        await shell.ask(b"yes", deadline=60)


async def test_closing_leaves_no_shell_behind(host: Host) -> None:
    pid = int(await (await host.shell()).ask(b"echo $$"))
    await host.close()
    status = Path(f"/proc/{pid}/status")
    await until(lambda: not status.exists() or "State:\tZ" in status.read_text())


async def test_connections_open_on_the_far_side(host: Host, tmp_path: Path) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        writer.close()

    path = str(tmp_path / "sock")
    unix = await asyncio.start_unix_server(echo, path)
    tcp = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = tcp.sockets[0].getsockname()[1]
    async with unix, tcp:
        for stream in (await host.open_unix(path), await host.open_tcp("127.0.0.1", port)):
            await stream.write(b"x" * 3_000_000)
            await stream.write_eof()
            data = b"".join([chunk async for chunk in _chunks(stream.read)])
            assert data == b"x" * 3_000_000
            await stream.close()
            await stream.close()
            with pytest.raises(OSError, match=r".*"):
                await stream.write(b"late")
    with pytest.raises(ConnectionRefusedError):
        await host.open_tcp("127.0.0.1", port)
    with pytest.raises(OSError, match=r".*"):
        await host.open_unix(str(tmp_path / "none"))
