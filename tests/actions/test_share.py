"""Sharing, as it is done on the command line: a real JupyterLab, a real nginx, a STAND-IN for ngrok's agent."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from jupytui.cli import main
from jupytui.config.paths import find_paths
from jupytui.tunnels.keeper.client import connect
from jupytui.tunnels.models import Status, TunnelState
from tests.lab.jupyter import PASSWORD
from tests.reachability.conftest import authority, ca_file, certificate, names  # noqa: F401 - fixtures
from tests.reachability.servers import (
    ALL,
    DOMAIN,
    FORWARDED,
    PASSED,
    REWRITTEN,
    UPGRADE,
    Jupyter,
    Nginx,
    free_port,
    needs,
)
from tests.tunnels.keeper.conftest import until
from tests.tunnels.public.stand_in import MARKER, place_stand_in, set_stand_in

pytestmark = pytest.mark.timeout(300)  # Jupyter itself is asked again and again, 2 s of CPU each time


class Running(Jupyter):
    """A JupyterLab of this test's home, whichever process it is by now."""

    @property
    def pid(self) -> int:
        files = (self.home / ".local/share/jupyter/runtime").glob("jpserver-*.json")
        return max((json.loads(file.read_text())["pid"] for file in files), default=0)

    def written(self) -> dict[str, dict[str, object]]:
        found: dict[str, dict[str, object]] = json.loads((self.home / "jupyter_server_config.json").read_text())
        return found

    def stop(self) -> None:
        """End whichever process it is by now, and what it has started: npm, which writes into its home."""
        super().stop()
        while found := seen_by_others(f"JUPYTER_CONFIG_DIR={self.home}\0"):
            for path in found:
                with suppress(ProcessLookupError):
                    os.kill(int(path.parent.name), signal.SIGKILL)
            time.sleep(0.02)


@pytest.fixture
def jupyter(home: Path) -> Iterator[Running]:
    needs()
    server = Running(home, {})
    server.start()
    try:
        server.ready()
        yield server
    finally:
        server.stop()


Share = Callable[..., tuple[int, str, str]]


@pytest.fixture
def share(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Share:
    """Run `jupytui share …` with these lines on stdin; its exit status, stdout and stderr."""

    def run(*words: str, lines: str = f"{PASSWORD}\n") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
        status = main(["share", *words, "--stdin"])
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def public(home: Path, jupyter: Running, certificate: Path) -> Iterator[str]:  # noqa: F811
    """The address of an nginx that leads to the JupyterLab as it should."""
    nginx = Nginx(home / "nginx")
    port = nginx.proxy(jupyter.port, ALL, certificate)
    nginx.start()
    yield f"https://{DOMAIN}:{port}/"
    nginx.stop()


def test_a_public_url_is_refused_first_and_works_once_jupyter_is_set_up_and_restarted_with_consent(
    jupyter: Running,
    public: str,
    ca_file: Path,  # noqa: F811
    share: Share,
) -> None:
    name, ca = f"local:{jupyter.port}", str(ca_file)
    status, out, err = share(name, "--check", public, "--ca", ca)
    assert (status, out) == (1, "")
    assert "failed: Host accepted" in err
    before = jupyter.pid
    status, out, err = share(name, "--url", public, "--ca", ca, "--yes")
    assert (status, out, jupyter.pid) == (1, "", before), "nothing restarts without consent"
    assert "after the next restart" in err
    status, out, err = share(name, "--url", public, "--ca", ca, "--restart")
    assert (status, out) == (0, f"{public}\n")
    assert jupyter.pid != before
    assert "ok: websocket passes" in err
    assert jupyter.written()["ServerApp"]["local_hostnames"] == ["localhost", DOMAIN]


def test_nothing_is_written_without_consent_nor_for_an_address_that_leads_nowhere(
    jupyter: Running, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupytui.cli.front.open_terminal", lambda: nullcontext(None))
    name, before = f"local:{jupyter.port}", jupyter.written()
    status, _out, err = share(name, "--url", "https://no-such-machine.invalid/", "--yes")
    assert status == 1
    assert "no-such-machine.invalid has no address" in err
    status, _out, err = share(name, "--url", f"https://{DOMAIN}/")
    assert status == 2
    assert "trust_xheaders" in err, "it is shown what would be written"
    assert "needs your consent. Say --yes" in err
    assert jupyter.written() == before


def test_what_was_asked_to_be_written_for_the_next_restart_is_done_and_says_so(jupyter: Running, share: Share) -> None:
    before = jupyter.pid
    status, out, err = share(f"local:{jupyter.port}", "--lan", "--yes")
    assert (status, out, jupyter.pid) == (0, "", before)
    assert f"It is written, and counts after the next restart of local:{jupyter.port}" in err
    assert jupyter.written()["ServerApp"]["ip"] == "0.0.0.0"


def test_a_proxy_that_rewrites_the_host_is_diagnosed_and_mended_by_the_fix_that_is_offered(
    home: Path,
    jupyter: Running,
    certificate: Path,  # noqa: F811
    ca_file: Path,  # noqa: F811
    share: Share,
) -> None:
    nginx = Nginx(home / "nginx")
    url = f"https://{DOMAIN}:{nginx.proxy(jupyter.port, f'{REWRITTEN} {FORWARDED} {UPGRADE}', certificate)}"
    nginx.start()
    try:
        status, out, err = share(f"local:{jupyter.port}", "--url", url, "--ca", str(ca_file), "--restart")
    finally:
        nginx.stop()
    assert (status, out) == (0, f"{url}/\n"), err
    assert "failed: Origin accepted" in err
    assert "Allow pages of that address" in err
    assert jupyter.written()["ServerApp"]["allow_origin"] == url


@pytest.fixture
def ngrok(
    home: Path,
    jupyter: Running,
    certificate: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Path, dict[str, object]]]:
    """The STAND-IN agent on the PATH, its internet behind a real TLS; and its settings."""
    nginx, inner = Nginx(home / "nginx"), free_port()
    port = nginx.proxy(inner, f"{PASSED} {UPGRADE}", certificate)
    settings: dict[str, object] = {"port": inner, "url": f"https://{{domain}}:{port}"}
    binary = place_stand_in(home / "bin", **settings)
    monkeypatch.setenv("PATH", f"{binary.parent}:{os.environ['PATH']}")
    nginx.start()
    yield binary, settings
    nginx.stop()


def seen_by_others(marker: str) -> list[Path]:
    """Command lines and environments of processes that hold `marker`."""
    found = []
    for pattern in ("[0-9]*/cmdline", "[0-9]*/environ"):
        for path in Path("/proc").glob(pattern):
            with suppress(OSError):
                found += [path] if marker.encode() in path.read_bytes() else []
    return found


def open_files(home: Path, marker: str) -> list[Path]:
    """Files below `home` that hold `marker` and can be read by others."""
    files = [path for path in home.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    return [path for path in files if marker.encode() in path.read_bytes()]


def test_a_server_goes_online_by_ngrok_is_proven_from_outside_and_goes_off_again_its_token_seen_nowhere(
    home: Path,
    jupyter: Running,
    ngrok: tuple[Path, dict[str, object]],
    ca_file: Path,  # noqa: F811
    share: Share,
) -> None:
    name, words = f"local:{jupyter.port}", ("--ngrok", "--domain", DOMAIN, "--ca", str(ca_file), "--restart")
    status, out, err = share(name, *words, lines=f"{MARKER}\n{PASSWORD}\n")
    try:
        assert status == 0, err
        assert out.startswith(f"https://{DOMAIN}:")
        for step in ("login page shows", "API takes a POST", "websocket passes", "the same server"):
            assert f"ok: {step}" in err
        assert "20 000 requests" in err
        assert jupyter.written()["ServerApp"]["local_hostnames"] == ["localhost", DOMAIN]
        assert MARKER not in err
        assert not seen_by_others(MARKER)
        assert not open_files(home, MARKER)
    finally:
        assert share(name, "--stop")[0] == 0
    assert share(name, "--check", out.strip(), "--ca", str(ca_file))[0] == 1


def test_a_shared_server_that_comes_back_without_a_password_is_taken_offline_and_stays_so(
    jupyter: Running,
    ngrok: tuple[Path, dict[str, object]],
    ca_file: Path,  # noqa: F811
    share: Share,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, agent = f"local:{jupyter.port}", str(ngrok[0].parent / "settings.json")
    words = (name, "--ngrok", "--domain", DOMAIN, "--ca", str(ca_file), "--restart")
    try:
        assert share(*words, lines=f"{MARKER}\n{PASSWORD}\n")[0] == 0
        jupyter.apply({"IdentityProvider.hashed_password": ""})
        status = asyncio.run(failed(f"share-local-{jupyter.port}"))
        assert status.error
        assert "lets anybody in without a password: not published" in status.error.message
        assert not seen_by_others(agent), "nothing is online"
        assert main(["tunnel", "up", status.tunnel.name]) == 1
        assert "lets anybody in" in capsys.readouterr().err
        assert not seen_by_others(agent)
    finally:
        jupyter.stop()
        assert share(name, "--stop")[0] == 0, "its server has ended"


async def failed(name: str) -> Status:
    async with connect(find_paths()) as keeper:
        await until(keeper, lambda known: known[name].state is TunnelState.FAILED)
        return next(status for status in keeper.statuses() if status.tunnel.name == name)


def test_a_token_that_ngrok_does_not_take_is_said_within_ten_seconds_and_not_kept(
    jupyter: Running, ngrok: tuple[Path, dict[str, object]], share: Share
) -> None:
    binary, settings = ngrok
    set_stand_in(binary, error=105, **settings)
    began = time.monotonic()
    status, out, err = share(f"local:{jupyter.port}", "--ngrok", lines=f"{MARKER}\n")
    assert (status, out) == (1, "")
    assert time.monotonic() - began < 10
    assert "does not look like one" in err
    assert MARKER not in err
    assert "needs the token" in share(f"local:{jupyter.port}", "--ngrok", lines="")[2]


def test_a_share_that_is_called_off_on_its_way_leaves_nothing(
    jupyter: Running, ngrok: tuple[Path, dict[str, object]], share: Share
) -> None:
    binary, settings = ngrok
    set_stand_in(binary, silent=True, **settings)
    name, pipe = f"local:{jupyter.port}", subprocess.PIPE
    argv = [sys.executable, "-m", "jupytui", "share", name, "--ngrok", "--stdin"]
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as under_way:
        assert under_way.stdin
        assert under_way.stderr
        under_way.stdin.write(f"{MARKER}\n")
        under_way.stdin.flush()
        while "Going online" not in (line := under_way.stderr.readline()):
            assert line
        while not seen_by_others(str(binary.parent / "settings.json")):
            time.sleep(0.02)  # nothing tells that the agent was started
        under_way.terminate()
        assert under_way.wait(30) == 128 + signal.SIGTERM
    assert not seen_by_others(str(binary.parent / "settings.json")), "the agent was ended before we were"
    assert "is not shared" in share(name, "--stop")[2]


def test_ngroks_agent_is_fetched_only_with_express_consent(
    home: Path, jupyter: Running, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr("jupytui.tunnels.public.binary._size", lambda _url, _deadline: 10 * 2**20)  # asks nobody
    monkeypatch.setattr("jupytui.cli.front.open_terminal", lambda: nullcontext(None))
    status, out, err = share(f"local:{jupyter.port}", "--ngrok")
    assert (status, out) == (2, "")
    assert "Fetch ngrok's agent needs your consent" in err
    assert not list(home.rglob("ngrok/bin/*"))


def test_a_server_that_lets_anybody_in_is_not_shared_in_any_way(home: Path, share: Share) -> None:
    needs()
    server = Running(home, {}, hashed="")
    server.start()
    try:
        server.ready()
        for way in (["--ngrok"], ["--lan"], ["--url", f"https://{DOMAIN}/"]):
            status, out, err = share(f"local:{server.port}", *way, "--restart")
            assert (status, out) == (1, "")
            assert f"jupytui passwd local:{server.port}" in err
    finally:
        server.stop()
