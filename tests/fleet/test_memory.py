from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupytui.fleet.memory import FILE, recall, remember
from jupytui.fleet.models import HostView, Trouble
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import App, Kernel, Server

VIEW = HostView(
    "gpu1",
    "alice@gpu1",
    HostState.UP,
    Trouble("late"),
    12.0,
    servers=(Server("gpu1:8888", 1, App.LAB, kernels=(Kernel("k", path="[/].ipynb"),)),),
    waiting="asks for a code",
)


def test_what_was_seen_is_seen_again_as_something_old(tmp_path: Path) -> None:
    remember(tmp_path, tmp_path / "hosts.toml", (VIEW,))
    (view,) = recall(tmp_path, tmp_path / "hosts.toml")
    assert view.servers == VIEW.servers
    assert (view.state, view.error, view.waiting, view.rtt_ms) == (HostState.CONNECTING, None, None, None)


def test_the_picture_of_another_configuration_is_not_shown(tmp_path: Path) -> None:
    remember(tmp_path, tmp_path / "hosts.toml", (VIEW,))
    assert recall(tmp_path, tmp_path / "other.toml") == ()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"version":1}', b"[" * 100_000])
def test_a_damaged_picture_is_no_picture(tmp_path: Path, data: bytes) -> None:
    (tmp_path / FILE).write_bytes(data)
    assert recall(tmp_path, tmp_path / "hosts.toml") == ()


def test_only_the_user_can_read_it_even_under_umask_0_and_over_a_planted_link(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (cache / FILE).symlink_to(victim)
    before = os.umask(0)
    try:
        remember(cache, tmp_path / "hosts.toml", (VIEW,))
    finally:
        os.umask(before)
    assert victim.read_text() == "mine"
    assert (cache / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in cache.iterdir()] == [FILE]


def test_a_cache_that_cannot_be_written_bothers_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    remember(tmp_path / "file" / "cache", tmp_path / "hosts.toml", (VIEW,))
