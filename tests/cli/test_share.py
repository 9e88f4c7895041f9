"""What `jupytui share` does without reaching for any host; tests/actions/test_share.py has servers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupytui.actions.share_ngrok import name_of
from jupytui.cli import main
from jupytui.config.paths import find_paths
from jupytui.fleet.subject import Subject
from jupytui.tunnels.keeper.memory import recall, save
from jupytui.tunnels.keeper.place import Place, find_place
from jupytui.tunnels.keeper.protocol import Remembered
from jupytui.tunnels.models import LOOPBACK, Address, Tunnel, TunnelKind
from tests.tunnels.keeper.conftest import keepers


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--check", "gpu1:8888"], "It is: jupytui share SERVER --check URL."),
        (["--url", "https://lab.example.org/"], "It is: jupytui share SERVER --url URL."),
        (["--off-lan"], "It is: jupytui share SERVER --off-lan."),
        (["gpu1", "--url", "ftp://lab"], "ftp://lab: That is no address of a web page."),
        (["gpu1", "--check", "http://localhost/"], "http://localhost/: That is this machine itself"),
    ],
)
def test_wrong_use_is_answered_with_what_is_right(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["share", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.fixture
def shared(home: Path) -> Iterator[Place]:
    """The keeper's memory: two servers of a host that nobody reaches are shared, one of another that was taken out."""
    hosts = find_paths().hosts
    hosts.parent.mkdir(parents=True)
    hosts.write_text('[hosts.gpu1]\nssh = "nobody.invalid"\n')
    place = find_place(find_paths())
    place.memory.parent.mkdir(parents=True, mode=0o700)
    servers = [
        ("gpu1", Address(LOOPBACK, 8888)),
        ("gpu1", Address(path="/run/lab.sock")),
        ("gone", Address(LOOPBACK, 1)),
    ]
    save(place.memory, [tunnel for host, to in servers for tunnel in share_of(host, to)])
    yield place
    for pid in keepers(place):
        os.kill(pid, signal.SIGKILL)


def share_of(host: str, to: Address) -> tuple[Remembered, Remembered]:
    name = name_of(Subject(host, f"{host}:{to.path or to.port}"))
    share = Tunnel(name, host, TunnelKind.PUBLIC, to=Address(LOOPBACK, 40001))
    return Remembered(share, up=False), Remembered(Tunnel(f"{name}-way", host, to=to), up=False)


def names(place: Place) -> list[str]:
    return sorted(one.tunnel.name for one in recall(place.memory) if one.tunnel.kind is TunnelKind.PUBLIC)


@pytest.mark.parametrize(
    ("server", "left"),
    [
        ("gpu1:8888", ["share-gone-1", "share-gpu1-run-lab.sock"]),
        ("gpu1:/run/lab.sock", ["share-gone-1", "share-gpu1-8888"]),
        ("gone", ["share-gpu1-8888", "share-gpu1-run-lab.sock"]),
    ],
)
def test_a_share_is_stopped_whose_server_has_ended_and_whose_host_nobody_reaches(
    shared: Place, server: str, left: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["share", server, "--stop"]) == 0
    said = capsys.readouterr().err
    assert f"{'gone:1' if server == 'gone' else server} is not shared any more" in said
    assert names(shared) == left
    assert main(["share", server, "--stop"]) == 1
    assert f"{server} is not shared." in capsys.readouterr().err


def test_which_of_a_hosts_shares_is_to_be_stopped_must_be_said(
    shared: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["share", "gpu1", "--stop"]) == 2
    assert "gpu1 has 2: gpu1:8888, gpu1:/run/lab.sock. Name one." in capsys.readouterr().err.replace("\n", " ")
    assert len(names(shared)) == 3
