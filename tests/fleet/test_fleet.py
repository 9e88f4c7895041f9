"""The fleet as a whole, with hosts that play a script."""

from __future__ import annotations

import asyncio
from typing import cast

from jupytui.fleet.fleet import Fleet
from jupytui.fleet.store import Store
from jupytui.fleet.watch import Watcher
from jupytui.hosts.base import Host, HostState, HostTrouble, Nobody
from tests.fleet.scripted import ScriptedHost, ScriptedLooker

REFUSED = HostTrouble(HostState.AUTH_FAILED, "h refused the key.", "Check it.")
AWAY = HostTrouble(HostState.UNREACHABLE, "h does not answer.", "Is it awake?")


async def test_who_is_back_at_the_terminal_logs_in_nowhere_where_it_was_refused() -> None:
    fleet = Fleet(Store(), lambda _host: Nobody())
    hosts = {"gpu8": ScriptedHost("gpu8", [REFUSED] * 2), "gpu9": ScriptedHost("gpu9", [AWAY] * 9)}
    for name, host in hosts.items():
        fleet._watchers[name] = Watcher(cast(Host, host), ScriptedLooker(), fleet.store, fleet.pace)
    fleet.start()
    await asyncio.gather(*(host.closed.wait() for host in hosts.values()))
    await asyncio.wait_for(fleet.catch_up(), 5)
    assert [host.calls.count("connect") for host in hosts.values()] == [1, 2]
    await fleet.close()
