"""Sharing a server of another machine: on its network, with a firewall in the way, and by a STAND-IN for ngrok."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupytui.config.vault import Vault
from jupytui.secret import Secret
from jupytui.tunnels.public.ngrok import NGROK_TOKEN
from tests.e2e.program import run, write_config
from tests.lab.jupyter import JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab
from tests.reachability.test_lan import RULES
from tests.tunnels.public.stand_in import MARKER, place_stand_in

pytestmark = pytest.mark.timeout(300)  # Jupyter itself is asked again and again, 2 s of CPU each time

NAME = "sh1"
RECIPE = Recipe(NAME, "user-unit", "shared.ipynb", token="token-of-the-shared-host")


@pytest.fixture(scope="module")
def server(lab: Lab) -> Iterator[JupyterServer]:
    """A JupyterLab on loopback, with a token; its host goes away with it."""
    yield start_jupyter(lab, lab.host(NAME), RECIPE)
    lab.remove(NAME)


@pytest.fixture
def config(home: Path, lab: Lab, server: JupyterServer) -> Path:
    return write_config(home, lab, [NAME])


def test_a_server_on_loopback_is_reached_on_the_network_unless_a_firewall_drops_and_goes_back(
    config: Path, server: JupyterServer
) -> None:
    url = f"http://{server.host.address}:8888/"
    shared = run(config, "share", NAME, "--lan", "--restart", timeout=120)
    assert (shared.returncode, shared.stdout) == (0, f"{url}\n"), shared.stderr
    assert "shared.ipynb" in shared.stderr, "kernels that end are named"
    assert "jupytui cert" in shared.stderr
    with urllib.request.urlopen(f"{url}api", timeout=30) as answer:
        assert json.load(answer)["version"]
    server.host.exec(RULES, *["iifname", "!=", "lo", "drop"])  # as firewalls are: within the machine all is free
    try:
        dropped = run(config, "share", NAME, "--lan", "--restart", "--json", timeout=120)
    finally:
        server.host.exec("nft flush ruleset")
    assert dropped.returncode == 1, dropped.stderr
    assert "listening, but port 8888 is filtered between us" in json.loads(dropped.stdout)["steps"][-1]["words"]
    back = run(config, "share", NAME, "--off-lan", "--restart", timeout=120)
    assert back.returncode == 0, back.stderr
    with pytest.raises(OSError):
        urllib.request.urlopen(f"{url}api", timeout=30)


def test_a_server_of_another_machine_is_shared_by_ngrok_through_a_tunnel_of_its_own(
    home: Path, config: Path, server: JupyterServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = place_stand_in(home / "bin", url="http://127.0.0.1:{port}")
    monkeypatch.setenv("PATH", f"{binary.parent}:{os.environ['PATH']}")
    asyncio.run(Vault().set(NGROK_TOKEN, Secret(MARKER)))
    try:
        shared = run(config, "share", NAME, "--ngrok", "--restart", timeout=120)
        assert shared.returncode == 0, shared.stderr
        assert shared.stdout.startswith("http://127.0.0.1:")
        assert "ok: the same server: It is the very server" in shared.stderr
    finally:
        stopped = run(config, "share", NAME, "--stop")
    assert stopped.returncode == 0, stopped.stderr
    assert "not shared" in run(config, "share", NAME, "--stop").stderr
