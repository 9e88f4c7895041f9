"""What ended between two looks, and what of it is kept in view."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from jupytui.fleet import deaths
from jupytui.fleet.deaths import Deaths
from jupytui.fleet.endings import Case, Picture, cases, left_behind, picture_of
from jupytui.fleet.evidence import Place
from jupytui.fleet.facts import Facts, Machine, Now
from jupytui.hosts.base import Host, HostState, HostTrouble
from jupytui.jupyter.deaths import Evidence
from jupytui.jupyter.models import App, Cause, Health, Kernel, KernelState, Server
from jupytui.jupyter.runtime import RuntimeFile
from tests.fleet.scripted import ScriptedHost

RESTARTING = "AsyncIOLoopKernelRestarter: restarting kernel (1/5), keep random ports"


def facts(up: float = 100.0, oom: int | None = 0, boot: str = "b", **fields: object) -> Facts:
    return Facts(machine=Machine(boot_id=boot, boot_time=1000), now=Now(up=up, oom_kills=oom), **fields)  # type: ignore[arg-type]


def server(*kernels: Kernel, pid: int = 7, health: Health = Health.OK, id: str = "h:8888") -> Server:
    return Server(id, pid, App.LAB, health=health, kernels=kernels)


def kernel(pid: int | None = 70, state: KernelState = KernelState.IDLE, id: str = "k") -> Kernel:
    return Kernel(id, state=state, pid=pid, path="fit.ipynb")


def ended(was: Server, is_: tuple[Server, ...], after: Facts | None = None, before: Facts | None = None) -> list[Case]:
    earlier = picture_of(Picture(), (was,), before or facts())
    after = after or facts(103.0)
    return list(cases(earlier, picture_of(earlier, is_, after), after))


def test_a_kernel_that_goes_on_has_not_ended() -> None:
    assert ended(server(kernel()), (server(kernel(state=KernelState.BUSY)),)) == []


def test_a_kernel_dead_replaced_or_vanished_has_ended() -> None:
    for now in (server(kernel(None, KernelState.DEAD)), server(kernel(71)), server()):
        (case,) = ended(server(kernel()), (now,), facts(103.0, 1, ended={70: 9}))
        assert (case.ending.pid, case.ending.kernel, case.ending.status, case.ending.oom) == (70, "k", 9, True)
        assert case.place.since == 1100


def test_a_kernel_nobody_names_until_it_is_back_has_ended_twice_for_both_tell_something() -> None:
    first = picture_of(Picture(), (server(kernel()),), facts(100))
    second = picture_of(first, (server(),), facts(103, ended={70: 9}))
    third = picture_of(second, (server(),), facts(106))
    fourth = picture_of(third, (server(kernel(71)),), facts(109))
    assert list(cases(second, third, facts(106))) == []
    (case,) = cases(third, fourth, facts(109))
    assert (case.ending.pid, case.ending.status, case.place.since) == (70, 9, 1100)
    assert picture_of(third, (server(),), facts(170)).lives == {}


def test_a_kernel_seen_as_it_is_ending_is_told_of_again_when_its_status_is_there() -> None:
    first = picture_of(Picture(), (server(kernel()),), facts(100))
    ending = picture_of(first, (server(),), facts(103))
    ended = picture_of(ending, (server(),), facts(106, ended={70: 9}))
    assert [case.ending.status for case in cases(first, ending, facts(103))] == [None]
    assert [case.ending.status for case in cases(ending, ended, facts(106, ended={70: 9}))] == [9]


def test_a_dead_kernel_that_is_given_up_has_ended_once_more() -> None:
    first = picture_of(Picture(), (server(kernel()),), facts(100))
    dead = picture_of(first, (server(kernel(None, KernelState.DEAD)),), facts(103))
    gone = picture_of(dead, (server(),), facts(106))
    assert len(list(cases(first, dead, facts(103)))) == len(list(cases(dead, gone, facts(106)))) == 1


def test_a_server_that_left_its_file_behind_has_ended_and_its_kernels_with_it() -> None:
    (case,) = ended(server(kernel()), (server(pid=7, health=Health.STALE),))
    assert (case.kernel, case.ending.pid, case.ending.left) == (None, 7, True)


def test_a_reboot_ends_everything_and_is_no_death() -> None:
    assert ended(server(kernel()), (), facts(3.0, boot="c")) == []


def test_another_users_server_is_none_of_our_business() -> None:
    assert ended(server(health=Health.UNREADABLE), ()) == []


def test_a_file_from_before_the_boot_speaks_of_the_reboot() -> None:
    stale = (server(health=Health.STALE),)
    (old,) = left_behind(stale, facts(files=(RuntimeFile("p", 900, 7),)))
    (new,) = left_behind(stale, facts(files=(RuntimeFile("p", 1050, 7),)))
    assert (old.ending.rebooted, new.ending.rebooted) == (True, False)


class Story:
    """Deaths of a host whose evidence is scripted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *evidence: Evidence | Exception) -> None:
        self.asked: list[Place] = []
        self._evidence = list(evidence)
        self.up = 100.0
        monkeypatch.setattr(deaths, "gather", self._gather)
        host: Host = ScriptedHost()
        self.deaths = Deaths(host)

    async def _gather(self, _host: Host, place: Place) -> Evidence:
        self.asked.append(place)
        given = self._evidence.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    async def look(self, *servers: Server) -> tuple[Server, ...]:
        """Look, and let what was begun come to its end."""
        self.up += 3
        seen = self.deaths.view(servers, facts(self.up))
        for _ in range(5):
            await asyncio.sleep(0)
        return seen


@pytest.fixture
def dead() -> Evidence:
    return Evidence(log=(RESTARTING,))


async def test_a_death_is_in_the_next_view_and_gathered_once(monkeypatch: pytest.MonkeyPatch, dead: Evidence) -> None:
    story = Story(monkeypatch, dead)
    await story.look(server(kernel()))
    assert (await story.look(server(kernel(71))))[0].kernels[0].died is None
    for _ in range(3):
        died = (await story.look(server(kernel(71))))[0].kernels[0].died
        assert died and (died.restarts, died.limit) == (1, 5)
    assert len(story.asked) == 1


async def test_kernels_that_die_together_are_one_command(monkeypatch: pytest.MonkeyPatch, dead: Evidence) -> None:
    story = Story(monkeypatch, dead)
    await story.look(server(*(kernel(70 + i, id=f"k{i}") for i in range(30))))
    await story.look(server(*(kernel(170 + i, id=f"k{i}") for i in range(30))))
    (seen,) = await story.look(server(*(kernel(170 + i, id=f"k{i}") for i in range(30))))
    assert all(each.died for each in seen.kernels)
    assert len(story.asked) == 1


async def test_one_that_vanished_is_shown_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, Evidence(log=("Kernel k died, removing from map.",)))
    await story.look(server(kernel()))
    await story.look(server())
    (ghost,) = (await story.look(server()))[0].kernels
    assert (ghost.state, ghost.path, ghost.pid) == (KernelState.DEAD, "fit.ipynb", None)
    later = datetime.now(UTC) + timedelta(seconds=deaths.KEPT + 1)
    monkeypatch.setattr(deaths, "datetime", type("Later", (), {"now": staticmethod(lambda _zone: later)}))
    assert (await story.look(server()))[0].kernels == ()


async def test_one_that_works_again_for_long_is_well(monkeypatch: pytest.MonkeyPatch, dead: Evidence) -> None:
    story = Story(monkeypatch, dead)
    for pid in (70, 71, 71):
        await story.look(server(kernel(pid)))
    later = datetime.now(UTC) + timedelta(seconds=deaths.SETTLED + 1)
    monkeypatch.setattr(deaths, "datetime", type("Later", (), {"now": staticmethod(lambda _zone: later)}))
    assert (await story.look(server(kernel(71))))[0].kernels[0].died is None


async def test_a_dismissed_one_does_not_come_back(monkeypatch: pytest.MonkeyPatch, dead: Evidence) -> None:
    story = Story(monkeypatch, dead)
    for pid in (70, 71, 71):
        await story.look(server(kernel(pid)))
    story.deaths.dismiss("h:8888", "k")
    assert (await story.look(server(kernel(71))))[0].kernels[0].died is None


async def test_what_an_action_ends_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch)
    await story.look(server(kernel()))
    story.deaths.expect("h:8888", "k")
    await story.look(server(kernel(None, KernelState.DEAD)))
    await story.look(server(kernel(71)))
    story.deaths.expect("h:8888", None)
    assert await story.look() == ()
    assert story.asked == []


async def test_a_link_that_is_cut_meanwhile_only_delays_it(monkeypatch: pytest.MonkeyPatch, dead: Evidence) -> None:
    story = Story(monkeypatch, HostTrouble(HostState.DOWN, "lost"), dead)
    for pid in (70, 71, 71):
        await story.look(server(kernel(pid)))
    assert (await story.look(server(kernel(71))))[0].kernels[0].died


async def test_a_server_that_died_and_is_back_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "jupyter.service: Main process exited, code=killed, status=9/KILL"
    story = Story(monkeypatch, Evidence(log=(line,)))
    await story.look(server(kernel()))
    await story.look()
    (gone,) = await story.look()
    assert gone.health is Health.STALE and gone.died and gone.died.cause is Cause.KILLED
    (back,) = await story.look(server(pid=9))
    assert back.health is Health.OK and back.died == gone.died


async def test_one_that_fails_again_and_again_is_never_out_of_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "jupyter.service: Main process exited, code=killed, status=9/KILL"
    story = Story(monkeypatch, *[Evidence(log=(line,), unit={"NRestarts": f"{count}"}) for count in (1, 2)])
    await story.look(server(health=Health.STARTING))
    for _ in range(2):
        await story.look(server(pid=8, health=Health.STARTING))
    (again,) = await story.look()
    assert (again.health, again.died and again.died.restarts) == (Health.STALE, 1)
    (again,) = await story.look(server(pid=9, health=Health.STARTING))
    assert again.died and again.died.restarts == 2


def test_what_one_that_never_came_up_said_is_looked_for_from_its_start() -> None:
    starting = msgspec.structs.replace(server(health=Health.STARTING), started_at=datetime.fromtimestamp(1090, UTC))
    (case,) = ended(starting, ())
    assert case.place.since == 1090


async def test_a_single_look_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch)
    await story.look(server(health=Health.STALE))
    assert story.asked == []


def test_a_picture_holds_no_ghosts() -> None:
    assert not picture_of(Picture(), (server(kernel(None, KernelState.DEAD)),), facts()).lives
    assert msgspec.json.encode(server(kernel()))
