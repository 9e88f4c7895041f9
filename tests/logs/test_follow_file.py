"""Real files, followed by the real script on this machine, in every shell and toolbox there is."""

from __future__ import annotations

import asyncio
import logging.handlers
import os
import shlex
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from jupytui.errors import CommandError
from jupytui.hosts.base import Process
from jupytui.hosts.local import LocalHost
from jupytui.logs.reader import LogReader
from jupytui.logs.source import LogFile, Unreadable
from tests.logs.following import Following, following


class ShellHost(LocalHost):
    """This machine, where scripts run in another shell and with other tools."""

    def __init__(self, shell: str, path: str | None = None) -> None:
        super().__init__()
        self._run_by, self._path = shell, path

    @asynccontextmanager
    async def stream(self, source: str, *args: str) -> AsyncIterator[Process]:
        tools = f"PATH={shlex.quote(self._path)}:$PATH; export PATH; " if self._path else ""
        async with super().stream(f'{tools}exec {self._run_by} -c "$@"', source, "sh", *args) as process:
            yield process


SHELLS = [
    shell for shell in ("dash", "bash --posix", "busybox sh", "zsh --emulate sh") if shutil.which(shell.split()[0])
]


@pytest.fixture(params=SHELLS)
async def host(request: pytest.FixtureRequest, home: Path) -> AsyncIterator[LocalHost]:
    opened = ShellHost(request.param)
    yield opened
    await opened.close()


@pytest.fixture
async def here(home: Path) -> AsyncIterator[LocalHost]:
    opened = LocalHost()
    yield opened
    await opened.close()


@pytest.fixture
def log(home: Path) -> Path:
    return home / "it's a $log.txt"


def reader(host: LocalHost, log: Path, history: int = 1000) -> LogReader:
    return LogReader(host, LogFile(str(log)), history=history)


def append(log: Path, data: bytes) -> None:
    with log.open("ab") as file:
        file.write(data)


async def test_history_then_what_is_written(host: LocalHost, log: Path) -> None:
    append(log, b"".join(b"line %d\n" % number for number in range(5000)))
    async with following(reader(host, log, history=3)) as seen:
        await seen.has(b"line 4999\n")
        append(log, b"more\npart of a line")
        await seen.has(b"part of a line")
        append(log, b", and its end\n")
        await seen.has(b"end\n")
    assert seen.data == b"line 4997\nline 4998\nline 4999\nmore\npart of a line, and its end\n"
    assert not seen.markers


async def test_no_history_or_more_than_there_is(here: LocalHost, log: Path) -> None:
    append(log, b"one\n")
    none, much = Following(), Following()
    await none.read(reader(here, log, history=0), live=False)
    await much.read(reader(here, log, history=9), live=False)
    assert (none.data, much.data) == (b"", b"one\n")


async def test_up_to_the_end_as_it_is(here: LocalHost, log: Path) -> None:
    append(log, b"one\ntwo\nthree")
    seen = Following()
    await seen.read(reader(here, log, history=2), live=False)
    assert seen.data == b"two\nthree"


async def test_a_file_that_is_not_there_yet(here: LocalHost, log: Path) -> None:
    async with following(reader(here, log)) as seen:
        await seen.until(lambda: bool(seen.markers))
        append(log, b"first\n")
        await seen.has(b"first\n")
    assert "is not there yet" in seen.markers[0]


async def test_rotation_by_rename_loses_nothing_not_even_late_lines(host: LocalHost, log: Path) -> None:
    append(log, b"one\n")
    async with following(reader(host, log)) as seen:
        await seen.has(b"one\n")
        log.rename(f"{log}.1")
        log.touch()
        append(Path(f"{log}.1"), b"late, by a writer that had it open\n")
        await seen.has(b"it open\n")
        append(log, b"two\n")
        await seen.has(b"two\n")
    assert seen.markers == ["the log was rotated: here the new file begins"]


async def test_a_writer_that_rotates_as_fast_as_it_can_loses_nothing(here: LocalHost, log: Path) -> None:
    handler = logging.handlers.RotatingFileHandler(log, maxBytes=20_000, backupCount=100)
    handler.emit(logging.makeLogRecord({"msg": "0"}))
    async with following(reader(here, log)) as seen:
        await seen.has(b"0\n")
        for number in range(1, 10_000):
            handler.emit(logging.makeLogRecord({"msg": number}))
            if number % 500 == 0:
                await asyncio.sleep(0)
        await seen.has(b"9999\n")
    handler.close()
    assert seen.data.split() == [b"%d" % number for number in range(10_000)]
    assert "the log was rotated: here the new file begins" in seen.markers


ROTATING_LS = """\
#!/bin/sh
# A listing that a rotation overtakes: its names were made before, its files are looked at afterwards.
log=$3
if [ -e "$log.1" ] && ! [ -e "$log.2" ]; then mv "$log.1" "$log.2"; mv "$log" "$log.1"; echo three >"$log"; fi
exec /bin/ls "$@"
"""


async def test_a_file_that_is_renamed_while_its_successor_is_looked_for_is_not_passed_over(
    home: Path, log: Path
) -> None:
    tools = home / "tools"
    tools.mkdir()
    (tools / "ls").write_text(ROTATING_LS)
    (tools / "ls").chmod(0o755)
    append(log, b"one\n")
    async with following(reader(ShellHost("sh", str(tools)), log)) as seen:
        await seen.has(b"one\n")
        log.rename(f"{log}.1")
        append(log, b"two\n")
        await seen.has(b"three\n")
    assert seen.data == b"one\ntwo\nthree\n"


async def test_truncation_is_seen_and_said(host: LocalHost, log: Path) -> None:
    append(log, b"one\n" * 100)
    async with following(reader(host, log)) as seen:
        await seen.has(b"one\n")
        log.write_bytes(b"two\n")
        await seen.has(b"two\n")
    assert seen.data == b"one\n" * 100 + b"two\n"
    assert seen.markers == ["the log was emptied: here it begins anew"]


async def test_truncation_is_seen_when_more_than_before_is_there_at_once(here: LocalHost, log: Path) -> None:
    append(log, b"one\n" * 10)
    async with following(reader(here, log)) as seen:
        await seen.has(b"one\n")
        log.write_bytes(b"two\n" * 100)
        await seen.until(lambda: seen.data.count(b"two\n") == 100)
    assert seen.data == b"one\n" * 10 + b"two\n" * 100


async def test_a_file_deleted_and_made_anew(here: LocalHost, log: Path) -> None:
    append(log, b"one\n")
    async with following(reader(here, log)) as seen:
        await seen.has(b"one\n")
        log.unlink()
        append(log, b"two, and longer than one\n")
        await seen.has(b"than one\n")
    assert seen.data == b"one\ntwo, and longer than one\n"


async def test_reading_goes_on_in_the_middle_of_a_line(here: LocalHost, log: Path) -> None:
    one, seen = reader(here, log), Following()
    for number in range(5):
        append(log, b"%d and " % number)
        async with following(one, seen):
            await seen.has(b"%d and " % number)
    assert seen.data == b"0 and 1 and 2 and 3 and 4 and "


async def test_what_was_rotated_while_nobody_looked_is_found_again(host: LocalHost, log: Path) -> None:
    append(log, b"one\n")
    one, seen = reader(host, log), Following()
    async with following(one, seen):
        await seen.has(b"one\n")
    append(log, b"two\n")
    for number, text in ((2, b"three\n"), (1, b"four\n")):
        log.rename(f"{log}.{number}")
        append(log, text)
        os.utime(f"{log}.{number}", ns=(0, 10**18 - number * 10**9))
    async with following(one, seen):
        await seen.has(b"four\n")
    assert seen.data == b"one\ntwo\nthree\nfour\n"


@pytest.mark.parametrize("longer", [b"x" * 100 + b"\n", b"z\n"])
async def test_a_file_replaced_while_nobody_looked_is_read_from_its_start(
    here: LocalHost, log: Path, longer: bytes
) -> None:
    append(log, b"one\n")
    one, seen = reader(here, log), Following()
    async with following(one, seen):
        await seen.has(b"one\n")
    log.unlink()
    append(log, longer)
    async with following(one, seen):
        await seen.has(longer)
    assert seen.data == b"one\n" + longer
    assert len(seen.markers) == 1


async def test_a_lead_too_great_is_skipped_and_counted(host: LocalHost, log: Path) -> None:
    append(log, b"first\n")
    one = LogReader(host, LogFile(str(log)), backlog=2**20)
    seen = Following()
    async with following(one, seen):
        await seen.has(b"first\n")
    append(log, b"".join(b"line %06d\n" % number for number in range(500_000)))
    async with following(one, seen):
        await seen.has(b"line 499999\n")
    (marker,) = seen.markers
    skipped = int(marker.split()[1].replace(",", ""))
    lines = seen.data.splitlines()[1:]
    assert lines == [b"line %06d" % number for number in range(skipped, 500_000)]
    assert 2**18 < len(seen.data) < 2**20


async def test_nul_bytes_and_lines_without_end_come_through(here: LocalHost, log: Path) -> None:
    odd = bytes(range(256)) * 1000 + b"\0" * 100_000
    append(log, b"\n")
    async with following(reader(here, log)) as seen:
        await seen.has(b"\n")
        append(log, odd)
        await seen.until(lambda: len(seen.data) == 1 + len(odd))
    assert seen.data == b"\n" + odd


async def test_a_directory_and_a_log_nowhere_are_refused_in_words(here: LocalHost, home: Path) -> None:
    with pytest.raises(CommandError, match="is a directory"):
        await Following().read(LogReader(here, LogFile(str(home))))
    with pytest.raises(CommandError, match="goes to a terminal"):
        LogReader(here, Unreadable("It goes to a terminal."))


async def test_busyboxs_tools_do_as_well(home: Path, log: Path) -> None:
    if not shutil.which("busybox"):
        pytest.skip("needs busybox")
    tools = home / "tools"
    tools.mkdir()
    for tool in ("stat", "dd", "tail", "wc", "ls", "sleep"):
        (tools / tool).symlink_to(str(shutil.which("busybox")))
    host = ShellHost("busybox sh", str(tools))
    append(log, b"zero\none\n")
    async with following(reader(host, log, history=1)) as seen:
        await seen.has(b"one\n")
        append(log, b"two\n" * 100_000)
        await seen.until(lambda: len(seen.data) == 400_004)
        log.rename(f"{log}.1")
        append(log, b"three\n")
        await seen.has(b"three\n")
    await host.close()
    assert seen.data == b"one\n" + b"two\n" * 100_000 + b"three\n"
