"""`jupytui status --json` against six real JupyterLabs on six real hosts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jupytui.fleet import probe
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.store import Store
from jupytui.hosts.base import Destination, Nobody
from tests.e2e.program import run, status, write_config
from tests.lab.jupyter import JupyterServer
from tests.lab.lab import Lab

Jupyters = dict[str, JupyterServer]

# host: (id, auth, health, unit, kind of log)
EXPECTED: dict[str, tuple[str, str, str, dict[str, str] | None, str]] = {
    "token": ("token:8888", "token", "ok", {"name": "jupyter.service", "scope": "user"}, "journal"),
    "password": ("password:8888", "password", "locked", {"name": "jupyter.service", "scope": "system"}, "file"),
    "tls": ("tls:8888", "token", "ok", {"name": "jupyter.service", "scope": "user"}, "journal"),
    "socket": ("socket:/home/alice/jupyter.sock", "token", "ok", {"name": "jupyter.service", "scope": "user"}, "file"),
    "ipv6": ("ipv6:8889", "token", "ok", None, "file"),
    "base": ("base:9000", "token", "ok", None, "terminal"),
}


@pytest.fixture
def config(home: Path, lab: Lab, jupyters: Jupyters) -> Path:
    return write_config(home, lab, list(jupyters))


def test_every_server_and_kernel_is_listed_as_what_it_is(config: Path, jupyters: Jupyters) -> None:
    hosts = status(config)
    assert {name: summary(host) for name, host in hosts.items()} == EXPECTED
    for name, host in hosts.items():
        (server,), recipe = host["servers"], jupyters[name].recipe
        assert (host["state"], host["error"]) == ("up", None)
        assert host["system"]["boot_id"]
        assert (server["pid"], server["app"]) == (jupyters[name].pid, "lab")
        assert (server["port"], server["sock"]) == (recipe.port or None, recipe.sock or None)
        assert server["root_dir"] == jupyters[name].root_dir
        assert server["base_url"] == recipe.base_url
        assert server["bind"] == (None if recipe.sock else "loopback")
        assert server["version"].count(".") >= 2
        assert (server["tls"] is not None) is recipe.tls
        assert server["started_at"]


def test_every_kernel_has_its_process_also_where_nobody_lets_us_in(config: Path, jupyters: Jupyters) -> None:
    for name, host in status(config).items():
        ((kernel,),) = [server["kernels"] for server in host["servers"]]
        let_in = name != "password"
        assert (kernel["id"], kernel["pid"]) == (jupyters[name].kernel_id, jupyters[name].kernel_pid)
        assert kernel["rss"] > 10 * 2**20
        assert kernel["cpu_percent"] is not None
        assert kernel["state"] == ("idle" if let_in else "unknown")
        assert kernel["path"] == jupyters[name].recipe.notebook
        assert kernel["clients"] == (0 if let_in else None)


def summary(host: dict[str, Any]) -> tuple[Any, ...]:
    (server,) = host["servers"]
    return (server["id"], server["auth"], server["health"], server["unit"], server["log"]["kind"])


def test_a_status_names_no_secret(config: Path, jupyters: Jupyters) -> None:
    for args in (["status", "--json"], ["status"], ["kernels", "ls"]):
        done = run(config, *args)
        assert done.returncode == 0
        for server in jupyters.values():
            assert not server.recipe.token or server.recipe.token not in done.stdout + done.stderr


@contextmanager
def a_fleet(lab: Lab, names: list[str]) -> Iterator[Fleet]:
    fleet = Fleet(Store(), lambda _host: Nobody(), refresh=3600)
    for name in names:
        fleet.add(Destination(name, name, str(lab.ssh_config)))
    yield fleet


async def test_looking_moves_nothing_on_the_servers_and_opens_nothing(lab: Lab, jupyters: Jupyters) -> None:
    """20 looks: one connection and one shell a host, no activity counted, no socket listening on either side."""
    before = {name: server.host.listening() for name, server in jupyters.items()}
    warned = warnings(jupyters["token"])
    with a_fleet(lab, list(jupyters)) as fleet:
        first = await activities(fleet)
        for _ in range(18):
            await fleet.look_once()
            assert not listening_here()
        assert await activities(fleet) == first
        for name, server in jupyters.items():
            assert server.host.ssh_connections() == 1, name
            shells = [p for p in server.host.processes() if p.command == "/bin/sh" and p.user == "alice"]
            assert len(shells) == 1, shells
        await fleet.close()
    for name, server in jupyters.items():
        assert server.host.listening() == before[name]
    assert warnings(jupyters["token"]) == warned


async def test_who_looks_once_waits_for_servers_that_are_slow(
    lab: Lab, jupyters: Jupyters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_PATIENCE", 0.0)  # all of them are slow then
    with a_fleet(lab, ["tls"]) as fleet:
        (view,) = await fleet.look_once()
        await fleet.close()
    assert [server.health for server in view.servers] == ["ok"]


def warnings(server: JupyterServer) -> int:
    """How often the server's log says that somebody was turned away."""
    return server.host.exec("journalctl --user -u jupyter -o cat", user="alice").stdout.count("403 GET")


def listening_here() -> set[str]:
    """The inodes of this process's sockets that listen for TCP connections."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = {str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()}
    return {row[9] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in ours}


async def activities(fleet: Fleet) -> dict[str, Any]:
    views = await fleet.look_once()
    assert all(view.state == "up" for view in views), views
    return {server.id: server.last_activity for view in views for server in view.servers}
