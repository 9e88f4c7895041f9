"""From nothing to a page of a server in a browser, by one command or one key."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import signal
import socket
import ssl
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from jupytui.actions import way
from jupytui.actions.base import Context, perform
from jupytui.actions.open import OPEN
from jupytui.config.load import load_config
from jupytui.config.paths import find_paths
from jupytui.errors import JupytuiError
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Destination, Nobody
from jupytui.secret import MASK
from jupytui.tunnels import ports
from jupytui.tunnels.keeper.access import Tunnels
from jupytui.tunnels.keeper.place import find_place
from jupytui.tunnels.models import Status
from tests.actions.front import ScriptedFront
from tests.e2e.chromium import Chromium, arguments
from tests.e2e.program import run, screen, write_config
from tests.e2e.tmux import Tmux
from tests.lab.jupyter import NOTEBOOK, SIX, VENV, JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab
from tests.tunnels.keeper.conftest import keepers

TOKENS = {recipe.name: recipe.token for recipe in SIX}


TOKEN = "token-of-the-opened-host"
CELL = ".jp-Notebook .jp-Cell .cm-content"
# Of a notebook that has no kernel yet, JupyterLab's indicator says idle, too; its status bar says which.
READY = "/Python 3[^|]*\\|\\s*Idle/.test(document.querySelector('#jp-main-statusbar')?.innerText)"
PRINTED = "document.querySelector('.jp-OutputArea-output')?.innerText.trim()"


@pytest.fixture(scope="module")
def server(lab: Lab, jupyters: dict[str, JupyterServer]) -> JupyterServer:
    """A Jupyter to be worked with, and then broken."""
    recipe = Recipe("op1", "nohup", "o p.ipynb", token=TOKEN, log="/home/alice/log")
    started = start_jupyter(lab, lab.host("op1"), recipe)
    spec = {"name": "python3", "display_name": "Python 3"}  # without it JupyterLab asks for a kernel
    notebook = json.dumps({**NOTEBOOK, "metadata": {"kernelspec": spec}})
    started.host.write(f"{started.root_dir}/{recipe.notebook}", notebook, user="alice", mode="644")
    return started


@pytest.fixture
def config(home: Path, lab: Lab, server: JupyterServer, jupyters: dict[str, JupyterServer]) -> Iterator[Path]:
    """A hosts.toml with the lab's Jupyters, and no keeper; the one that comes is ended."""
    path = write_config(home, lab, [*jupyters, "op1"])
    yield path
    for pid in keepers(find_place(find_paths(str(path)))):
        os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def looking(config: Path, host: str) -> AsyncIterator[Context]:
    """Somebody who has just looked at a host."""
    entry, paths = load_config(config), find_paths(str(config))
    async with Fleet(Store(), lambda _host: Nobody()) as fleet, Tunnels(paths) as tunnels:
        (listed,) = entry.watched([host])
        fleet.add(Destination(listed.name, listed.ssh, entry.settings.ssh_config))
        await fleet.look_once()
        yield Context(fleet, ScriptedFront(), entry, tunnels=tunnels)


def printed(config: Path, *words: str) -> str:
    """The URL that `jupytui open … --print` gives."""
    done = run(config, "open", *words, "--print")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def get(url: str, path: str = "") -> tuple[int, str]:
    """Status and body of a page, as a browser that trusts the certificate gets it; with `path`, that of its server."""
    parts = urlsplit(url)
    if path:
        url = parts._replace(path=path).geturl()
    unverified = ssl._create_unverified_context() if parts.scheme == "https" else None
    with urllib.request.urlopen(url, timeout=30, context=unverified) as answer:
        return answer.status, answer.read().decode()


@pytest.mark.parametrize("name", ["token", "tls", "socket", "ipv6", "base"])
def test_one_command_from_nothing_prints_a_url_that_lets_in(config: Path, name: str) -> None:
    url = printed(config, name)
    status, _ = get(url)
    assert status == 200
    assert url.endswith(f"/lab?token={TOKENS[name]}")
    base = urlsplit(url).path.removesuffix("lab")
    assert get(url, f"{base}api/kernels")[0] == 200


def test_those_who_open_a_server_at_the_same_time_share_one_tunnel(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def together() -> list[Status]:
        async with AsyncExitStack() as stack:
            screens = [await stack.enter_async_context(looking(config, "token")) for _ in range(3)]
            return await asyncio.gather(*(way.to_server(screen, Subject("token", "token:8888")) for screen in screens))

    # The quickest has the port by now, and the others do not know yet of its tunnel.
    free = itertools.accumulate(itertools.repeat(18700), lambda port, _: ports.next_free(port + 1))
    monkeypatch.setattr(way, "_port", lambda *_: next(free))
    assert len({(status.tunnel.name, status.local) for status in asyncio.run(together())}) == 1
    assert get(printed(config, "token"))[0] == 200


def test_a_browser_opens_the_notebook_through_the_tunnel_and_runs_a_cell_and_its_token_is_in_no_argument(
    home: Path, config: Path, server: JupyterServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Chromium(home) as browser:
        monkeypatch.setenv("BROWSER", str(browser.command))
        done = run(config, "open", "op1", "--kernel", "o p.ipynb")
        assert done.returncode == 0, done.stderr
        assert "Opened http://127.0.0.1:" in done.stderr
        browser.attach()
        assert not [word for word in arguments() if TOKEN in word]
        browser.wait(lambda: browser.run(READY))
        browser.run(f"document.querySelector({CELL!r}).focus()")
        browser.type("6*7")
        browser.shift_enter()
        browser.wait(lambda: browser.run(PRINTED) == "42")
        assert "/lab/tree/o%20p.ipynb" in browser.run("location.href")


def test_two_servers_on_the_same_port_have_a_port_each_here_and_the_same_one_next_time(config: Path) -> None:
    first, second, again = [printed(config, name) for name in ("token", "tls", "token")]
    assert urlsplit(first).port != urlsplit(second).port
    assert again == first
    forget_tunnels(config)
    assert printed(config, "tls") == second
    assert get(second)[0] == 200


@pytest.mark.parametrize("known", [True, False], ids=["the tunnel is known", "the port alone is"])
def test_a_port_that_is_taken_by_now_is_said_and_another_one_used_until_it_is_free(config: Path, known: bool) -> None:
    first = printed(config, "token")
    forget_tunnels(config, known=known)
    with take(urlsplit(first).port or 0):
        done = run(config, "open", "token", "--print")
        assert done.returncode == 0, done.stderr
        assert f"(process {os.getpid()})" in done.stderr
        other = done.stdout.splitlines()[-1]
        assert other != first
        assert get(other)[0] == 200
    forget_tunnels(config)
    assert printed(config, "token") == first


def take(port: int) -> socket.socket:
    """Listen on `port` as soon as it is free."""
    until = time.monotonic() + 30
    while not ports.is_free(port):
        assert time.monotonic() < until, f"port {port} is held by {ports.holder(port)}"
        time.sleep(0.02)
    return socket.create_server(("127.0.0.1", port))


def forget_tunnels(config: Path, *, known: bool = False) -> None:
    """End the keeper; unless they are to be `known`, nothing is remembered of its tunnels but the ports."""
    place = find_place(find_paths(str(config)))
    for pid in keepers(place):
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
            time.sleep(0.01)  # its ports are free after that
    if not known:
        place.memory.unlink()


@pytest.fixture(params=[(120, 40), (45, 30)], ids=["wide", "narrow"])
def over_ssh(config: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tmux]:
    """The program as somebody sees it who is logged in by SSH, with the cursor on the server of op1."""
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.9 5555 10.0.0.1 2222")
    write_config(config.parent, request.getfixturevalue("lab"), ["op1"])
    with screen(config, *request.param) as terminal:
        terminal.wait_until(re.compile(r"lab :8888"), 30)
        terminal.send("Down")
        terminal.wait_until(re.compile("^›.*lab :8888", re.MULTILINE))
        yield terminal


def test_over_ssh_a_key_shows_the_address_with_its_token_in_the_link_and_on_the_clipboard_alone(over_ssh: Tmux) -> None:
    over_ssh.send("o")
    seen = over_ssh.wait_until("Copied", 60)
    assert "Open op1:8888" in seen
    assert "ssh -N -p 2222 -L" in seen
    assert TOKEN not in flat(over_ssh)
    assert MASK in flat(over_ssh)
    assert re.fullmatch(rf"http://127\.0\.0\.1:\d+/lab\?token={TOKEN}", over_ssh.clipboard())
    over_ssh.send("c")
    over_ssh.wait_until("█▀▀▀▀▀█")
    over_ssh.send("c", "s")
    over_ssh.wait_until(lambda _screen: TOKEN in flat(over_ssh))


def flat(terminal: Tmux) -> str:
    """The screen as one line, borders left out: an address may be cut anywhere."""
    return re.sub(r"[\s│]", "", terminal.screen())


def test_another_server_behind_a_reused_port_is_said_and_not_opened(config: Path, server: JupyterServer) -> None:
    async def stale() -> None:
        async with looking(config, "op1") as context:
            await asyncio.to_thread(begin_again, server)
            front = context.front = ScriptedFront()
            with pytest.raises(JupytuiError, match="another server"):
                await perform(OPEN, context, [Subject("op1", "op1:8888")])
            assert not front.offered

    before = printed(config, "op1")
    asyncio.run(stale())
    assert printed(config, "op1") == before, "asked anew, the server that is there now is opened at the same address"
    assert get(before)[0] == 200


def begin_again(server: JupyterServer) -> None:
    """Kill the server and have another one take its port."""
    server.host.exec('kill -KILL "$1"; rm -f "$2"/jpserver-*', str(server.pid), server.runtime_dir)
    another = f"{VENV}/bin/jupyter-lab --no-browser --ServerApp.shutdown_no_activity_timeout=86400"
    script = f"nohup {another} >>/home/alice/log 2>&1 </dev/null &"
    server.host.exec(script, user="alice")
    server.api("GET", "api/status", wait=60)
