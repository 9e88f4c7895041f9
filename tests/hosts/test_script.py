"""The small sh program that goes with every script, in every sh that can be had here."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest

from jupytui.hosts import script
from tests.hosts.processes import a_nap, processes, running, until

SHELLS = ["dash", "bash", "bash --posix", "busybox sh", "zsh --emulate sh", "ksh", "mksh", "yash"]


@pytest.fixture(params=SHELLS)
def sh(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name, _, options = str(request.param).partition(" ")
    path = shutil.which(name)
    if not path:
        pytest.skip(f"no {name} here")
    shell = f"{path} {options}".strip()
    for part in ("COMMAND", "_GROUP", "_OUTER"):
        monkeypatch.setattr(script, part, getattr(script, part).replace("/bin/sh", shell))
    return shell


async def start(first: bytes) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_shell(
        script.COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    assert child.stdin
    child.stdin.write(first)
    return child


async def test_script_arguments_stdin_and_status_go_through_unchanged(sh: str) -> None:
    args = ("a b", "'\\n\"", "é\n\n")
    child = await start(script.once('cat; printf "<%s>" "$@"; exit 7', args, b"\0\xff\\", "n"))
    assert child.stdout
    assert await child.stdout.read() == b"\nn\n\0\xff\\" + "".join(f"<{arg}>" for arg in args).encode()
    assert await child.wait() == 7
    assert (await child.communicate())[1] == b"\nn\n"


async def test_the_end_of_stdin_ends_the_whole_group_and_nothing_is_left(sh: str) -> None:
    nap = a_nap()
    child = await start(script.once(f"{nap} & {nap} | {nap}", (), b"some", "n"))
    await running(nap, 3)
    await child.communicate(b"")  # closes stdin
    assert not processes(nap)


@pytest.mark.parametrize("deaf", ["", "trap '' TERM HUP; "], ids=["willing", "deaf"])
async def test_a_group_whose_outer_shell_was_killed_ends_with_stdin_all_the_same(sh: str, deaf: str) -> None:
    nap = a_nap()
    child = await start(script.once(f"{deaf}{nap} & {nap} | {nap}", (), b"some", "n"))
    await running(nap, 3)
    os.kill(child.pid, signal.SIGKILL)
    await until(lambda: not Path(f"/proc/{child.pid}").exists())  # a zombie takes a signal as a living one does
    await running(nap, 3)
    await child.communicate(b"")  # closes stdin
    await running(nap, 0)


async def test_short_scripts_never_hang(sh: str) -> None:
    for batch in range(10):
        children = await asyncio.gather(*(start(script.once("true", (), b"x" * (batch % 3), "n")) for _ in range(10)))
        async with asyncio.timeout(20):
            assert {await child.wait() for child in children} == {0}
        for child in children:
            await child.communicate(b"")


async def test_where_there_is_no_setsid_job_control_makes_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS, whose sh is bash."""
    bash = shutil.which("bash")
    if not bash:
        pytest.skip("no bash here")
    for part in ("COMMAND", "_GROUP", "_OUTER"):
        changed = getattr(script, part).replace("/bin/sh", bash).replace("command -v setsid", "false")
        monkeypatch.setattr(script, part, changed)
    nap = a_nap()
    child = await start(script.once(f"{nap} & {nap}", (), b"", "n"))
    await running(nap, 2)
    await child.communicate(b"")
    assert not processes(nap)
