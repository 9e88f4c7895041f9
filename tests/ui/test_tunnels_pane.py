"""The Tunnels pane on tunnels made by hand; tests/e2e/test_tunnels.py has real ones."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from jupytui.actions.table import BY_ID
from jupytui.config.model import TunnelEntry
from jupytui.fleet.subject import Scope, Subject
from jupytui.tunnels.keeper.client import KeeperClient, Listener
from jupytui.tunnels.models import Address, Behind, Status, Trouble, Tunnel, TunnelKind, TunnelState
from jupytui.ui.format import tunnels
from jupytui.ui.panes.tunnels import TunnelsPane
from jupytui.ui.program import Program
from tests.ui import fleets
from tests.ui.program import SIZES, desk, running, settled, text

NOW = time.time()
LAB = Status(
    Tunnel("gpu1-8888", "gpu1", local=Address("127.0.0.1", 8888), to=Address("localhost", 8888)),
    TunnelState.UP,
    NOW - 2 * 3600 - 60,
    Address("127.0.0.1", 8888),
    reconnects=3,
    open_connections=2,
    connections=41,
    bytes_out=2 * 2**20,
    bytes_in=31 * fleets.G,
)
WAITING = Status(
    Tunnel("far", "gpu1", local=Address("127.0.0.1", 9000), to=Address("db", 5432)),
    TunnelState.WAITING,
    NOW - 65,
    Address("127.0.0.1", 9000),
    error=Trouble("gpu1 does not answer.", "Is it awake?"),
    next_try=NOW + 30,
)
ASKING = Status(Tunnel("asks", "gpu1", TunnelKind.SOCKS, Address("127.0.0.1", 1080)), TunnelState.ASKING, NOW)
REMOTE = Status(
    Tunnel("back", "gpu1", TunnelKind.REMOTE, Address("127.0.0.1", 7000), Address("localhost", 80)),
    TunnelState.FAILED,
    NOW,
    error=Trouble("gpu1 may not listen there.", "Choose another port."),
)
HOSTILE = tuple(
    replace(WAITING, tunnel=replace(WAITING.tunnel, name=name), error=Trouble(name, name)) for name in fleets.HOSTILE
)


class StandInTunnels:
    """A stand-in for the way to the keeper: it knows what it is told."""

    def __init__(self) -> None:
        self.known: dict[str, Status] = {}
        self.listeners: list[Listener] = []
        self.awaited: set[str] = set()
        self.trouble = None

    def statuses(self) -> tuple[Status, ...]:
        return tuple(self.known.values())

    def status(self, name: str) -> Status | None:
        return self.known.get(name)

    def put(self, status: Status | None, name: str = "") -> None:
        if status:
            self.known[status.tunnel.name] = status
        else:
            del self.known[name]
        for listener in self.listeners:
            listener(status.tunnel.name if status else name, status)

    async def keeper(self) -> KeeperClient:
        raise AssertionError("nobody is to be asked")

    def subscribe(self, listener: Listener) -> None:
        self.listeners.append(listener)
        for name, status in self.known.items():
            listener(name, status)

    async def close(self) -> None:
        pass


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInTunnels]:
    found = StandInTunnels()
    monkeypatch.setattr("jupytui.ui.live.Tunnels", lambda *_args: found)
    yield found


@asynccontextmanager
async def shown(
    home: Path, size: tuple[int, int] = (120, 40), **more: Any
) -> AsyncIterator[tuple[Program, Pilot[int], TunnelsPane]]:
    async with running(home, size, [fleets.local(), fleets.gpu1()], **more) as (program, pilot):
        await pilot.press("5", "5")  # of all hosts
        await settled(pilot)
        pane = program.main.pane
        assert isinstance(pane, TunnelsPane)
        yield program, pilot, pane


@pytest.mark.parametrize("size", [*SIZES, (45, 30), (30, 20), (200, 50)])
async def test_name_and_state_are_never_cut_away(tmp_path: Path, known: StandInTunnels, size: tuple[int, int]) -> None:
    for status in (LAB, WAITING, ASKING, REMOTE, replace(LAB, tunnel=replace(LAB.tunnel, name="x" * 60))):
        known.put(status)
    async with shown(tmp_path, size) as (program, pilot, _pane):
        seen = text(program)
        for words in ("far", "asks", "back", "● up", "◐ waiting", "▲ waiting for you", "✖ failed"):
            assert words in seen, seen
        assert all(cell_len(line) <= size[0] for line in seen.split("\n"))
        await pilot.press("G", "g", "s", "s", "s")
        assert program.is_running


async def test_the_wide_layout_says_everything_of_a_tunnel(tmp_path: Path, known: StandInTunnels) -> None:
    known.put(LAB)
    async with shown(tmp_path) as (program, _pilot, pane):
        lines = [" ".join(line.split()) for line in text(program).split("\n")]
        assert "TUNNEL HOST KIND FROM TO STATE SINCE RECONNECTS OPEN OUT IN" in lines
        assert "› gpu1-8888 gpu1 local :8888 :8888 ● up 2h 3 2 2.0M 31G" in lines
        assert any("127.0.0.1:8888 leads to localhost:8888 on gpu1 · up 2h · 3 reconnects" in line for line in lines)
        assert "1 tunnel · 1 up · 2 open · 31G by state" in lines
        assert pane.subject == Subject("gpu1", tunnel="gpu1-8888")
        assert pane.subject.scope is Scope.TUNNEL


@pytest.mark.parametrize("size", [(120, 40), (45, 30)])
async def test_what_is_wrong_is_said_in_words_with_the_next_try(
    tmp_path: Path, known: StandInTunnels, size: tuple[int, int]
) -> None:
    known.put(WAITING)
    async with shown(tmp_path, size) as (program, _pilot, _pane):
        seen = " ".join(text(program).split())
        assert "gpu1 does not answer. Is it awake? Next try at " in seen
        assert "r retry now" in seen


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_text_is_text(tmp_path: Path, known: StandInTunnels, size: tuple[int, int]) -> None:
    for status in HOSTILE:
        known.put(status)
    async with shown(tmp_path, size) as (program, pilot, _pane):
        assert "[/]" in text(program)
        for _ in HOSTILE:
            await pilot.press("j")
            await pilot.click(offset=(8, 4))
        await settled(pilot)
        assert program.is_running


async def test_a_change_is_drawn_at_the_tick_and_an_equal_one_writes_nothing(
    tmp_path: Path, known: StandInTunnels, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.put(LAB)
    async with shown(tmp_path) as (_program, pilot, pane):
        painted: list[object] = []
        monkeypatch.setattr(pane._rows, "refresh", lambda *regions, **_more: painted.append(regions))
        known.put(LAB)
        await settled(pilot)
        assert painted == []
        known.put(replace(LAB, state=TunnelState.DOWN))
        await settled(pilot)
        assert painted


async def test_counters_alone_wait_for_their_second(tmp_path: Path, known: StandInTunnels) -> None:
    known.put(LAB)
    async with shown(tmp_path) as (program, pilot, pane):
        drawn: list[object] = []
        before = program.main.host_differs
        program.main.host_differs = drawn.append  # type: ignore[method-assign, assignment]
        for count in range(1, 20):
            known.put(replace(LAB, bytes_in=count, open_connections=count))
        assert drawn == []
        pane._count()
        await settled(pilot)
        assert "19" in text(program)
        program.main.host_differs = before  # type: ignore[method-assign]


async def test_an_empty_pane_says_what_to_do_next(tmp_path: Path, known: StandInTunnels) -> None:
    async with shown(tmp_path, (45, 30)) as (program, pilot, pane):
        assert "No tunnel yet. t adds one" in " ".join(text(program).split())
        known.put(LAB)
        pane.narrow_to(Subject("local"))
        await settled(pilot)
        assert "No tunnel to this machine; 5 shows the others." in " ".join(text(program).split())


async def test_the_scope_narrows_to_a_host_and_the_filter_to_words(tmp_path: Path, known: StandInTunnels) -> None:
    known.put(LAB)
    known.put(replace(WAITING, tunnel=replace(WAITING.tunnel, host="local")))
    async with shown(tmp_path) as (program, pilot, pane):
        assert pane.filter_by("waiting 5432") == 1
        assert pane.filter_by("") == 2
        await pilot.press("1", "j", "j")
        desk(program).do("host.tunnels")
        while "gpu1 · 1 tunnel" not in text(program):
            await pilot.pause(0.01)
        assert "gpu1-8888" in text(program)
        assert "db:5432" not in text(program)


async def test_what_only_hosts_toml_names_is_there_and_down(tmp_path: Path, known: StandInTunnels) -> None:
    async with shown(tmp_path) as (program, pilot, _pane):
        context = desk(program).work.context
        entry = TunnelEntry("listed", "gpu1", "8888", 8888)
        context.config = type(context.config)(context.config.path, hosts=context.config.hosts, tunnels=(entry,))
        program.main.host_differs("gpu1")
        await settled(pilot)
        line = next(line for line in text(program).split("\n") if "listed" in line)
        assert " ".join(line.split()) == "› listed gpu1 local :8888 :8888 ○ down – 0 0 0 0"


@pytest.mark.parametrize(
    ("status", "words"),
    [(LAB, ["open", "down"]), (WAITING, ["retry now", "down"]), (REMOTE, ["up", "down"]), (ASKING, ["retry now"])],
)
async def test_only_what_makes_sense_is_hinted(status: Status, words: list[str]) -> None:
    assert [word for _verb, word in tunnels.verbs(status)][: len(words)] == words


async def test_actions_are_greyed_with_a_reason_and_none_is_a_hosts(tmp_path: Path, known: StandInTunnels) -> None:
    known.put(LAB)
    async with shown(tmp_path) as (program, pilot, pane):
        entries = {entry.id: entry for entry in desk(program).verbs.menu(desk(program).work.context, pane.chosen)}
        assert entries["tunnel.up"].why_not == "gpu1-8888 is up already, or on its way."
        assert entries["tunnel.down"].why_not == ""
        assert {BY_ID[verb].scope for verb in entries} == {Scope.TUNNEL, Scope.FLEET}
        await pilot.press("enter")
        await settled(pilot)
        assert "Take tunnel down" in text(program)
    async with shown(tmp_path, read_only=True) as (program, _pilot, pane):
        assert pane.own_hints == ()


async def test_what_goes_through_it_is_named_before_it_is_taken_down(tmp_path: Path, known: StandInTunnels) -> None:
    known.put(LAB)
    async with shown(tmp_path) as (program, pilot, _pane):
        await pilot.press("S")
        while len(program.screen_stack) == 1:
            await pilot.pause(0.01)
        await settled(pilot)
        seen = " ".join(text(program).split())
        assert "2 open connections through it will break" in seen
        assert "jupytui tunnel down gpu1-8888" in seen


async def test_a_server_with_a_tunnel_says_so_in_the_fleet(tmp_path: Path, known: StandInTunnels) -> None:
    known.put(replace(LAB, tunnel=replace(LAB.tunnel, behind=Behind())))
    async with running(tmp_path, (160, 40), [fleets.gpu1()]) as (program, pilot):
        await pilot.press("j")
        await settled(pilot)
        assert "tunnel :8888 ● up 2h" in text(program)
        known.put(replace(WAITING, tunnel=LAB.tunnel))
        await settled(pilot)
        assert "◐ waiting" in text(program)
