"""The Services pane on listings made by hand; tests/e2e/test_services.py has real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.pilot import Pilot

from jupytui.actions.base import Action, Answers, Context, Subjects
from jupytui.errors import CommandError
from jupytui.fleet.models import HostView
from jupytui.fleet.services import Listing
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.base import SecretKind, SecretPrompt
from jupytui.systemd.units import Service, Services
from jupytui.systemd.verify import Verdict
from jupytui.ui.format import services
from jupytui.ui.format.look import Look
from jupytui.ui.panes.services import ServicesPane
from jupytui.ui.program import Program
from tests.ui import fleets
from tests.ui.program import SIZES, running, settled, text, toasts

LAB = Service(
    name="lab.service",
    scope="user",
    description="JupyterLab",
    load="loaded",
    active="active",
    sub="running",
    enabled="enabled",
    linger=True,
    restarts=2,
    memory=31 * fleets.G,
    memory_max=64 * fleets.G,
    cpu_quota=4.0,
    main_pid=40100,
    fragment="/home/alice/.config/systemd/user/lab.service",
    since=fleets.ago(hours=6),
)
STOPPED = Service("old.service", "system", "Notebook", "loaded", "inactive", "dead", "disabled", fragment="/etc/x")
FAILED = replace(
    STOPPED, name="broken.service", active="failed", sub="failed", ended="was killed because memory ran out"
)
STARTING = replace(LAB, name="new.service", active="activating", main_pid=5)
HOSTILE = tuple(
    replace(STOPPED, name=f"{name}.service", description=name, ended=name, active="failed", enabled=name)
    for name in fleets.HOSTILE
)


def listing(*found: Service) -> Listing:
    return Listing(Services(services=found))


@asynccontextmanager
async def shown(
    home: Path,
    listings: dict[str, Listing],
    size: tuple[int, int] = (120, 40),
    views: Iterable[HostView] | None = None,
    **more: Any,
) -> AsyncIterator[tuple[Program, Pilot[int], ServicesPane]]:
    """Run the program with the pane shown and these services known."""
    async with running(home, size, [fleets.local(), fleets.gpu1()] if views is None else views, **more) as (app, pilot):
        await pilot.press("4", "4")  # of all hosts
        await settled(pilot)
        pane = app.main.pane
        assert isinstance(pane, ServicesPane)
        for host, known in listings.items():
            pane.take(host, known)
        await settled(pilot)
        yield app, pilot, pane


async def test_an_age_is_right_on_a_host_whose_clock_is_not(tmp_path: Path) -> None:
    views = [replace(fleets.gpu1(), ahead=3 * 3600.0)]
    async with shown(tmp_path, {"gpu1": listing(LAB)}, views=views) as (program, _pilot, _pane):
        assert " 9h " in text(program)


@pytest.mark.parametrize("size", [*SIZES, (30, 20), (200, 50)])
async def test_unit_and_state_are_never_cut_away(tmp_path: Path, size: tuple[int, int]) -> None:
    known = {"gpu1": listing(LAB, STOPPED, FAILED, STARTING), "local": listing(*HOSTILE)}
    async with shown(tmp_path, known, size) as (program, pilot, _pane):
        seen = text(program)
        for words in ("broken", "lab", "● active", "○ stopped", "✖ failed", "◐ starting"):
            assert words in seen
        assert all(cell_len(line) <= size[0] for line in seen.split("\n"))
        await pilot.press("G", "g", "s", "s")
        assert program.is_running


async def test_the_wide_layout_says_everything_of_a_unit(tmp_path: Path) -> None:
    async with shown(tmp_path, {"gpu1": listing(LAB)}) as (program, _pilot, pane):
        lines = [" ".join(line.split()) for line in text(program).split("\n")]
        assert "UNIT HOST SCOPE STATE STARTS LINGER RESTARTS MEM EXPOSED AGE SERVER" in lines
        assert "› lab gpu1 user ● active at boot yes 2 31G – 6h gpu1:8888" in lines
        assert (
            "gpu1:8888 · at most 64G · at most 4 CPUs · 2 restarts · JupyterLab · enter tells how exposed it is"
            in lines
        )
        assert pane.subject == Subject("gpu1", "gpu1:8888", unit="user:lab.service")


async def test_a_unit_that_failed_is_first_and_says_how_it_ended(tmp_path: Path) -> None:
    async with shown(tmp_path, {"gpu1": listing(LAB, STOPPED, FAILED)}, (45, 24)) as (program, _pilot, pane):
        assert pane.subject == Subject("gpu1", unit="system:broken.service")
        assert "it was killed because memory ran out" in text(program)
        assert "u start" in text(program)


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_text_is_text(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(tmp_path, {"gpu1": listing(*HOSTILE)}, size) as (program, pilot, _pane):
        assert "[/]" in text(program)
        for _ in HOSTILE:
            await pilot.press("j")
            await pilot.click(offset=(8, 4))
        await settled(pilot)
        assert program.is_running


async def test_the_cursor_stays_on_its_unit_while_states_change(tmp_path: Path) -> None:
    async with shown(tmp_path, {"gpu1": listing(LAB, STOPPED, FAILED)}) as (program, pilot, pane):
        pane.move_to(Subject("gpu1", unit="user:lab.service"))
        pane.take("gpu1", listing(replace(LAB, active="failed", main_pid=None), STOPPED, FAILED))
        await settled(pilot)
        assert pane.subject == Subject("gpu1", unit="user:lab.service")
        assert text(program).count("✖ failed") == 2


async def test_an_equal_listing_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(tmp_path, {"gpu1": listing(LAB, STOPPED)}) as (_program, pilot, pane):
        painted: list[object] = []
        monkeypatch.setattr(pane._rows, "refresh", lambda *regions, **_more: painted.append(regions))
        pane.take("gpu1", listing(LAB, STOPPED))
        await settled(pilot)
        assert painted == []
        pane.take("gpu1", listing(LAB))
        await settled(pilot)
        assert painted


async def test_a_host_without_systemd_and_one_without_units_say_so(tmp_path: Path) -> None:
    bare = Listing(Services(systemd=False))
    async with shown(tmp_path, {"gpu1": bare}, views=[fleets.gpu1()]) as (program, pilot, pane):
        assert "No systemd on gpu1: servers there are kept as processes. n starts one." in text(program)
        pane.take("gpu1", listing())
        await settled(pilot)
        assert "No unit runs Jupyter on gpu1. n makes one." in text(program)
        pane.take("gpu1", Listing(None, CommandError("The services of gpu1 cannot be listed.")))
        await settled(pilot)
        assert "The services of gpu1 cannot be listed." in text(program)


async def test_it_says_that_it_waits_and_who_is_not_connected(tmp_path: Path) -> None:
    async with shown(tmp_path, {}, views=[fleets.gpu1(), fleets.changed_key()]) as (program, pilot, pane):
        assert "Asking systemd on gpu1 …" in text(program)
        pane.take("gpu1", listing(LAB))
        await settled(pilot)
        assert "not seen now: lab-pi" in text(program)


async def test_only_what_makes_sense_is_hinted_and_nothing_in_read_only_mode(tmp_path: Path) -> None:
    async with shown(tmp_path, {"gpu1": listing(LAB)}) as (program, _pilot, pane):
        assert [word for _key, word in pane.own_hints][:2] == ["restart", "stop"]
        assert "S stop" in text(program)
    async with shown(tmp_path, {"gpu1": listing(LAB)}, read_only=True) as (_program, _pilot, pane):
        assert pane.own_hints == ()


async def test_a_filter_finds_units_by_host_state_and_description(tmp_path: Path) -> None:
    async with shown(tmp_path, {"gpu1": listing(LAB, STOPPED)}) as (_program, _pilot, pane):
        assert pane.filter_by("active gpu1") == 1
        assert pane.filter_by("notebook") == 1
        assert pane.filter_by("") == 2


async def test_the_scope_narrows_to_a_host_and_to_the_unit_of_a_server(tmp_path: Path) -> None:
    known = {"gpu1": listing(LAB, STOPPED), "local": listing(STARTING)}
    async with shown(tmp_path, known) as (program, pilot, pane):
        pane.narrow_to(Subject("gpu1"))
        await settled(pilot)
        assert "new" not in text(program)
        assert "gpu1 · 2 services" in text(program)
        pane.narrow_to(Subject("gpu1", "gpu1:8888"))
        await settled(pilot)
        assert "gpu1:8888 · 1 service" in text(program)
        pane.narrow_to(Subject("gpu1", "gpu1:8890"))
        await settled(pilot)
        assert "No unit keeps gpu1:8890." in text(program)


@pytest.mark.parametrize(("key", "answer"), [("escape", "None"), ("enter", "••••••")])
async def test_a_password_that_an_action_needs_is_asked_for_at_once_and_escape_gives_it_up(
    tmp_path: Path, key: str, answer: str
) -> None:
    async def ask(context: Context, _subjects: Subjects, _answers: Answers) -> str:
        prompt = SecretPrompt("gpu1", SecretKind.PASSWORD, "sudo on gpu1 wants alice's password")
        return f"answer {await context.fleet.prompter('gpu1').secret(prompt)}"

    action = Action(id="test.sudo", title="Test sudo", scope=Scope.HOST, keys=("T",), run=ask)
    async with running(tmp_path, (80, 24), [fleets.gpu1()], actions=(action,)) as (program, pilot):
        await pilot.press("T")
        while len(program.screen_stack) == 1:  # until the tick in which the question is seen
            await pilot.pause(0.01)
        await settled(pilot)
        assert "wants alice's password" in text(program)
        assert "escape gives it up" in text(program)
        await pilot.press("x", key)
        while not toasts(program):
            await pilot.pause(0.01)
        assert toasts(program) == [f"answer {answer}"]


def test_details_tell_the_file_the_ending_and_both_scores() -> None:
    row = services.row_of("gpu1", "gpu1", FAILED)
    before, after = Verdict(("broken.service: bad",), 9.6, "unsafe"), Verdict((), 4.1, "ok")
    said = "\n".join(services.details(row, "[Service]\nPrivateTmp=yes\n", before, after, Look(fleets.NOW)))
    for words in ("✖ failed, system unit on gpu1", "It was killed because memory ran out.", "9.6 unsafe", "leaves 4.1"):
        assert words in said
    assert "broken.service: bad" in said
    assert "ProtectSystem: the system's own directories are read-only" in said
    assert "PrivateTmp:" not in said


def test_details_name_the_file_that_the_output_goes_to() -> None:
    row = services.row_of("gpu1", "gpu1", replace(LAB, output="append"))
    text = "[Service]\nStandardOutput=append:/home/alice/jupyter.log\n"
    said = services.details(row, text, Verdict(), Verdict(), Look(fleets.NOW))[0]
    assert "Output: append:/home/alice/jupyter.log" in said
    assert "Output: append" in services.details(row, "", Verdict(), Verdict(), Look(fleets.NOW))[0]


def test_until_it_is_known_how_exposed_a_unit_is_it_says_what_tells() -> None:
    row = services.row_of("gpu1", "gpu1", LAB)
    assert "enter tells how exposed it is" in services.about(row)
    assert "enter tells" not in services.about(replace(row, exposure=Verdict((), 9.6, "unsafe")))
