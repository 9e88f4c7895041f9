"""Why kernels and servers of real hosts died, as an ordinary user sees it: alice may not read the kernel log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from jupytui.fleet.models import HostView
from jupytui.fleet.probe import Probe
from jupytui.hosts.base import Destination, Nobody
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.jupyter.models import Cause, Death, Health, Kernel, KernelState, Unit
from tests.lab.host import LabHost
from tests.lab.jupyter import VENV, JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab
from tests.lab.memory import memory_limit

UNIT = Recipe("unit", "user-unit", "fit.ipynb", token="unit-token")
# After the kernel has told that it is done, else nobody would hear of it.
SOON = "import ctypes, threading; threading.Timer(0.5, lambda: {}).start()"


@pytest.fixture
def there(lab: Lab, fresh_host: LabHost) -> JupyterServer:
    return start_jupyter(lab, fresh_host, UNIT)


@pytest.fixture
async def probe(lab: Lab, there: JupyterServer) -> AsyncIterator[Probe]:
    name = there.host.name
    made = Probe(open_host(Destination(name, ssh=name, ssh_config=str(lab.ssh_config)), Nobody(), Gates()))
    await made.host.connect()
    await made.look()
    await made.look()
    yield made
    await made.close()
    await made.host.close()


async def until(probe: Probe, seen: Callable[[HostView], object], seconds: float = 20.0) -> HostView:
    """Look ten times a second until `seen` is true of a view."""
    ends = time.monotonic() + seconds
    while not seen(view := await probe.look()):
        assert time.monotonic() < ends, view.servers
        await asyncio.sleep(0.1)
    return view


def fit(view: HostView) -> Kernel:
    return view.servers[0].kernels[0]


def restarted(view: HostView) -> Death | None:
    died = fit(view).died
    return died if died and died.restarts and fit(view).pid else None


def given_up(view: HostView) -> bool:
    dead = [kernel.died for kernel in view.servers[0].kernels if kernel.state is KernelState.DEAD and kernel.died]
    return any("removing from map" in line for died in dead for line in died.evidence)


async def test_a_kernel_killed_is_dead_by_that_signal_and_then_restarted_once(
    probe: Probe, there: JupyterServer
) -> None:
    there.host.exec('kill -STOP "$1"; kill -KILL "$2"', str(there.pid), str(there.kernel_pid))
    try:
        died = fit(await until(probe, lambda view: view.servers[0].kernels and fit(view).died)).died
    finally:
        there.host.exec('kill -CONT "$1"', str(there.pid))
    assert died and (died.cause, died.words, died.restarts) == (Cause.KILLED, "killed by SIGKILL", None)
    died = restarted(await until(probe, restarted))
    assert died and (died.cause, died.words, died.restarts, died.limit) == (Cause.KILLED, "killed by SIGKILL", 1, 5)
    assert "restarting kernel (1/5)" in died.evidence[-1]


async def test_a_kernel_that_ran_out_of_memory_says_so_without_any_privilege(
    probe: Probe, there: JupyterServer
) -> None:
    with memory_limit(there.host, there.kernel_pid, 300 * 2**20):
        await asyncio.to_thread(there.execute, SOON.format("b'x' * 2**30"))
        died = fit(await until(probe, lambda view: fit(view).died)).died
        assert died and died.cause is Cause.MEMORY and died.words.startswith("killed: out of memory")
        died = restarted(await until(probe, restarted))
    assert died and (died.cause, died.restarts, died.limit) == (Cause.MEMORY, 1, 5)


async def test_a_crash_in_native_code_is_told_by_its_signal(probe: Probe, there: JupyterServer) -> None:
    await asyncio.to_thread(there.execute, SOON.format("ctypes.string_at(0)"))
    died = restarted(await until(probe, restarted))
    assert died and (died.cause, died.words) == (Cause.CRASHED, "crashed by SIGSEGV")


async def test_a_kernel_restarted_or_shut_down_by_somebody_has_not_died(probe: Probe, there: JupyterServer) -> None:
    pid = there.kernel_pid
    await asyncio.to_thread(there.api, "POST", f"api/kernels/{there.kernel_id}/restart")
    await until(probe, lambda view: fit(view).pid not in {None, pid})
    await asyncio.to_thread(there.api, "DELETE", f"api/kernels/{there.kernel_id}")
    views = [await until(probe, lambda view: not view.servers[0].kernels)]
    for _ in range(10):
        await asyncio.sleep(0.1)
        views.append(await probe.look())
    assert not any(kernel.died for view in views for server in view.servers for kernel in server.kernels)


async def test_a_kernel_that_cannot_be_brought_back_stays_on_the_list_as_dead(
    probe: Probe, there: JupyterServer
) -> None:
    there.host.exec(f"echo 'raise SystemExit(3)' | tee {VENV}/lib/python3*/site-packages/ipykernel_launcher.py")
    there.host.exec('kill -KILL "$1"', str(there.kernel_pid))
    view = await until(probe, given_up, 60)
    assert fit(view).path == "fit.ipynb"
    assert there.api("GET", "api/kernels") == []


async def test_a_server_killed_and_started_again_by_its_unit_says_so(probe: Probe, there: JupyterServer) -> None:
    pid = there.pid
    there.host.exec('kill -KILL "$1"', str(pid))
    view = await until(probe, lambda view: any(server.died for server in view.servers))
    died = next(server.died for server in view.servers if server.died)
    assert (died.cause, died.words) == (Cause.KILLED, "killed by SIGKILL")
    view = await until(probe, lambda view: any(s.health is Health.OK and s.died for s in view.servers), 40)
    assert all(server.pid != pid for server in view.servers if server.health is Health.OK)


async def test_a_unit_that_fails_again_and_again_is_one_server_with_its_cause(
    lab: Lab, probe: Probe, there: JupyterServer
) -> None:
    stranger = Probe(
        open_host(Destination("s", ssh=there.host.name, ssh_config=str(lab.ssh_config)), Nobody(), Gates())
    )
    for_ever = (  # else systemd gives up on what fails quickly, and it is a unit that has failed
        "mkdir .config/systemd/user/jupyter.service.d && cd .config/systemd/user/jupyter.service.d && "
        "printf '[Unit]\nStartLimitIntervalSec=0\n' >limit.conf && systemctl --user daemon-reload"
    )
    there.host.exec(for_ever, user="alice")
    config = "/home/alice/.jupyter/jupyter_server_config.json"
    there.host.exec(f"sed -i 's/127.0.0.1/999.1.2.3/' {config}; systemctl --user restart jupyter", user="alice")
    await stranger.host.connect()
    try:
        for looker, name in ((probe, f"{there.host.name}:8888"), (stranger, "s:#jupyter.service")):
            seen: set[str] = set()
            (server,) = (await until(looker, partial(_died_often, seen), 60)).servers
            died = server.died
            assert died and (died.cause, seen) == (Cause.FAILED, {name})
            assert "ValueError: '999.1.2.3' does not appear to be an IPv4 or IPv6 address" in died.words
    finally:
        await stranger.close()
        await stranger.host.close()


def _died_often(seen: set[str], view: HostView) -> bool:
    assert len(view.servers) <= 1
    seen.update(server.id for server in view.servers)
    return any(server.died and (server.died.restarts or 0) > 2 for server in view.servers)


async def test_a_server_stopped_by_its_unit_has_not_died_and_stays_in_view(probe: Probe, there: JupyterServer) -> None:
    there.host.exec("systemctl --user stop jupyter", user="alice")
    views = [await probe.look() for _ in range(3)]
    await asyncio.sleep(1)
    views.append(await probe.look())
    assert not any(server.died for view in views for server in view.servers)
    (stopped,) = views[-1].servers
    assert (stopped.health, stopped.port, stopped.unit) == (Health.STALE, 8888, Unit("jupyter.service", "user"))
    remove = (
        "rm .config/systemd/user/jupyter.service .config/systemd/user/*/jupyter.service; systemctl --user daemon-reload"
    )
    there.host.exec(remove, user="alice")
    probe.renew()
    await until(probe, lambda view: not view.servers)


async def test_what_an_action_ends_is_no_death(probe: Probe, there: JupyterServer) -> None:
    (server,) = (await probe.look()).servers
    pid = there.kernel_pid
    probe.deaths.expect(server.id, there.kernel_id)
    there.host.exec('kill -KILL "$1"', str(pid))
    view = await until(probe, lambda view: fit(view).pid not in {None, pid})
    assert fit(view).restarts == 1 and not fit(view).died
