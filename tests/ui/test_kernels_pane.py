from __future__ import annotations

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import KernelState
from jupytui.ui.panes.kernels import KernelsPane
from tests.ui import fleets
from tests.ui.host_app import PaneApp
from tests.ui.terminal import on_terminal

SIZES = [(45, 24), (80, 24), (120, 40)]
TRAIN = Subject("gpu1", "gpu1:8888", "kernel-experiments/train.ipynb")


def app_of(store: Store | None = None) -> PaneApp:
    return PaneApp(KernelsPane(), fleets.fleet() if store is None else store)


def screen(app: PaneApp) -> str:
    return "\n".join(app.lines)


def pane_of(app: PaneApp) -> KernelsPane:
    assert isinstance(app.pane, KernelsPane)
    return app.pane


@pytest.mark.parametrize("size", [*SIZES, (30, 20), (200, 50)])
async def test_notebook_state_and_memory_are_never_cut_away(size: tuple[int, int]) -> None:
    app = app_of(fleets.everything())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert {cell_len(line) for line in app.lines} == {size[0]}
        shown = screen(app)
        for words in ("eval.ipynb", "● busy", "○ idle", "1.1G"):
            assert words in shown
        await pilot.press("G")
        await pilot.click(offset=(6, 3))
        assert app.is_running


async def test_the_wide_layout_has_every_column_of_the_design() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        titles = "NOTEBOOK SERVER SPEC STATE SINCE PID CPU RAM GPU CLIENTS RESTARTS"
        assert " ".join(app.lines[0].split()) == titles
        assert " ".join(app.lines[6].split()) == "train.ipynb gpu1:8888 torch ● busy 41m 40211 612% 30G 11G 1 0"


async def test_the_scope_narrows_the_list_and_a_kernel_gets_the_cursor() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        pane_of(app).narrow_to(Subject("gpu1"))
        await pilot.pause()
        assert "fit.ipynb" not in screen(app)
        assert "gpu1 · 5 kernels · 1 busy" in screen(app)
        pane_of(app).narrow_to(TRAIN)
        await pilot.pause()
        assert app.pane.subject == TRAIN
        assert "(no notebook)" not in screen(app)
        assert "gpu1:8888 · 2 kernels · 1 busy · 31G RAM · 11G GPU" in screen(app)
        pane_of(app).narrow_to(Subject())
        await pilot.pause()
        assert "fit.ipynb" in screen(app)


async def test_sorts_go_from_the_largest_and_idle_from_the_longest() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        firsts = []
        for _ in KernelsPane.SORTS:
            await pilot.press("s", "g")
            firsts.append((pane_of(app).order, app.lines[1].split()[1]))
        assert firsts == [
            ("cpu", "train.ipynb"),
            ("ram", "train.ipynb"),
            ("gpu", "train.ipynb"),
            ("idle longest", "(no"),
            ("name", "(no"),
        ]


async def test_kernels_of_a_server_that_lets_nobody_in_are_of_unknown_state() -> None:
    app = app_of(Store([fleets.locked()]))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert " ".join(app.lines[1].split()) == "› (no notebook) pi:8888 python3 ? unknown – 99 3% 256M – – –"


async def test_kernels_of_a_host_that_is_away_are_dim_and_it_is_said() -> None:
    app = app_of(Store([fleets.stale(), fleets.local()]))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "not seen now: gpu2" in screen(app)


async def test_a_scope_without_kernels_says_so_and_why() -> None:
    app = app_of()
    async with app.run_test(size=(45, 24)) as pilot:
        pane_of(app).narrow_to(Subject("lab-pi"))
        await pilot.pause()
        said = " ".join(screen(app).split())
        assert "lab-pi is not connected: which kernels run there is not known." in said
        assert "NOTEBOOK" not in said
        app.store.apply(replace(fleets.gpu1(), servers=()))
        app.pane.show_store(app.store, {"gpu1"})
        pane_of(app).narrow_to(Subject("gpu1"))
        await pilot.pause()
        assert "No kernel runs on gpu1." in screen(app)


async def test_a_filter_looks_at_notebook_server_spec_and_state() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)):
        assert app.pane.filter_by("TORCH busy") == 1
        assert app.pane.filter_by("8890") == 3
        assert app.pane.filter_by("40377") == 1
        assert app.pane.filter_by("") == 6


async def test_marks_are_counted_and_are_what_an_action_is_about() -> None:
    app = app_of()
    async with app.run_test(size=(120, 40)) as pilot:
        pane_of(app).narrow_to(Subject("gpu1", "gpu1:8888"))
        await pilot.press("space", "space")
        await pilot.pause()
        assert "2 marked · by name" in screen(app)
        assert [subject.kernel for subject in app.pane.chosen] == [
            "kernel-experiments/eval.ipynb",
            "kernel-experiments/train.ipynb",
        ]


async def test_a_look_that_found_nothing_new_writes_nothing() -> None:
    app = app_of(fleets.many_kernels(1000))
    async with on_terminal(app, (120, 40)) as terminal:
        app.pane.show_store(app.store)
        app.pane.show_store(app.store, {"h1"})
        assert await terminal.written() == ""


@pytest.mark.parametrize("size", SIZES)
async def test_a_kernel_that_gets_busy_writes_at_most_300_bytes(size: tuple[int, int]) -> None:
    app = app_of()
    async with on_terminal(app, size) as terminal:
        view = fleets.gpu1()
        train, idle = view.servers[0].kernels
        busy = replace(idle, state=KernelState.BUSY, cpu_percent=98.0, last_activity=fleets.NOW)
        app.store.apply(replace(view, servers=(replace(view.servers[0], kernels=(train, busy)), view.servers[1])))
        app.pane.show_store(app.store, {"gpu1"})
        written = await terminal.written()
        assert "● busy" in written
        assert len(written.encode()) <= 300


@pytest.mark.parametrize("down", range(4))
async def test_the_selected_kernel_and_the_sums_together_write_at_most_300_bytes(down: int) -> None:
    app = app_of(fleets.many_kernels(1000))
    async with on_terminal(app, (120, 40)) as terminal:
        app.pane._rows.action_move(down)
        await terminal.written()
        app.action_change()
        written = await terminal.written()
        assert "1000 kernels" in written and "1%" in written
        assert len(written.encode()) <= 300


async def test_a_kernel_that_ends_leaves_the_cursor_on_its_neighbour() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)) as pilot:
        pane_of(app).narrow_to(TRAIN)
        view = fleets.gpu1()
        left = replace(view.servers[0], kernels=view.servers[0].kernels[1:])
        app.store.apply(replace(view, servers=(left, view.servers[1])))
        app.pane.show_store(app.store, {"gpu1"})
        await pilot.pause()
        assert app.selected[-1] == Subject("gpu1", "gpu1:8888", "kernel-experiments/eval.ipynb")
        assert "train.ipynb" not in screen(app)


async def test_hosts_that_did_not_change_are_not_worked_out_again() -> None:
    app = app_of()
    async with app.run_test(size=(80, 24)):
        pane = pane_of(app)
        before = dict(pane._by_host)
        pane.show_store(app.store, {"gpu1"})
        assert pane._by_host["local"] is before["local"]
        assert pane._by_host["gpu1"] is not before["gpu1"]
