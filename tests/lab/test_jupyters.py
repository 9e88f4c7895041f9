"""The six Jupyters are what they claim to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.lab.jupyter import SIX, JupyterServer
from tests.lab.slot import LabError

Jupyters = dict[str, JupyterServer]
LISTENING = {
    "token": {"127.0.0.1:8888"},
    "password": {"127.0.0.1:8888"},
    "tls": {"127.0.0.1:8888"},
    "socket": set[str](),
    "ipv6": {"[::1]:8889"},
    "base": {"127.0.0.1:9000"},
}


def test_each_of_the_six_has_an_idle_kernel_with_an_open_notebook(jupyters: Jupyters) -> None:
    assert list(jupyters) == [recipe.name for recipe in SIX]
    for server in jupyters.values():
        (session,) = server.api("GET", "api/sessions")
        assert (session["path"], session["kernel"]["id"]) == (server.recipe.notebook, server.kernel_id)
        assert session["kernel"]["execution_state"] == "idle"


def test_they_listen_where_their_recipes_say_and_nowhere_else(jupyters: Jupyters) -> None:
    for name, server in jupyters.items():
        servers_own = {
            socket for socket in server.host.listening() if socket.rpartition(":")[2] in {"8888", "8889", "9000"}
        }
        assert servers_own == LISTENING[name], name
    assert jupyters["socket"].host.exec("test -S /home/alice/jupyter.sock").returncode == 0


def test_they_run_as_alice_and_are_kept_alive_in_four_ways(jupyters: Jupyters) -> None:
    units = {}
    for name, server in jupyters.items():
        processes = {process.pid: process for process in server.host.processes()}
        assert processes[server.pid].user == processes[server.kernel_pid].user == "alice"
        assert processes[server.kernel_pid].ppid == server.pid
        units[name] = server.host.exec("cat /proc/$1/cgroup", str(server.pid)).stdout.strip().rsplit("/", 1)[1]
    assert units.pop("ipv6").startswith("session-")
    assert units.pop("base").startswith(("session-", "tmux-spawn-"))
    assert set(units.values()) == {"jupyter.service"}


@pytest.mark.parametrize("name", ["token", "password", "tls", "socket", "ipv6"])
def test_their_logs_are_where_the_recipes_say(jupyters: Jupyters, name: str) -> None:
    server = jupyters[name]
    command = f"cat {server.recipe.log}" if server.recipe.log else "journalctl --user -u jupyter"
    assert "is running at" in server.host.exec(command, user="alice").stdout


def test_secrets_are_in_files_of_alices_alone(jupyters: Jupyters) -> None:
    for server in jupyters.values():
        modes = server.host.exec("stat -c %a .jupyter/jupyter_server_config.json", user="alice").stdout
        assert modes == "600\n"


def test_a_wrong_token_is_refused(jupyters: Jupyters) -> None:
    server = jupyters["token"]
    with pytest.raises(LabError, match="403"):
        replace(server, recipe=replace(server.recipe, token="wrong")).api("GET", "api/kernels")


def test_a_kernel_gets_busy_and_has_clients_when_a_test_says_so(jupyters: Jupyters) -> None:
    server = jupyters["token"]
    kernel = f"api/kernels/{server.kernel_id}"
    assert server.execute("print(6 * 7)") == "42\n"
    server.execute("import time; time.sleep(300)", until="busy")
    assert server.api("GET", kernel)["execution_state"] == "busy"
    server.api("POST", f"{kernel}/interrupt")
    server.execute("pass")
    with server.attached():
        assert server.api("GET", kernel)["connections"] == 1
