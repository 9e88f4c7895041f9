"""Public tunnels on a switchboard, with a stand-in agent on the PATH and the token in the vault."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from jupytui.config.vault import Place, Vault
from jupytui.hosts.base import Nobody, Prompter
from jupytui.secret import Secret
from jupytui.tunnels.models import Address, Tunnel, TunnelKind, TunnelState
from jupytui.tunnels.public.binary import ngrok_directory
from jupytui.tunnels.public.ngrok import NGROK_TOKEN
from jupytui.tunnels.switchboard import Switchboard
from tests.tunnels.public.stand_in import MARKER, Statuses, place_stand_in

SHARE = Tunnel("lab", "gpu1", TunnelKind.PUBLIC, to=Address("127.0.0.1", 1), domain="lab.example.test")


def no_host(name: str, prompter: Prompter) -> NoReturn:
    pytest.fail(f"{name} was connected to for a share")


async def test_a_share_is_taken_up_down_and_away_like_any_tunnel_and_no_host_is_dialled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{place_stand_in(tmp_path / 'bin').parent}:{os.environ['PATH']}")
    assert await Vault().set(NGROK_TOKEN, Secret(MARKER)) is Place.FILE
    told = Statuses()
    board = Switchboard(no_host, Nobody(), told)
    try:
        await board.add(SHARE)
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{place_stand_in(tmp_path / 'bin').parent}:{os.environ['PATH']}")
    told = Statuses()
    board = Switchboard(no_host, Nobody(), told)
    try:
        await Vault().set(NGROK_TOKEN, Secret(MARKER))
        await Vault().forget(NGROK_TOKEN)
        await board.add(SHARE)
        await told.until(TunnelState.FAILED)
        await Vault().set(NGROK_TOKEN, Secret(MARKER))
        await board.up("lab")
        await told.until(lambda status: bool(status.url))
    finally:
        await board.close()
