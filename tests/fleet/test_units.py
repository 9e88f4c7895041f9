"""A server keeps its name and its row while its unit starts, fails, or is stopped."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from jupytui.fleet.servers import by_address
from jupytui.fleet.units import Units
from jupytui.hosts.base import Finished
from jupytui.jupyter.models import App, Health, Server, Unit
from tests.fleet.scripted import ScriptedHost

UNIT = Unit("lab.service", "user")
LAB = Server("h:8888", 7, App.LAB, port=8888, url="http://localhost:8888/", root_dir="/w", unit=UNIT, rss=1)
STARTING = Server("h:#lab.service", 8, App.LAB, unit=UNIT, health=Health.STARTING)


class Systemd(ScriptedHost):
    """Says whether there is the unit it is asked about."""

    def __init__(self, load_state: str = "loaded") -> None:
        super().__init__()
        self.load_state = load_state
        self.asked: list[tuple[str, ...]] = []

    async def run(
        self, script: str, *args: str, stdin: bytes = b"", deadline: float = 30.0, max_output: int = 0
    ) -> Finished:
        self.asked.append(args)
        return Finished(0, f"LoadState={self.load_state}\n".encode(), b"")


def look(units: Units, *servers: Server) -> tuple[Server, ...]:
    return units.with_stopped(units.named(servers))


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_that_does_not_listen_yet_goes_by_the_address_it_had() -> None:
    units = Units(Systemd())
    assert look(units, STARTING) == (STARTING,)
    look(units, LAB)
    (starting,) = look(units, STARTING)
    assert (starting.id, starting.port, starting.root_dir) == ("h:8888", 8888, "/w")
    assert (starting.pid, starting.health) == (8, Health.STARTING)


async def test_one_whose_unit_runs_nothing_is_stopped_and_no_longer_when_it_runs() -> None:
    units = Units(Systemd())
    look(units, LAB)
    (stopped,) = look(units)
    assert (stopped.id, stopped.unit, stopped.health, stopped.rss) == (LAB.id, UNIT, Health.STALE, None)
    moved = replace(LAB, id="h:9999", port=9999)
    assert look(units, moved) == (moved,)
    await units.close()


async def test_what_ran_when_somebody_looked_last_is_known() -> None:
    units = Units(Systemd(), [LAB])
    assert [server.id for server in look(units)] == ["h:8888"]
    await units.close()


async def test_a_file_it_left_behind_is_no_second_row() -> None:
    units = Units(Systemd(), [LAB])
    (left,) = look(units, replace(LAB, unit=None, health=Health.STALE))
    assert (left.id, left.unit, left.health) == (LAB.id, UNIT, Health.STALE)


async def test_a_unit_that_was_removed_is_forgotten_and_systemd_is_asked_seldom() -> None:
    host = Systemd()
    units = Units(host, [LAB])
    for _ in range(5):
        assert look(units)
        await settled()
    assert host.asked == [("user", "lab.service")]
    host.load_state = "not-found"
    units.renew()
    look(units)
    await settled()
    assert look(units) == ()


def test_servers_are_ordered_by_port_and_then_by_socket_whatever_their_processes() -> None:
    ports = [replace(LAB, id=f"h:{port}", port=port, pid=pid) for pid, port in ((9, 8888), (5, 8890), (7, 10000))]
    sock = replace(LAB, id="h:/s", port=None, sock="/s", pid=1)
    assert sorted([sock, *reversed(ports)], key=by_address) == [*ports, sock]
