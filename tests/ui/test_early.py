"""Promises of the picture that is there before the toolkit: it stands where the real one will, and leaves no trace."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from jupytui.config.load import parse_config
from jupytui.config.options import Options
from jupytui.config.paths import find_paths
from jupytui.ui import early
from jupytui.ui.panes.fleet import FleetPane
from tests.ui import fleets
from tests.ui.host_app import PaneApp


@pytest.mark.parametrize("size", [(45, 24), (80, 24), (120, 40)])
async def test_every_line_stands_where_the_pane_will_draw_it(size: tuple[int, int]) -> None:
    store = fleets.everything()
    app = PaneApp(FleetPane(), store)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        drawn = [line.replace("›", " ").rstrip() for line in app.lines]
    shown = [line.rstrip() for line in early.picture(store, size[0], fleets.NOW)][2:]
    first = min(len(shown), size[1] // 2)
    assert shown[:first] == drawn[:first]


def test_what_fails_before_the_screen_is_up_leaves_the_terminal_as_it_was(
    home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda _fd: os.terminal_size((80, 24)))
    options = Options(parse_config(home / "hosts.toml", None), find_paths())
    with pytest.raises(RuntimeError), early.early_picture(options):
        raise RuntimeError
    written = capfd.readouterr().err
    assert "this machine" in written
    assert re.search(r"\x1b\[\?1049h.*\x1b\[\?1049l", written, re.DOTALL)
