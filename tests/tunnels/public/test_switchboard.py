"""Public tunnels on a switchboard, with a stand-in agent on the PATH and the token in the vault."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import keyring
import pytest

from jupytui.config.vault import Place, Vault
from jupytui.hosts.base import Nobody, Prompter
from jupytui.secret import Secret
from jupytui.tunnels.models import Tunnel, TunnelKind, TunnelState
from jupytui.tunnels.public.binary import ngrok_directory
from jupytui.tunnels.public.ngrok import NGROK_TOKEN
from jupytui.tunnels.switchboard import Switchboard
from tests.config.stand_in_keyring import CONTENT, Kept, Locked, use
from tests.tunnels.public.stand_in import MARKER, Statuses, jupyter_server, place_stand_in


@pytest.fixture
async def share() -> AsyncIterator[Tunnel]:
    """A share of a stand-in for a Jupyter server."""
    async with jupyter_server() as server:
        yield Tunnel("lab", "gpu1", TunnelKind.PUBLIC, to=server.to, domain="lab.example.test")


def no_host(name: str, prompter: Prompter) -> NoReturn:
    pytest.fail(f"{name} was connected to for a share")


async def test_a_share_is_taken_up_down_and_away_like_any_tunnel_and_no_host_is_dialled(
    share: Tunnel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{place_stand_in(tmp_path / 'bin').parent}:{os.environ['PATH']}")
    assert await Vault().set(NGROK_TOKEN, Secret(MARKER)) is Place.FILE
    told = Statuses()
    board = Switchboard(no_host, Nobody(), told)
    try:
        await board.add(share)
        status = await told.until(lambda status: bool(status.url))
        assert status.url.startswith("http://lab.example.test:")
        assert list(board.statuses()) == [status]
        assert not board.listeners()
        await board.down("lab")
        assert told.all[-1].state is TunnelState.DOWN
        assert not list(ngrok_directory().glob("*"))
        await board.up("lab")
        await told.until(lambda status: bool(status.url))
        await board.remove("lab")
        assert not board.statuses()
        assert not list(ngrok_directory().glob("*"))
    finally:
        await board.close()


async def test_a_forgotten_token_is_gone_and_a_share_that_failed_for_it_comes_up_on_request(
    share: Tunnel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{place_stand_in(tmp_path / 'bin').parent}:{os.environ['PATH']}")
    told = Statuses()
    board = Switchboard(no_host, Nobody(), told)
    try:
        await Vault().set(NGROK_TOKEN, Secret(MARKER))
        await Vault().forget(NGROK_TOKEN)
        await board.add(share)
        await told.until(TunnelState.FAILED)
        await Vault().set(NGROK_TOKEN, Secret(MARKER))
        await board.up("lab")
        await told.until(lambda status: bool(status.url))
    finally:
        await board.close()


async def test_a_share_whose_token_is_in_a_locked_keyring_waits_for_that_and_comes_up_once_it_is_unlocked(
    share: Tunnel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{place_stand_in(tmp_path / 'bin').parent}:{os.environ['PATH']}")
    before = keyring.get_keyring()
    told = Statuses()
    board = Switchboard(no_host, Nobody(), told)
    try:
        use(Kept)
        assert await Vault().set(NGROK_TOKEN, Secret(MARKER)) is Place.KEYRING
        use(Locked)
        await board.add(share)
        status = await told.until(TunnelState.WAITING)
        assert status.error
        assert status.error.message == "The keyring does not answer."
        use(Kept)
        await told.until(lambda status: bool(status.url))
    finally:
        await board.close()
        CONTENT.clear()
        keyring.set_keyring(before)
