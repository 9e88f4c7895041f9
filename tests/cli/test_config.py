"""What `jupytui config` refuses before it reaches for any host; tests/e2e/test_settings.py has servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupytui.cli import main


@pytest.mark.parametrize(
    "words",
    [
        ("show",),
        ("set", "h", "ServerApp.port"),
        ("undo", "a", "b"),
        ("preset", "colab"),
        ("path", "x"),
        ("check", "a", "b"),
    ],
)
def test_other_names_than_the_verb_takes_are_answered_with_those(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", *words, "--config", str(tmp_path)]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert f"jupytui config {words[0]}" in error


def test_presets_are_listed_with_what_they_ask_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "preset"]) == 0
    out, error = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == [
        *("PRESET", "local-network", "tls", "public-url", "colab", "headless", "together", "idle-culling"),
    ]
    assert "domain=" in out
    assert error == ""


def test_an_input_that_no_preset_asks_for_is_refused() -> None:
    from jupytui.cli.config_server import _inputs
    from jupytui.errors import UsageError

    with pytest.raises(UsageError, match="No preset asks for domian"):
        _inputs(["domian=x"])
