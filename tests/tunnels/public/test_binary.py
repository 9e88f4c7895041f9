from __future__ import annotations

import asyncio
import io
import os
import tarfile
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from jupytui.tunnels.public.binary import Offer, fetch_binary, find_binary, make_offer
from jupytui.tunnels.public.codes import NgrokError

SCRIPT = b"#!/bin/sh\necho ngrok version 3.0.0\n"


def packed() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        entry = tarfile.TarInfo("ngrok")
        entry.size = len(SCRIPT) + 500_000
        archive.addfile(entry, io.BytesIO(SCRIPT + os.urandom(500_000)))
    return data.getvalue()


@pytest.fixture
async def download() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The address of an archive, and an event: until it is set, only its first half comes."""
    archive, go_on = packed(), asyncio.Event()

    async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            status = b"404 Not Found" if b"/gone" in head else b"200 OK"
            writer.write(b"HTTP/1.0 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(archive)))
            writer.write(archive[: len(archive) // 2])
            await go_on.wait()
            writer.write(archive[len(archive) // 2 :])
            await writer.drain()

    async with await asyncio.start_server(asked, "127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ngrok.tgz", go_on
        go_on.set()


def test_the_one_on_the_path_comes_before_the_one_that_was_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    assert find_binary(tmp_path) is None
    for directory in ("bin", "path"):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "ngrok").touch(0o700)
        assert find_binary(tmp_path) == tmp_path / directory / "ngrok"


async def test_the_offer_names_source_and_place_also_where_the_size_cannot_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    offer = await make_offer(tmp_path)
    assert offer.url.startswith("https://bin.ngrok.com/")
    assert offer.path == tmp_path / "bin" / "ngrok"
    assert offer.size is None
    assert not list(tmp_path.iterdir())


async def test_it_is_fetched_with_progress_from_where_the_user_was_told(
    tmp_path: Path, download: tuple[str, asyncio.Event], capfd: pytest.CaptureFixture[str]
) -> None:
    url, go_on = download
    told: list[int] = []

    def progress(percent: int) -> None:
        told.append(percent)
        if percent >= 40:
            go_on.set()

    path = await fetch_binary(Offer(url, None, tmp_path / "deep" / "bin" / "ngrok"), progress)
    assert path.read_bytes().startswith(SCRIPT)
    assert path.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["ngrok"]
    assert told == sorted(told)
    assert told[-1] == 100
    assert capfd.readouterr() == ("", "")


async def test_a_failed_fetch_says_where_it_came_from_and_leaves_nothing(
    tmp_path: Path, download: tuple[str, asyncio.Event]
) -> None:
    url = download[0].replace("/ngrok", "/gone")
    with pytest.raises(NgrokError) as raised:
        await fetch_binary(Offer(url, None, tmp_path / "bin" / "ngrok"))
    assert url in raised.value.hint
    assert "404" in raised.value.detail
    assert not list((tmp_path / "bin").iterdir())


async def test_a_cancelled_fetch_leaves_nothing(tmp_path: Path, download: tuple[str, asyncio.Event]) -> None:
    under_way = asyncio.Event()
    fetching = asyncio.create_task(
        fetch_binary(Offer(download[0], None, tmp_path / "bin" / "ngrok"), lambda _: under_way.set())
    )
    await under_way.wait()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert not list((tmp_path / "bin").iterdir())
