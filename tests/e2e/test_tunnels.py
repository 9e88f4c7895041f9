"""Tunnels by keys and by command line, in tmux, to a real Jupyter: what befalls a front end befalls no tunnel."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from jupytui.config.paths import find_paths
from jupytui.tunnels.keeper.place import Place, find_place
from tests.e2e.program import JUPYTUI, run, screen, write_config
from tests.e2e.tmux import Tmux
from tests.lab.jupyter import JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab
from tests.tunnels.keeper.conftest import keepers

START = 30.0
SEEN = 10.0  # what a busy machine adds to a tick
LOST = 30.0  # the promise is 15 s
STALL = float(os.environ.get("JUPYTUI_TEST_STALL", "3"))  # seconds; 60 by hand
HOST, TOKEN = "tp1", "token-of-the-tunnel-host"

# Sends without end, at some 10 MB/s.
DRIP = """
import socket, time, threading
def drip(c):
    try:
        while True: c.sendall(b"x" * 65536); time.sleep(0.005)
    except OSError: pass
s = socket.create_server(("127.0.0.1", 7070))
while True: threading.Thread(target=drip, args=s.accept()[:1], daemon=True).start()
"""


@pytest.fixture(scope="module")
def server(lab: Lab) -> JupyterServer:
    """A JupyterLab, and beside it something to download from."""
    host = lab.host(HOST)
    host.write("/opt/drip.py", DRIP, mode="644")
    host.exec("systemd-run --quiet --unit=drip /usr/bin/python3 /opt/drip.py")
    host.exec("until ss -Hltn | grep -q 127.0.0.1:7070; do sleep 0.05; done")
    return start_jupyter(lab, host, Recipe(HOST, "nohup", "work.ipynb", token=TOKEN, log="/home/alice/nohup.out"))


@pytest.fixture
def config(home: Path, lab: Lab, server: JupyterServer) -> Path:
    return write_config(home, lab, [HOST])


@pytest.fixture
def place(config: Path) -> Iterator[Place]:
    """Where the keeper is; none is left."""
    found = find_place(find_paths(str(config)))
    yield found
    for pid in keepers(found):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def shown(config: Path, columns: int, rows: int) -> Iterator[Tmux]:
    """Run the program with the pane shown."""
    with screen(config, columns, rows) as terminal:
        terminal.wait_until(re.compile(rf"{HOST} .*up"), START)
        terminal.send("5")
        terminal.wait_until(re.compile(r"No tunnel yet|TUNNEL|tunnels? ·"), SEEN)
        yield terminal


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def api(port: int) -> str:
    """What the Jupyter behind a tunnel calls its version."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=60) as answer:
        return str(json.load(answer)["version"])


def listed(config: Path) -> dict[str, dict[str, object]]:
    done = run(config, "tunnel", "ls", "--json")
    assert done.returncode == 0, done.stderr
    return {tunnel["name"]: tunnel for tunnel in json.loads(done.stdout)["tunnels"]}


class Download:
    """Reads from a tunnel without end, in a thread."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.taken, self.more = 0, threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError):  # that it does not go on is seen by who waits for more
            while data := self._socket.recv(65536):
                with self.more:
                    self.taken += len(data)
                    self.more.notify_all()

    def goes_on(self, more: int = 2**20) -> bool:
        """Whether so many bytes more come within a minute."""
        with self.more:
            wanted = self.taken + more
            return self.more.wait_for(lambda: self.taken >= wanted, 60)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def download(config: Path, place: Place) -> Iterator[Download]:
    """A download through a tunnel that the command line has made."""
    done = run(config, "tunnel", "add", "drip", "--host", HOST, "--to", "7070")
    assert done.returncode == 0, done.stderr
    found = Download(int(done.stdout.rpartition(":")[2]))
    assert found.goes_on()
    yield found
    found.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", [(120, 40), (45, 30)], ids=["wide", "narrow"])
def test_a_tunnel_is_added_by_keys_and_what_becomes_of_its_link_is_shown(
    config: Path, place: Place, server: JupyterServer, size: tuple[int, int]
) -> None:
    port = free_port()
    with shown(config, *size) as terminal:
        terminal.wait_until("t adds one", SEEN)
        terminal.send("t")
        terminal.wait_until("Add a tunnel", SEEN)
        for typed in ("", "", str(port), "notes", "", ""):  # the only host, 8888, port here, name, local, not kept
            terminal.type(typed)
            terminal.send("Enter")
            terminal.wait_quiet()
        terminal.wait_until(re.compile(rf"notes .*:{port}.*● up"), START)
        assert api(port)
        terminal.wait_until(re.compile(r"1 tunnel · 1 up"), SEEN)
        if size[0] < 72:
            return
        server.host.cut()
        try:
            terminal.wait_until(re.compile(r"notes .*◐ (waiting|connecting)"), LOST)
            terminal.wait_until("Next try at", 3 * LOST)  # the first waits are too short to be seen
            assert listed(config)["notes"]["state"] in {"waiting", "connecting"}
        finally:
            server.host.heal()
        terminal.send("r")
        terminal.wait_until(re.compile(r"notes .*● up"), START)
        assert api(port)
        terminal.wait_until(re.compile(r"notes .*● up.* 1 "), SEEN)


def test_t_on_a_server_makes_a_tunnel_to_it_and_reuses_it(config: Path, place: Place, server: JupyterServer) -> None:
    with screen(config) as terminal:
        terminal.wait_until(re.compile(r"lab :8888.*up"), START)
        terminal.send("j")
        terminal.wait_until(re.compile(r"› +lab :8888"), SEEN)
        terminal.send("t")
        terminal.wait_until(re.compile(r"tunnel :\d+ ● up"), START)
        port = int(str(listed(config)[f"{HOST}-8888"]["local"]).rpartition(":")[2])
        assert api(port)
        terminal.send("t")
        terminal.wait_until(f"{HOST}-8888 is up", START)
        assert len(listed(config)) == 1
        terminal.send("q")
        assert terminal.exit_status(SEEN) == 0
        assert f"1 tunnel stays: {HOST}-8888." in terminal.wait_until("jupytui tunnel down --all", SEEN)
    assert api(port)


def test_what_the_command_line_does_is_seen_on_the_screen_at_once(config: Path, place: Place) -> None:
    with shown(config, 45, 30) as terminal:
        assert run(config, "tunnel", "add", "other", "--host", HOST, "--to", "8888").returncode == 0
        terminal.wait_until(re.compile(r"other .*● up"), SEEN)
        assert run(config, "tunnel", "down", "other").returncode == 0
        terminal.wait_until(re.compile(r"other .*○ down"), SEEN)
        terminal.send("u")
        terminal.wait_until(re.compile(r"other .*● up"), START)
        assert listed(config)["other"]["state"] == "up"
        assert run(config, "tunnel", "rm", "--all", "--yes").returncode == 0
        terminal.wait_until("No tunnel yet", SEEN)


def test_the_end_of_the_program_is_not_that_of_a_download(config: Path, download: Download) -> None:
    with shown(config, 120, 40) as terminal:
        terminal.wait_until(re.compile(r"drip .*● up"), SEEN)
        os.kill(terminal.pid, signal.SIGKILL)
        terminal.exit_status(SEEN)
    assert download.goes_on()
    assert listed(config)["drip"]["open_connections"] == 1


def test_a_terminal_that_stalls_stalls_no_download(config: Path, download: Download) -> None:
    with shown(config, 120, 40) as terminal:
        terminal.wait_until(re.compile(r"drip .*● up"), SEEN)
        for pid in (terminal.reader, terminal.pid):
            os.kill(pid, signal.SIGSTOP)
            try:
                until = time.monotonic() + STALL
                while time.monotonic() < until:
                    assert download.goes_on()
            finally:
                os.kill(pid, signal.SIGCONT)
        terminal.wait_until(re.compile(r"drip .*● up"), SEEN)


def test_a_keeper_that_is_killed_is_started_again_into_the_same_tunnels(config: Path, place: Place) -> None:
    port = free_port()
    done = run(config, "tunnel", "add", "kept", "--host", HOST, "--to", "8888", "--local", str(port))
    assert done.returncode == 0, done.stderr
    with shown(config, 120, 40) as terminal:
        terminal.wait_until(re.compile(r"kept .*● up"), SEEN)
        (keeper,) = keepers(place)
        begun = time.monotonic()
        os.kill(keeper, signal.SIGKILL)
        while not (keepers(place) - {keeper} and listens(port)):  # the promise is 3 s, on a machine that is not busy
            assert time.monotonic() - begun < START
            time.sleep(0.02)
        print(f"{time.monotonic() - begun:.2f} s until it listened again")
        assert api(port)
        terminal.wait_until(re.compile(rf"kept .*:{port}.*● up"), START)


def test_the_screen_writes_nothing_while_nothing_happens(config: Path, place: Place) -> None:
    assert run(config, "tunnel", "add", "calm", "--host", HOST, "--to", "7070").returncode == 0
    config.write_text(config.read_text().replace("refresh = 1", "refresh = 3600"))
    with shown(config, 120, 40) as terminal:
        terminal.wait_until(re.compile(r"calm .*● up"), SEEN)
        written = terminal.wait_quiet(1.5)
        assert terminal.wait_quiet(3, 10) == written


def test_a_key_nobody_vouched_for_is_asked_about_on_the_screen(
    home: Path, lab: Lab, config: Path, place: Place
) -> None:
    """The program's own connection is there already; the keeper's then finds the key forgotten."""
    known = home / "known_hosts"
    known.write_text(lab.known_hosts.read_text())
    mine = home / "ssh_config"
    mine.write_text(lab.ssh_config.read_text().replace(str(lab.known_hosts), str(known)))
    config.write_text(config.read_text().replace(str(lab.ssh_config), str(mine)))
    with shown(config, 120, 40) as terminal:
        known.write_text("")
        terminal.send("t")
        terminal.wait_until("Add a tunnel", SEEN)
        for _ in range(6):
            terminal.send("Enter")
            terminal.wait_quiet()
        terminal.wait_until("SHA256:", START)
        terminal.type("yes")
        terminal.send("Enter")
        terminal.wait_until(re.compile(r"● up"), START)
        assert known.read_text()


def test_the_command_line_says_what_is_wrong(config: Path, place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        done = run(config, "tunnel", "add", "x", "--host", HOST, "--to", "8888", "--local", str(port))
        assert done.returncode == 1
        assert f"Port {port} is taken by" in done.stderr
        assert f"(process {os.getpid()})" in done.stderr
        assert "is free" in done.stderr
    for words, said in (
        (["add", "x", "--host", "tpx", "--to", "8888"], "There is no host 'tpx'"),
        (["add", "x", "--host", HOST], "Say where it leads to"),
        (["up", "none"], "There is no tunnel 'none'"),
        (["down"], "Name the tunnels, or say --all."),
    ):
        done = run(config, "tunnel", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
    assert not listed(config)
    assert not keepers(place)


def test_what_hosts_toml_wants_up_is_up_once_the_program_has_started(config: Path, place: Place) -> None:
    port = free_port()
    table = f'\n[tunnels.wanted]\nhost = "{HOST}"\nto = "8888"\nlocal = {port}\nup = true\n'
    config.write_text(config.read_text() + table)
    with shown(config, 120, 40) as terminal:
        terminal.wait_until(re.compile(r"wanted .*● up"), START)
        assert api(port)


def test_what_is_kept_is_in_hosts_toml_and_what_is_removed_is_not(config: Path, place: Place) -> None:
    before = config.read_text()
    port = free_port()
    words = ["add", "kept", "--host", HOST, "--to", "8888", "--local", str(port), "--keep"]
    assert run(config, "tunnel", *words).returncode == 0
    table = f'\n[tunnels.kept]\nhost = "{HOST}"\nto = "8888"\nlocal = {port}\nup = true\n'
    assert config.read_text() == before + table
    assert run(config, "tunnel", *words).returncode == 0  # once more is no mistake
    assert json.loads(run(config, "status", "--json").stdout)["tunnels"][0]["name"] == "kept"
    done = run(config, "tunnel", "rm", "kept")
    assert (done.returncode, "Say --yes" in done.stderr) == (2, True)
    assert run(config, "tunnel", "rm", "kept", "--yes").returncode == 0
    assert config.read_text() == before


def test_a_passphrase_is_asked_for_on_the_terminal(home: Path, lab: Lab, config: Path, place: Place) -> None:
    mine = home / "ssh_config"
    key = home / "key"
    identity = re.search(r"IdentityFile (\S+)", lab.ssh_config.read_text())
    assert identity
    key.write_text(Path(identity[1].strip('"')).read_text())
    key.chmod(0o600)
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "xyzzy plugh", "-f", str(key)], check=True, capture_output=True
    )
    mine.write_text(lab.ssh_config.read_text().replace(identity[1], str(key)))
    config.write_text(config.read_text().replace(str(lab.ssh_config), str(mine)))
    argv = [*JUPYTUI, "--config", str(config), "tunnel", "add", "locked", "--host", HOST, "--to", "8888"]
    with Tmux(argv, 100, 20) as terminal:
        terminal.wait_until(re.compile("passphrase", re.IGNORECASE), START)
        terminal.type("xyzzy plugh")
        terminal.send("Enter")
        terminal.wait_until("locked is up", START)
        assert terminal.exit_status(START) == 0
        assert b"xyzzy" not in terminal.output()
