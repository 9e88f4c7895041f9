from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.fleet.units import as_stopped
from jupytui.hosts.base import HostState
from jupytui.jupyter.models import Cause, Death, Health, Server
from jupytui.ui.panes.fleet import FleetPane
from tests.ui import fleets
from tests.ui.host_app import PaneApp
from tests.ui.terminal import on_terminal

SIZES = [(45, 24), (80, 24), (120, 40)]
LAB = Subject("gpu1", "gpu1:8888")


def app_of(store: Store | None = None) -> PaneApp:
    return PaneApp(FleetPane(), fleets.fleet() if store is None else store)


def screen(app: PaneApp) -> str:
    return "\n".join(app.lines)


@pytest.mark.parametrize("size", SIZES)
async def test_hosts_and_their_servers_are_shown_with_state_in_words(size: tuple[int, int]) -> None:
    app = app_of()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        shown = screen(app)
        for words in ("▾ this machine", "lab :8888", "▾ gpu1", "notebook :8890", "● up", "▲ open", "hpc", "lab-pi"):
            assert words in shown
        assert "◐ asks for a code" in shown
        assert "✖ key changed" in shown


@pytest.mark.parametrize("size", [*SIZES, (30, 20), (200, 50)])
async def test_nothing_is_wider_than_the_screen_and_hostile_names_stay_text(size: tuple[int, int]) -> None:
    app = app_of(fleets.everything())
    async with app.run_test(size=size) as pilot:
        await pilot.press("G")
        await pilot.click(offset=(8, 3))
        await pilot.pause()
        assert app.is_running
        assert {cell_len(line) for line in app.lines} == {size[0]}
        assert "[/]" in screen(app)


async def test_the_wide_layout_has_every_column_of_the_design() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        titles = "HOST / SERVER STATE WHERE AUTH TLS KERNELS CPU MEM GPU AGE"
        assert " ".join(app.lines[0].split()) == titles
        assert " ".join(app.lines[4].split()) == (
            "lab :8888 ~/experiments ● up user unit lab password 27 days 1/2 busy 77% 31G 11G 6h"
        )


async def test_the_narrow_layout_keeps_state_and_memory() -> None:
    app = app_of()
    async with app.run_test(size=(45, 24)) as pilot:
        await pilot.pause()
        assert " ".join(app.lines[0].split()) == "› ▾ this machine ● up 12% 7.1G"
        assert " ".join(app.lines[3].split()) == "lab :8888 ● 1/2 busy 31G"
        assert app.lines[4].rstrip().endswith("▲ open to all")


async def test_the_cursor_says_what_is_selected_and_the_strip_tells_about_it() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("j", "j", "j")
        assert app.selected[-1] == LAB == app.pane.subject
        shown = screen(app)
        assert "gpu1 › lab :8888" in shown
        assert "https://localhost:8888/lab" in shown
        assert "jupyter_server 2.21.1" in shown
        assert "train.ipynb" in shown
        assert "busy 41m" in shown


async def test_what_went_wrong_is_told_in_full_with_what_to_do_at_any_width() -> None:
    for size in SIZES:
        app = app_of()
        async with app.run_test(size=size) as pilot:
            await pilot.press("G")
            await pilot.pause()
            said = " ".join(screen(app).split())
            assert "somebody sits in between. Press enter to see both keys." in said


async def test_folding_hides_servers_and_left_goes_to_the_host_first() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j", "j", "left")
        assert app.pane.subject == Subject("gpu1")
        await pilot.press("left")
        assert "▸ gpu1" in screen(app)
        assert "notebook :8890" not in screen(app)
        await pilot.press("right")
        assert "▾ gpu1" in screen(app)
        await pilot.press("enter")
        assert "▸ gpu1" in screen(app)
        assert app.opened == []
        await pilot.press("enter", "l")
        assert app.opened == [Subject("gpu1")]


async def test_enter_opens_a_server_and_a_host_that_waits_or_has_trouble() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "enter", "G", "enter", "k", "enter")
        assert app.opened == [Subject("local", "local:8888"), Subject("lab-pi"), Subject("hpc")]


async def test_a_filter_keeps_matches_with_their_hosts_and_says_how_many() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.pane.filter_by("old 8890") == 2
        await pilot.pause()
        shown = screen(app)
        assert "gpu1" in shown
        assert "notebook :8890" in shown
        assert "lab :8888" not in shown
        assert app.pane.filter_by("GPU1") == 3
        assert app.pane.filter_by("this machine") == 2
        assert app.pane.filter_by("no such thing") == 0
        await pilot.pause()
        assert "Nothing matches “no such thing”." in screen(app)
        assert app.pane.filter_by("") == 7


async def test_sorting_goes_round_and_keeps_the_cursor() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j", "j")
        firsts = []
        for _ in FleetPane.SORTS:
            await pilot.press("s")
            firsts.append(app.lines[1][4:].split("  ")[0].strip())
            assert app.pane.subject == LAB
        assert firsts == ["gpu1", "lab-pi", "gpu1", "gpu1", "this machine"]


async def test_marked_things_are_what_an_action_is_about() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        assert list(app.pane.chosen) == [Subject("local")]
        await pilot.press("j", "space", "j", "space")
        assert list(app.pane.chosen) == [Subject("local", "local:8888"), LAB]


async def test_an_empty_fleet_has_no_titles() -> None:
    app = app_of(Store())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "STATE" not in screen(app)
        assert "No host is watched." in screen(app)
        assert app.pane.subject == Subject()


async def test_a_look_that_found_nothing_new_writes_nothing() -> None:
    app = app_of()
    async with on_terminal(app, (120, 40)) as terminal:
        app.pane.show_store(app.store)
        app.pane.show_store(app.store, {"gpu1"})
        app.pane.show_store(app.store, set())
        assert await terminal.written() == ""


async def test_an_age_is_written_when_its_text_changes_and_not_before() -> None:
    app = app_of()
    async with on_terminal(app, (120, 40)) as terminal:
        app.pane.clock = lambda: fleets.NOW + timedelta(seconds=30)
        app.pane.show_store(app.store, set())
        assert await terminal.written() == ""
        app.pane.clock = lambda: fleets.NOW + timedelta(hours=1)
        app.pane.show_store(app.store, set())
        assert "7h" in await terminal.written()


@pytest.mark.parametrize("size", SIZES)
async def test_one_changed_server_writes_at_most_300_bytes(size: tuple[int, int]) -> None:
    app = app_of()
    async with on_terminal(app, size) as terminal:
        view = fleets.gpu1()
        busy = replace(view.servers[1], rss=5 * fleets.G, cpu_percent=80.0)
        app.store.apply(replace(view, servers=(view.servers[0], busy)))
        app.pane.show_store(app.store, {"gpu1"})
        written = await terminal.written()
        assert ("7.1" in written) is (size[0] > 45)
        assert len(written.encode()) <= 300


async def test_a_host_that_comes_up_is_shown_with_its_servers_under_it() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G")
        app.store.apply(replace(fleets.locked(), name="hpc"))
        app.store.patch("lab-pi", state=HostState.UP, error=None, seen_at=fleets.NOW)
        app.pane.show_store(app.store, {"hpc", "lab-pi"})
        await pilot.pause()
        assert app.pane.subject == Subject("lab-pi")
        assert "▾ hpc" in screen(app)
        assert "● locked" in screen(app)
        assert "No Jupyter server runs on lab-pi." in screen(app)


def gpu1_with(*servers: Server) -> HostView:
    return replace(fleets.gpu1(), servers=servers)


async def test_a_server_that_goes_leaves_the_cursor_to_its_host_and_gets_it_back() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j", "j", "j")
        lab, notebook = fleets.gpu1().servers
        for servers, subject in (((notebook,), Subject("gpu1")), ((), Subject("gpu1")), ((notebook, lab), LAB)):
            app.store.apply(gpu1_with(*servers))
            app.pane.show_store(app.store)
            await pilot.pause()
            assert app.pane.subject == subject == app.selected[-1]


@pytest.mark.parametrize("size", SIZES)
async def test_one_that_fails_again_and_again_says_so_in_its_row(size: tuple[int, int]) -> None:
    app = app_of()
    async with app.run_test(size=size) as pilot:
        lab = fleets.gpu1().servers[0]
        died = Death(Cause.FAILED, "ended by ValueError: no address", fleets.NOW, restarts=27)
        app.store.apply(gpu1_with(replace(lab, health=Health.STARTING, died=died)))
        app.pane.show_store(app.store)
        await pilot.press("j", "j", "j")
        said = "✖ ended 27 times,…" if size[0] == 45 else "✖ ended 27 times, by ValueError: no address"
        assert said in app.lines[3 if size[0] == 45 else 4]
        if size[0] > 45:
            assert "It ended 27 times, by ValueError: no address; the last time a moment ago." in screen(app)


async def test_a_stopped_unit_keeps_its_row_and_says_what_starts_it() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        app.store.apply(gpu1_with(as_stopped(fleets.gpu1().servers[0])))
        app.pane.show_store(app.store)
        await pilot.press("j", "j", "j")
        assert "○ stopped  user unit lab" in " ".join(app.lines[4].split("   "))
        assert "lab.service is stopped: u starts it." in screen(app)


def exposed(health: Health = Health.OK) -> HostView:
    lab, notebook = fleets.gpu1().servers
    return gpu1_with(replace(lab, bind="all", kernels=()), replace(notebook, bind="10.0.0.5", health=health))


@pytest.mark.parametrize("size", [SIZES[0], SIZES[-1]])
async def test_whom_a_server_listens_to_is_said_first_and_never_cut(size: tuple[int, int]) -> None:
    app = app_of(Store((exposed(),)))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        lab, notebook = (next(line for line in app.lines if name in line) for name in ("lab :8888", "notebook :8890"))
        assert "everyone, u" in lab
        assert "10.0.0.5, " in notebook


async def test_a_narrow_list_says_that_a_server_without_kernels_is_up() -> None:
    lab, _notebook = fleets.gpu1().servers
    app = app_of(Store((gpu1_with(replace(lab, kernels=())),)))
    async with app.run_test(size=(45, 24)) as pilot:
        await pilot.pause()
        assert "● up " in app.lines[1]


async def test_below_a_narrow_list_the_room_left_tells_of_the_server_that_is_selected() -> None:
    app = app_of(Store((exposed(),)))
    async with app.run_test(size=(45, 24)) as pilot:
        await pilot.press("j")
        await pilot.pause()
        for fact in ("https://localhost:8888/lab", "password", "everyone, user unit lab", "~/experiments", "27 days"):
            assert fact in screen(app)
        rule = app.lines.index(next(line for line in app.lines if "──" in line))
        await pilot.press("k")
        await pilot.pause()
        assert "──" in app.lines[rule], "moving about does not move the screen"
        for height in (5, 24):
            await pilot.resize_terminal(45, height)
            async with asyncio.timeout(5):
                while ("800G free on disk" in screen(app)) is not (height == 24):
                    await pilot.pause()
            assert "notebook :8890" in screen(app)
