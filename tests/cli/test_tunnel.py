"""`jupytui tunnel`, as far as no host is needed; tests/e2e/test_tunnels.py has one."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jupytui.cli import main
from jupytui.cli.status_json import encode_status
from jupytui.cli.table import cells_of, render
from jupytui.cli.tunnel import COLUMNS, _row
from jupytui.cli.tunnel_json import encode
from jupytui.config.paths import find_paths
from jupytui.tunnels.keeper.place import find_place
from jupytui.tunnels.models import Address, Status, Trouble, Tunnel, TunnelKind, TunnelState
from tests.tunnels.keeper.conftest import keepers

LISTED = '[hosts.gpu1]\n[tunnels.lab]\nhost = "gpu1"\nto = "8888"\nlocal = 9000\n'
FAR = Status(
    Tunnel("far", "gpu1", TunnelKind.SOCKS, Address("127.0.0.1", 1080)),
    TunnelState.WAITING,
    1_800_000_000.25,
    error=Trouble("gpu1 does not answer.", "Is it awake?\x1b[2J"),
    next_try=1_800_000_009,
)


@pytest.fixture
def hosts(home: Path) -> Path:
    path = home / "hosts.toml"
    path.write_text(LISTED)
    return path


def test_status_has_the_documented_fields_of_a_tunnel_in_their_order() -> None:
    status = json.loads(encode_status((), datetime.now(UTC), [FAR]))
    assert status["tunnels"] == [
        {
            "name": "far",
            "host": "gpu1",
            "kind": "socks",
            "local": "127.0.0.1:1080",
            "to": None,
            "state": "waiting",
            "since": "2027-01-15T08:00:00.250Z",
            "reconnects": 0,
            "error": {"message": "gpu1 does not answer.", "hint": "Is it awake?\x1b[2J"},
        }
    ]
    names = ["name", "host", "kind", "local", "to", "state", "since", "reconnects", "error"]
    assert list(status["tunnels"][0]) == names


def test_ls_tells_more_and_nothing_a_terminal_obeys() -> None:
    (tunnel,) = json.loads(encode([FAR]))["tunnels"]
    assert tunnel["next_try"] == "2027-01-15T08:00:09.000Z"
    assert {"open_connections", "connections", "bytes_out", "bytes_in", "url"} <= tunnel.keys()
    assert "\x1b" not in encode([FAR])


def test_ls_lists_what_hosts_toml_names_as_down(hosts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tunnel", "ls", "--config", str(hosts)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0][:6] == ["TUNNEL", "HOST", "KIND", "FROM", "TO", "STATE"]
    assert lines[1][:6] == ["lab", "gpu1", "local", "127.0.0.1:9000", "localhost:8888", "down"]


@pytest.mark.parametrize("width", [80, 45])
def test_ls_keeps_names_addresses_and_words_whole_on_a_narrow_terminal(width: int) -> None:
    here, there = Address("127.0.0.1", 8888), Address("localhost", 8888)
    up = Status(Tunnel("gpu1-8888", "gpu1", TunnelKind.LOCAL, here, there), TunnelState.UP, 1_800_000_000)
    text = render(COLUMNS, [_row(status, datetime.now(UTC)) for status in (FAR, up)], width)
    assert max(map(cells_of, text.splitlines())) <= width
    for whole in ("gpu1-8888", "127.0.0.1:8888", "localhost:8888", "127.0.0.1:1080", "gpu1 does not answer."):
        assert whole in text


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_ls_imports_nothing_heavy_and_starts_no_keeper(hosts: Path, option: list[str]) -> None:
    code = (
        f"from jupytui.cli import main; assert main({['tunnel', 'ls', '--config', str(hosts), *option]!r}) == 0\n"
        "import sys; print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"asyncssh", "textual", "rich", "cryptography", "pyngrok", "argon2", "keyring"}
    assert not heavy & set(done.stderr.split())
    assert not keepers(find_place(find_paths(str(hosts))))
    assert not find_place(find_paths(str(hosts))).run.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["up"], "Name the tunnels, or say --all."),
        (["rm", "lab", "--all"], "Name the tunnels, or say --all."),
        (["add", "x", "--to", "1"], "Say `jupytui tunnel add NAME --host HOST --to TARGET`."),
        (["add", "x", "--host", "gpu1"], "Say where it leads to"),
        (["add", "x", "--host", "gpu1", "--to", "99999"], "--to 99999: Expected a port, host:port or /unix/socket."),
        (["add", "x", "--host", "gpu1", "--to", "1", "--local", "0"], "--local 0: Expected a port from 1 to 65535, or"),
        (["add", "x", "--host", "gpu1", "--to", "1", "--remote", "--socks"], "not allowed with"),
        (["ls", "lob"], "There is no tunnel 'lob'. Did you mean lab?"),
        (["fly"], "invalid choice"),
    ],
)
def test_wrong_use_is_said_and_is_2(
    hosts: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["tunnel", *words, "--config", str(hosts)]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""


def test_down_with_nothing_up_is_no_failure(hosts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tunnel", "down", "--all", "--config", str(hosts)]) == 0
    assert "lab is down already." in capsys.readouterr().err
    assert not keepers(find_place(find_paths(str(hosts))))
