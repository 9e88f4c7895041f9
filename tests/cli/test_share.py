"""What `jupytui share` refuses before it reaches for any host; tests/actions/test_share.py has servers."""

from __future__ import annotations

import pytest

from jupytui.cli import main


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
