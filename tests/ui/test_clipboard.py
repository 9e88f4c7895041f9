from __future__ import annotations

import asyncio
import os
import shutil
import stat
from pathlib import Path

import pytest

from jupytui.ui.clipboard import copy, native_tool

TEXT = "http://localhost:8888/lab?token=sécret [/]"


async def _out(*command: str, **environment: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env=os.environ | environment
    )
    return (await process.communicate())[0]


@pytest.mark.skipif(not shutil.which("tmux"), reason="needs tmux")
async def test_inside_tmux_the_text_is_in_its_buffer_and_in_no_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX_TMPDIR", str(tmp_path))
    monkeypatch.delenv("TMUX", raising=False)
    await _out("tmux", "new-session", "-d", "-s", "x", "sleep 60")
    try:
        socket = (await _out("tmux", "display", "-p", "#{socket_path},#{pid},0")).decode().strip()
        monkeypatch.setenv("TMUX", socket)
        said = await copy(TEXT, lambda _text: pytest.fail("the terminal was asked as well"))
        assert said == "Copied"
        assert (await _out("tmux", "show-buffer")).decode() == TEXT
    finally:
        await _out("tmux", "kill-server")


async def test_without_tmux_or_desktop_the_terminal_is_asked_and_nobody_claims_it_worked() -> None:
    asked: list[str] = []
    said = await copy(TEXT, asked.append, {"SSH_CONNECTION": "1 2 3 4", "DISPLAY": ":0"})
    assert asked == [TEXT]
    assert "if your terminal allows" in said


@pytest.mark.parametrize("body", ["cat >/dev/null; exit 1", "exec sleep 60"])
async def test_a_tool_that_fails_or_hangs_falls_back_to_the_terminal(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "wl-copy"
    tool.write_text(f"#!/bin/sh\n{body}\n")
    tool.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("jupytui.ui.clipboard.DEADLINE", 0.2)
    asked: list[str] = []
    await copy(TEXT, asked.append, {"WAYLAND_DISPLAY": "wayland-0"})
    assert asked == [TEXT]


def test_over_ssh_no_desktop_tool_of_the_far_machine_is_used() -> None:
    assert native_tool({"SSH_CONNECTION": "a", "DISPLAY": ":0", "WAYLAND_DISPLAY": "w"}) is None
