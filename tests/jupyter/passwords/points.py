"""Cuts a rotation at one point and says how the server stands afterwards, now and after its next start."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host, Nobody
from jupytui.hosts.local import LocalHost
from jupytui.jupyter.client import Door, JupyterApi
from jupytui.jupyter.http import ApiError
from jupytui.jupyter.launch.lifecycle import restart
from jupytui.jupyter.launch.shutdown import Target
from jupytui.jupyter.passwords.carry_out import carry_out
from jupytui.jupyter.passwords.hashing import fits
from jupytui.jupyter.passwords.plan import Kind, Wish, prepare
from jupytui.jupyter.settings.discover import look
from jupytui.jupyter.settings.door import door
from jupytui.jupyter.settings.edit import TODAY
from jupytui.jupyter.settings.models import plain
from jupytui.secret import Secret
from tests.jupyter.passwords.cut import CutHost, How
from tests.jupyter.passwords.servers import Living, lets_in

KILLED = Path(__file__).with_name("killed.py")


@dataclass(frozen=True, slots=True)
class Point:
    """Where it was cut, and which password then counted: in the process that ran, in its files, after a start."""

    at: int
    how: How
    was: str
    now: str
    files: str
    later: str

    @property
    def holds(self) -> bool:
        """Never open, never locked; and the files decide what comes next."""
        return self.now in {"before", "after"} and self.files in {"before", "after"} and self.later == self.files


async def rotate(host: Host, target: Target, whose: object, old: str, new: str) -> None:
    plan = await prepare(host, whose, Wish(Kind.SET, Secret(new), Secret(old)))  # type: ignore[arg-type]
    await carry_out(host, target, plan, Nobody(), lambda _step: None, consent=True)


async def points(server: Living, how: How, ats: Iterable[int], old: str) -> AsyncIterator[Point]:
    """Cut rotations of `server` at these operations, one after the other, until one is not cut any more."""
    password = old
    for at in ats:
        new = f"new battery staple {how} {at}"
        was = await _cut(server, how, at, password, new)
        if not was:
            return
        point = await _afterwards(server, at, how, was, password, new)
        yield point
        password = new if point.later == "after" else password


async def _cut(server: Living, how: How, at: int, old: str, new: str) -> str:
    if how is How.KILL:
        return await asyncio.to_thread(_killed, server, at, old, new)
    here = LocalHost()
    host = CutHost(here, at, how)
    try:
        await rotate(cast("Host", host), server.target, server.whose, old, new)
    except JupytuiError as error:
        if not host.was:
            raise AssertionError(f"not by the cut: {error} {error.detail}") from error
    finally:
        await here.close()
    return host.was


def _killed(server: Living, at: int, old: str, new: str) -> str:
    target, whose = server.target, server.whose
    job = {"pid": target.pid, "port": target.port, "app": whose.app.value, "old": old, "new": new, "at": at,
           "token": server.token.reveal()}  # fmt: skip
    done = subprocess.run(
        [sys.executable, KILLED],
        input=json.dumps(job).encode(),
        capture_output=True,
        check=False,
        cwd=KILLED.parents[3],
    )
    if done.returncode == -9:
        return f"SIGKILL before operation {at}"
    assert not done.returncode, done.stderr.decode()
    return ""


async def _afterwards(server: Living, at: int, how: How, was: str, old: str, new: str) -> Point:
    here = LocalHost()
    try:
        await _settled(server)
        now = await _counts(server, here, old, new)
        found = await look(here, server.whose)
        password = door(found, TODAY.resolve(found)).password
        hash_ = str(plain(password.value)) if password else ""
        files = [await fits(hash_, Secret(each)) for each in (old, new)]
        await restart(here, server.target, Nobody())
        later = await _counts(server, here, old, new)
        return Point(at, how, was, now, _word(*files), later)
    finally:
        await here.close()


async def _settled(server: Living) -> None:
    """Wait until a restart that was begun is over: what does it is a process of its own."""
    async with asyncio.timeout(90):
        while _at_work():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await server.answers()


def _at_work() -> bool:
    """Whether a program of ours that restarts a server runs, begun with our HOME."""
    mine = f"HOME={os.environ['HOME']}\0".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = b"sys.modules[main[1]].run(job)" in (entry / "cmdline").read_bytes()
            if ours and mine in (entry / "environ").read_bytes():
                return True
    return False


async def _counts(server: Living, here: LocalHost, old: str, new: str) -> str:
    api = JupyterApi(here, server.access)
    try:
        if await api.door() is not Door.SHUT:
            return "open"
        return _word(*[await lets_in(here, server.access, each) for each in (old, new)])
    except ApiError:
        return "silent"
    finally:
        await api.close()


def _word(before: bool, after: bool) -> str:
    return {(True, False): "before", (False, True): "after", (True, True): "both"}.get((before, after), "locked")
