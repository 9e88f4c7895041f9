"""The Doctor pane on findings made by hand; tests/e2e/test_doctor.py has real ones."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from jupytui.actions.doctor import Examined
from jupytui.doctor.models import Diagnosis, Finding, Fix, Severity
from jupytui.fleet.subject import Subject
from jupytui.ui.panes.doctor import DoctorPane
from jupytui.ui.program import Program
from tests.ui import fleets
from tests.ui.program import SIZES, running, settled, text

OPEN = Finding(
    "exposure.open", Severity.CRITICAL, "Open to the network", "Everybody can run code as its user.",
    ("listens on all addresses, port 8888", "/h/config.json:3: token = \"\""), "gpu1", "gpu1:8888",
    Fix("Leave the token to Jupyter.", {"PasswordIdentityProvider.token": ""}),
)  # fmt: skip
ROOT = Finding(
    "exposure.root", Severity.WARNING, "Runs as root", "Who is let in may do everything.", ("uid 0",), "gpu1",
    "gpu1:9000", Fix("Run it as a user of its own."),
)  # fmt: skip
STALE = Finding("health.stale", Severity.NOTICE, "Left over", "It was killed.", ("no process 7",), "local")
HOSTILE = tuple(Finding("x", Severity.WARNING, name, name, (name,), "gpu1", name, Fix(name)) for name in fleets.HOSTILE)


def examined(*findings: Finding, passed: int = 41) -> Examined:
    verdicts = (("gpu1:8888", "all addresses · no login · http · 2.21.1 · OPEN to anyone"),)
    return Examined(Diagnosis(findings, passed, verdicts), ())


@asynccontextmanager
async def shown(
    home: Path, found: Examined, size: tuple[int, int] = (120, 40), **more: Any
) -> AsyncIterator[tuple[Program, Pilot[int], DoctorPane]]:
    with pytest.MonkeyPatch.context() as patch:

        async def look(_context: object, _subjects: object) -> Examined:
            return found

        patch.setattr("jupytui.ui.panes.doctor.examine", look)
        async with running(home, size, [fleets.local(), fleets.gpu1()], **more) as (app, pilot):
            await pilot.press("9", "9")  # of all hosts
            await app.workers.wait_for_complete()
            await settled(pilot)
            pane = app.main.pane
            assert isinstance(pane, DoctorPane)
            yield app, pilot, pane


@pytest.mark.parametrize("size", [*SIZES, (30, 20), (200, 50)])
async def test_the_worst_is_first_and_nothing_is_wider_than_the_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(tmp_path, examined(OPEN, ROOT, STALE, *HOSTILE), size) as (program, pilot, _pane):
        seen = text(program)
        assert seen.index("Open to the") < seen.index("Runs as root") < seen.index("Left over")
        assert "1 critical" in seen
        assert all(cell_len(line) <= size[0] for line in seen.split("\n"))
        await pilot.press("G", "g", "s", "s")
        assert program.is_running


async def test_enter_shows_evidence_fix_and_verdict(tmp_path: Path) -> None:
    async with shown(tmp_path, examined(OPEN, ROOT)) as (program, pilot, pane):
        assert pane.subject == Subject("gpu1", "gpu1:8888")
        await pilot.press("enter")
        await settled(pilot)
        seen = text(program)
        for words in ("/h/config.json:3", "Leave the token to Jupyter", "f does it", "OPEN to anyone"):
            assert words in seen
        await pilot.press("escape")
        assert len(program.screen_stack) == 1


async def test_nothing_found_says_how_much_was_looked_at(tmp_path: Path) -> None:
    async with shown(tmp_path, examined()) as (program, _pilot, _pane):
        assert "Nothing found; 41 checks passed." in text(program)


async def test_only_what_can_be_fixed_offers_to_and_never_read_only(tmp_path: Path) -> None:
    async with shown(tmp_path, examined(OPEN, ROOT)) as (_program, pilot, pane):
        assert ("f", "fix") in pane.own_hints
        await pilot.press("j")
        assert ("f", "fix") not in pane.own_hints
    async with shown(tmp_path, examined(OPEN), read_only=True) as (_program, _pilot, pane):
        assert ("f", "fix") not in pane.own_hints


async def test_a_fix_by_hand_is_told_when_f_is_pressed(tmp_path: Path) -> None:
    async with shown(tmp_path, examined(ROOT)) as (program, pilot, _pane):
        await pilot.press("f")
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert [n.message for n in program._notifications] == ["Run it as a user of its own."]


@pytest.mark.parametrize("name", ["findings.txt", "findings.json"])
async def test_the_findings_are_exported_to_a_private_file(tmp_path: Path, name: str) -> None:
    async with shown(tmp_path, examined(OPEN)) as (program, pilot, _pane):
        await pilot.press("e")
        await settled(pilot)
        await pilot.press("ctrl+u", *str(tmp_path / name), "enter")
        await program.workers.wait_for_complete()
    written = (tmp_path / name).read_text()
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    if name.endswith("json"):
        assert json.loads(written)["findings"][0]["id"] == "exposure.open"
    else:
        assert written.startswith("CRITICAL  gpu1:8888: Open to the network")


@pytest.mark.parametrize("unusable", ["directory", "loop", "~nobody-of-that-name/findings.txt"])
async def test_a_file_that_cannot_be_written_is_said_with_its_reason(tmp_path: Path, unusable: str) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    path = unusable if unusable.startswith("~") else str(tmp_path / unusable)
    async with shown(tmp_path, examined(OPEN)) as (program, pilot, _pane):
        await pilot.press("e")
        await settled(pilot)
        await pilot.press("ctrl+u", *path, "enter")
        await program.workers.wait_for_complete()
        await settled(pilot)
        (said,) = [n.message for n in program._notifications]
        assert "cannot be written: " in said
        assert "mistake" not in said


async def test_a_filter_keeps_what_it_names(tmp_path: Path) -> None:
    async with shown(tmp_path, examined(OPEN, ROOT, STALE)) as (program, pilot, pane):
        assert pane.filter_by("root") == 1
        await settled(pilot)
        assert "Left over" not in text(program)
