"""What `?` and `.` list: what each key does now, once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from jupytui.fleet.subject import Subject
from tests.ui import fleets
from tests.ui.program import desk, running, settled, toasts

LAB = Subject("gpu1", "gpu1:8888")


@pytest.mark.parametrize("digit", "123456789")
async def test_each_key_is_listed_once(home: Path, digit: str) -> None:
    async with running(home) as (program, pilot):
        program.main.pane.move_to(LAB)  # type: ignore[attr-defined]
        await settled(pilot)
        await pilot.press(digit)
        await settled(pilot)
        verbs, pane = desk(program).verbs, program.main.pane
        entries = [*verbs.valid(desk(program).work.context, pane), *verbs.of_pane(pane)]
        keys = Counter(entry.key for entry in entries)
        assert [key for key, count in keys.items() if count > 1] == []


async def test_the_menu_shows_a_key_only_where_it_does_that_here(home: Path) -> None:
    async with running(home) as (program, _pilot):
        verbs, context = desk(program).verbs, desk(program).work.context
        keys = {entry.id: entry.key for entry in verbs.menu(context, [LAB])}
        assert keys["server.stop"] == "S"
        assert not keys["service.stop"]
        assert {entry.id: entry.key for entry in verbs.menu(context, [Subject("gpu1")])}["service.stop"] == "S"


async def test_where_no_systemd_runs_no_key_of_services_is_listed(home: Path) -> None:
    async with running(home) as (program, pilot):
        program.main.pane.move_to(Subject("gpu1"))  # type: ignore[attr-defined]
        await settled(pilot)
        verbs, context = desk(program).verbs, desk(program).work.context
        verbs_of_services = {"server.start", "service.stop", "service.edit", "service.linger", "service.reload"}
        assert verbs_of_services < {entry.id for entry in verbs.valid(context, program.main.pane)}
        context.without_systemd.add("gpu1")
        assert not {entry.id for entry in verbs.valid(context, program.main.pane) if "service." in entry.id}
        for key in "LO":
            await pilot.press(key)
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert toasts(program) == ["gpu1 runs no systemd: its servers are kept as processes."]


async def test_a_sentence_that_is_seen_is_not_said_once_more(home: Path) -> None:
    async with running(home, views=[fleets.local()]) as (program, pilot):
        for sentence in ("One.", "One.", "Two.", "One."):
            desk(program).talk.say(sentence)
        await settled(pilot)
        assert toasts(program) == ["One.", "Two."]
