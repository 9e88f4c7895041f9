"""What `jupytui open` takes, and how it shows an address."""

from __future__ import annotations

import pytest

from jupytui.cli import main
from jupytui.cli.front import TerminalFront
from jupytui.errors import JupytuiError
from jupytui.jupyter.page import Page
from jupytui.secret import MASK, Secret

PAGE = Page("gpu1:8888", "http://127.0.0.1:8888/lab", Secret("s3cret"), ("It will warn.",))


@pytest.mark.parametrize("words", [[], ["gpu1", "--print", "--qr"], ["gpu1", "--kernel", "a", "--path", "b"], ["none"]])
def test_what_makes_no_sense_is_wrong_use(words: list[str]) -> None:
    assert main(["open", *words]) == 2


async def test_an_address_is_a_link_with_its_token_hidden_on_a_terminal_and_elsewhere_not_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    front = TerminalFront(yes=False)
    with pytest.raises(JupytuiError, match="no browser"):
        await front.offer(PAGE)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    await front.offer(PAGE)
    shown, said = capsys.readouterr()
    assert shown == f"\x1b]8;;{PAGE.url.reveal()}\x1b\\{PAGE.bare}?token={MASK}\x1b]8;;\x1b\\\n"
    assert "It will warn." in said
