"""What is behind a tunnel is opened, or its address is copied."""

from __future__ import annotations

import pytest

from jupytui.actions import browser
from jupytui.actions.base import Context, Refused, perform
from jupytui.actions.table import BY_ID
from jupytui.fleet.subject import Subject
from jupytui.secret import Secret
from jupytui.tunnels.models import Address, Status, Tunnel, TunnelKind, TunnelState
from tests.actions.front import ScriptedFront
from tests.actions.tunnels.conftest import answers


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser was told to open."""
    urls: list[str] = []

    async def launch(_browser: tuple[str, ...], url: Secret) -> None:
        urls.append(url.reveal())

    monkeypatch.setattr(browser, "command", lambda: ("browser",))
    monkeypatch.setattr(browser, "launch", launch)
    return urls


def shared(url: str) -> Status:
    state = TunnelState.UP if url else TunnelState.DOWN
    return Status(Tunnel("share", "local", TunnelKind.PUBLIC, to=Address("localhost", 8888)), state, 1.0, url=url)


async def test_what_is_behind_a_tunnel_is_opened_though_nobody_knows_a_server_there(
    work: Context, front: ScriptedFront, opened: list[str], echo: Address
) -> None:
    subject = [Subject("local", tunnel="t")]
    await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    status = work.tunnels.status("t")
    assert status
    assert status.local
    said = await perform(BY_ID["tunnel.open"], work, subject)
    assert opened == [f"http://localhost:{status.local.port}/"]
    assert said == f"Opened {opened[0]}."
    assert front.copied == []
    await perform(BY_ID["tunnel.down"], work, subject)
    with pytest.raises(Refused, match="t does not listen: bring it up first"):
        await perform(BY_ID["tunnel.open"], work, subject)


async def test_a_share_is_opened_at_its_address(
    work: Context, front: ScriptedFront, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work.tunnels, "statuses", lambda: (shared("https://lab.example.org"),))
    subject = [Subject("local", tunnel="share")]
    await perform(BY_ID["tunnel.open"], work, subject)
    assert opened == ["https://lab.example.org"]
    monkeypatch.setattr(browser, "command", lambda: None)
    await perform(BY_ID["tunnel.open"], work, subject)
    (page,) = front.offered
    assert (page.bare, page.notes) == ("https://lab.example.org", ())


@pytest.mark.parametrize("verb", ["open", "copy"])
async def test_a_share_that_is_down_leaves_the_clipboard_as_it_is(
    work: Context, front: ScriptedFront, opened: list[str], monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(work.tunnels, "statuses", lambda: (shared(""),))
    with pytest.raises(Refused, match="share has no address just now"):
        await perform(BY_ID[f"tunnel.{verb}"], work, [Subject("local", tunnel="share")])
    assert (opened, front.copied) == ([], [])
