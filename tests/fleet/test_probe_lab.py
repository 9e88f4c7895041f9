"""A look at real hosts: six JupyterLabs, each of its own kind, over SSH."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from jupytui.fleet import contact, probe
from jupytui.fleet.models import HostView
from jupytui.fleet.probe import Probe
from jupytui.hosts.base import Destination, Nobody
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.jupyter.models import App, Auth, Health, Kernel, KernelState, Log, Server, Unit
from tests.lab.host import LabHost
from tests.lab.jupyter import PASSWORD, VENV, JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab

Jupyters = dict[str, JupyterServer]
Prober = Callable[[str], Awaitable[Probe]]


@pytest.fixture
async def prober(lab: Lab) -> AsyncIterator[Prober]:
    """Makes probes of hosts of the lab by name, over SSH."""
    gates, probes = Gates(), list[Probe]()

    async def probe(name: str) -> Probe:
        made = Probe(open_host(Destination(name, ssh=name, ssh_config=str(lab.ssh_config)), Nobody(), gates))
        probes.append(made)
        await made.host.connect()
        return made

    yield probe
    for made in probes:
        await made.close()
        await made.host.close()


def only(view: HostView) -> tuple[Server, Kernel]:
    (server,) = view.servers
    (kernel,) = server.kernels
    return server, kernel


USER_UNIT, SYSTEM_UNIT = Unit("jupyter.service", "user"), Unit("jupyter.service", "system")
EXPECTED: dict[str, dict[str, object]] = {
    "token": {"unit": USER_UNIT, "log": Log("journal", "jupyter.service"), "url": "http://localhost:8888/"},
    "password": {"unit": SYSTEM_UNIT, "auth": Auth.PASSWORD, "health": Health.LOCKED, "last_activity": None},
    "tls": {"unit": USER_UNIT, "url": "https://localhost:8888/"},
    "socket": {"unit": USER_UNIT, "port": None, "sock": "/home/alice/jupyter.sock", "bind": None},
    "ipv6": {"unit": None, "port": 8889, "log": Log("file", "/home/alice/nohup.out")},
    "base": {"unit": None, "port": 9000, "base_url": "/team/jupyter/", "url": "http://localhost:9000/team/jupyter/"},
}
COMMON = {"app": App.LAB, "auth": Auth.TOKEN, "health": Health.OK, "bind": "loopback", "root_dir": "/home/alice/work"}


@pytest.mark.parametrize("name", EXPECTED)
async def test_every_kind_of_server_is_shown_as_what_it_is(jupyters: Jupyters, prober: Prober, name: str) -> None:
    there = jupyters[name]
    view = await (await prober(name)).look()
    server, kernel = only(view)
    expected = COMMON | EXPECTED[name]
    assert {field: getattr(server, field) for field in expected} == expected
    assert server.pid == there.pid
    assert server.version and server.started_at and server.rss
    assert (server.tls is not None) == (name == "tls")
    assert (kernel.id, kernel.pid, kernel.path) == (there.kernel_id, there.kernel_pid, there.recipe.notebook)
    assert kernel.rss
    assert view.system and view.system.boot_id and view.system.memory_total and view.system.disk_free


async def test_the_certificate_is_read_from_the_handshake(jupyters: Jupyters, prober: Prober) -> None:
    server, _ = only(await (await prober("tls")).look())
    assert server.tls and server.tls.not_after
    assert (server.tls.issuer, server.tls.self_signed) == ("localhost", True)


async def test_where_a_log_goes_when_a_terminal_shows_it(jupyters: Jupyters, prober: Prober) -> None:
    server, _ = only(await (await prober("base")).look())
    assert server.log and server.log.kind == "terminal"


async def test_twenty_looks_are_no_activity_and_open_no_socket(
    jupyters: Jupyters, prober: Prober, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact, "FULL", 0.0)  # every look asks everything there is to ask
    host = jupyters["token"].host
    probe = await prober("token")
    before, _ = only(await probe.look())
    there, connections = host.listening(), host.ssh_connections()
    for _ in range(20):
        after, _ = only(await probe.look())
    assert after.last_activity == before.last_activity is not None
    assert host.listening() == there
    assert host.ssh_connections() == connections


async def test_a_kernel_gone_busy_and_idle_is_seen_by_the_next_look(jupyters: Jupyters, prober: Prober) -> None:
    there = jupyters["token"]
    probe = await prober("token")
    for _ in range(3):
        await probe.look()
    code = "import pathlib, time\nwhile not pathlib.Path('/tmp/go').exists(): time.sleep(0.01)"
    await asyncio.to_thread(there.execute, code, until="busy")
    states = [only(await probe.look())[1].state for _ in range(4)]
    assert KernelState.BUSY in states[:2] and states[-1] is KernelState.BUSY
    there.host.exec("touch /tmp/go")
    await asyncio.to_thread(there.execute, "pathlib.Path('/tmp/go').unlink()")
    states = [only(await probe.look())[1].state for _ in range(3)]
    assert KernelState.IDLE in states[:2] and states[-1] is KernelState.IDLE


async def test_a_client_that_comes_and_goes_is_counted(jupyters: Jupyters, prober: Prober) -> None:
    probe = await prober("token")
    assert only(await probe.look())[1].clients == 0
    for _ in range(2):
        await probe.look()
    tab = jupyters["token"].attached()
    await asyncio.to_thread(tab.__enter__)
    came = [only(await probe.look())[1].clients for _ in range(3)]
    await asyncio.to_thread(tab.__exit__, None, None, None)
    gone = [only(await probe.look())[1].clients for _ in range(3)]
    assert (came[-1], gone[-1]) == (1, 0)


async def test_an_idle_host_is_not_asked_at_every_look(
    jupyters: Jupyters, prober: Prober, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = await prober("ipv6")
    for _ in range(3):
        await probe.look()
    monkeypatch.setattr(contact.Contact, "_ask", lambda self: pytest.fail("asked, though nothing had moved"))
    await probe.look()


async def test_a_look_that_is_the_only_one_waits_for_what_answers_slowly_and_tells_cpu(
    jupyters: Jupyters, prober: Prober, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_PATIENCE", 0.0)  # all servers are slow then
    server, kernel = only(await (await prober("tls")).look(once=True))
    assert (server.health, kernel.state, kernel.path) == (Health.OK, KernelState.IDLE, jupyters["tls"].recipe.notebook)
    assert server.cpu_percent is not None
    assert kernel.cpu_percent is not None


NVIDIA = """#!/bin/sh
case $1 in
--query-gpu=*) until [ -e /tmp/asked ]; do sleep 0.05; done; echo '0, 2048, 81920, 71, NVIDIA A100' ;;
esac
"""


async def test_a_look_that_is_the_only_one_waits_for_the_gpus(fresh_host: LabHost, prober: Prober) -> None:
    fresh_host.write("/usr/local/bin/nvidia-smi", NVIDIA, mode="755")
    made = await prober(fresh_host.name)
    first = await made.look()
    assert first.system and first.system.gpus == ()  # which other looks wait for in no way
    fresh_host.exec("touch /tmp/asked")
    again = await made.look(once=True)
    assert again.system and [gpu.name for gpu in again.system.gpus] == ["NVIDIA A100"]


DATE = """#!/bin/sh
echo $(($(/usr/bin/date +%s) + 3600))
"""


async def test_a_clock_that_is_wrong_is_found_out(fresh_host: LabHost, prober: Prober) -> None:
    assert (await (await prober(fresh_host.name)).look()).ahead == 0
    fresh_host.write("/usr/local/bin/date", DATE, mode="755")
    made = await prober(fresh_host.name)
    views = [await made.look() for _ in range(2)]
    assert abs(views[0].ahead - 3600) < 60
    assert views[1].ahead == views[0].ahead


EVIL = b"a[/][@click=app.quit]\x1b]52;c;aGk=\x07\xff.ipynb"
RECIPE = Recipe("own", "nohup", "x.ipynb", token="own-token", log="/home/alice/nohup.out")


async def test_a_server_that_is_broken_at_will(lab: Lab, fresh_host: LabHost, prober: Prober) -> None:
    there = await asyncio.to_thread(start_jupyter, lab, fresh_host, RECIPE)
    probe = await prober(fresh_host.name)
    first = (await probe.look()).servers[0]
    assert first.health is Health.OK

    # A kernel killed is dead, and then another process of the same kernel.
    pid = there.kernel_pid
    fresh_host.exec('kill -9 "$1"', str(pid))
    _, kernel = only(await probe.look())
    assert (kernel.state, kernel.pid) == (KernelState.DEAD, None)
    async with asyncio.timeout(30):
        while kernel.pid is None:
            await asyncio.sleep(0.1)
            _, kernel = only(await probe.look())
    assert kernel.pid != pid
    assert (kernel.id, kernel.restarts) == (there.kernel_id, 1)

    # A kernel that an action ends is gone at the next look.
    api = probe.api(first.id)
    await api.shutdown(there.kernel_id)
    await api.shutdown(there.kernel_id)
    await api.close()
    assert (await probe.look()).servers[0].kernels == ()

    # A server killed leaves its file, which is shown and not touched; a pid taken by something else is no server.
    fresh_host.exec('kill -9 "$1"', str(there.pid))
    (dead,) = (await probe.look()).servers
    assert (dead.health, dead.pid, dead.kernels, dead.rss) == (Health.STALE, there.pid, (), None)
    reused = """sleep 600 >/dev/null 2>&1 & cd "$1"; cp "jpserver-$2.json" "jpserver-$!.json"
        touch -d '1 hour ago' "jpserver-$!.json"; echo $!"""
    pid = int(fresh_host.exec(reused, there.runtime_dir, str(there.pid), user="alice").stdout)
    servers = (await probe.look()).servers
    assert {server.pid: server.health for server in servers} == {there.pid: Health.STALE, pid: Health.STALE}
    assert len({server.id for server in servers}) == 2
    fresh_host.exec('test -e "$1/jpserver-$2.json"', there.runtime_dir, str(pid))


OPEN = """
mkdir -p /home/alice/open && cd /home/alice/open
JUPYTER_RUNTIME_DIR=/home/alice/open/runtime nohup "$1/bin/jupyter-server" --no-browser --ip=0.0.0.0 --port=8899 \
    --IdentityProvider.token= --ServerApp.disable_check_xsrf=True >/dev/null 2>&1 </dev/null &
"""


async def test_several_servers_of_one_host_one_open_to_all_and_one_of_another_user(
    lab: Lab, fresh_host: LabHost, prober: Prober
) -> None:
    there = await asyncio.to_thread(start_jupyter, lab, fresh_host, RECIPE)
    fresh_host.exec(OPEN, str(VENV), user="alice")
    fresh_host.exec("useradd -m bob")
    other = 'cd; exec nohup "$1/bin/jupyter-lab" --no-browser --port=8777 >/dev/null 2>&1 </dev/null &'
    fresh_host.exec(other, str(VENV), user="bob")
    probe = await prober(fresh_host.name)
    servers: dict[str, Server] = {}
    async with asyncio.timeout(60):
        while not (len(servers) == 3 and all(s.port for s in servers.values()) and _settled(servers)):
            await asyncio.sleep(0.2)
            servers = {server.id.partition(":")[2]: server for server in (await probe.look()).servers}
    assert servers["8888"].pid == there.pid
    exposed = servers["8899"]
    assert (exposed.app, exposed.bind, exposed.auth, exposed.health) == (App.SERVER, "all", Auth.NONE, Health.OPEN)
    assert exposed.log == Log("null")
    foreign = servers["8777"]
    assert (foreign.health, foreign.auth, foreign.root_dir) == (Health.UNREADABLE, Auth.UNKNOWN, None)


def _settled(servers: dict[str, Server]) -> bool:
    return all(server.health is not Health.STARTING for server in servers.values())


async def test_a_password_beside_a_token_is_seen_at_the_first_look_and_only_by_its_files(
    lab: Lab, fresh_host: LabHost, prober: Prober
) -> None:
    both = Recipe("both", "user-unit", "x.ipynb", token="own-token", password=PASSWORD)
    there = await asyncio.to_thread(start_jupyter, lab, fresh_host, both)
    probe = await prober(fresh_host.name)
    logged = fresh_host.exec("journalctl -q -o cat --user-unit jupyter | wc -l").stdout
    server, _ = only(await probe.look())
    assert server.auth is Auth.BOTH
    assert server.last_activity == only(await (await prober(fresh_host.name)).look())[0].last_activity
    assert fresh_host.exec("journalctl -q -o cat --user-unit jupyter | wc -l").stdout == logged
    there.host.exec("rm /home/alice/.jupyter/jupyter_server_config.json")
    assert only(await probe.look())[0].auth is Auth.BOTH  # the running process knows nothing of it


async def test_names_that_would_hurt_a_terminal_come_out_harmless(
    lab: Lab, fresh_host: LabHost, prober: Prober
) -> None:
    there = await asyncio.to_thread(start_jupyter, lab, fresh_host, RECIPE)
    name = EVIL.decode("utf-8", "replace")
    there.api("POST", "api/sessions", {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}})
    fresh_host.exec('touch "$(printf %b "$1")"', "/home/alice/work/\\0377\\0033c.ipynb", user="alice")
    probe = await prober(fresh_host.name)
    (server,) = (await probe.look()).servers
    paths = {kernel.path for kernel in server.kernels}
    assert all(path and path.isprintable() for path in paths)
    assert any(path and path.startswith("a[/][@click=app.quit]") for path in paths)
