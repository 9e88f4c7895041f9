from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.config.load import key_error, load_config, parse_config
from jupytui.config.model import Color, Config, HostEntry, TunnelEntry, TunnelKind
from jupytui.errors import ConfigError, UsageError

PATH = Path("/there/hosts.toml")

WHOLE = b"""
[hosts.gpu1]                  # whatever ssh accepts
tags = ["gpu"]
[hosts.lab]
ssh = "alice@lab.example.org:2222"
[settings]
refresh = 5
ssh_config = "~/other"
color = 256
theme = "nord"
[keys]
"server.restart" = "R"
kernel.interrupt = ["i", "ctrl+c"]
[tunnels.gpu1-lab]
host = "gpu1"
to = 8888
local = 8888
up = true
[tunnels.out]
host = "gpu1"
kind = "socks"
"""


def test_everything_that_can_be_said_is_kept() -> None:
    config = parse_config(PATH, WHOLE)
    assert config.hosts == (
        HostEntry("local"),
        HostEntry("gpu1", "gpu1", ("gpu",)),
        HostEntry("lab", "alice@lab.example.org:2222"),
    )
    assert (config.settings.refresh, config.settings.color) == (5.0, Color.C256)
    assert (config.settings.ssh_config, config.settings.theme) == ("~/other", "nord")
    assert config.keys == {"server.restart": ("R",), "kernel.interrupt": ("i", "ctrl+c")}
    assert config.tunnels == (
        TunnelEntry("gpu1-lab", "gpu1", "8888", 8888, TunnelKind.LOCAL, True),
        TunnelEntry("out", "gpu1", kind=TunnelKind.SOCKS),
    )


def test_without_a_file_there_is_this_machine(tmp_path: Path) -> None:
    assert load_config(tmp_path / "hosts.toml") == Config(tmp_path / "hosts.toml")


def test_this_machine_stands_where_it_is_named_and_can_be_hidden() -> None:
    config = parse_config(PATH, b"[hosts.a]\n[hosts.local]\nwatch = false\n")
    assert [host.name for host in config.hosts] == ["a", "local"]
    assert [host.name for host in config.watched()] == ["a"]
    assert [host.name for host in config.watched(["local"])] == ["local"]


def test_a_host_that_is_not_listed_is_named_with_what_was_meant() -> None:
    with pytest.raises(UsageError, match="Did you mean gpu1"):
        parse_config(PATH, WHOLE).watched(["gpu"])


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        (b"[hosts.a]\n\n[setings]\n", 3, "setings: unknown key; expected hosts, settings, keys, tunnels"),
        (b"[hosts.a]\ntgas = []\n", 2, "hosts.a.tgas: unknown key"),
        (b"[hosts.a]\n# tgas\ntags = [\n 'x',\n 1]\n", 3, "hosts.a.tags: expected a list of words"),
        (b"[hosts.a]\nwatch = 'no'\n", 2, 'hosts.a.watch: expected true or false, found "no"'),
        (b'[hosts.a]\nssh = "-oProxyCommand=x"\n', 2, "hosts.a.ssh: expected what `ssh` accepts"),
        (b"[hosts.a]\nssh = 'alice@h:99999'\n", 2, 'ports to 65535, found "alice@h:99999"'),
        (b"[hosts.a]\nssh = 'ssh://alice@h:99999'\n", 2, "hosts.a.ssh: expected what `ssh` accepts"),
        (b'[hosts.b]\n[hosts."-oProxyCommand=x"]\n', 2, "expected a name that does not begin with '-'"),
        (b'[hosts."a\\u001b[2J"]\n', 1, "has no control characters"),
        (b"[hosts.local]\nssh = 'x'\n", 2, "hosts.local.ssh: `local` is this machine"),
        (b"hosts = 3\n", 1, "hosts: expected a table"),
        (b"\n[[hosts]]\nb = 3\n", 2, "hosts: expected a table"),
        (b"[settings]\nrefresh = 0.5\n", 2, "settings.refresh: expected a number of seconds from 1 to 3600, found 0.5"),
        (b"[settings]\nrefresh = nan\n", 2, "found nan"),
        (b"[settings]\nrefresh = true\n", 2, "found true"),
        (b"[settings]\ncolor = 'red'\n", 2, "expected auto, truecolor, 256 or ansi"),
        (b"[keys]\nserver.restart = 3\n", 2, "keys.server.restart: expected a key"),
        (b"[tunnels.x]\nto = 1\n", 1, "tunnels.x: needs `host`"),
        (b"[tunnels.x]\nhost = 'a'\n", 1, "tunnels.x: needs `to`"),
        (b"[tunnels.x]\nhost = 'a'\nto = 'b:99999'\n", 3, "expected a port, host:port or /unix/socket"),
        (b"[tunnels.x]\nhost = 'a'\nto = 1\nlocal = 0\n", 4, "expected a port from 1 to 65535"),
        (b"[hosts.a]\n[hosts.a]\n", 2, "this is not TOML"),
        (b"a = 1\nb = [1,\n2\n", 2, "this is not TOML"),
        (b"[hosts.a]\nssh = \n", 2, "this is not TOML"),
        (b"[hosts.a]\n# caf\xe9\n", 2, "byte 0xe9 is not UTF-8"),
        (b"\nx = " + b"[" * 5000, 2, "too large or too deep"),
        (b"\nx = " + b"9" * 5000, 2, "too large or too deep"),
    ],
)
def test_what_is_wrong_is_named_by_file_line_and_key(source: bytes, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(PATH, source)
    assert caught.value.message.startswith(f"{PATH}, line {line}: ")
    assert says in caught.value.message


def test_a_typo_is_answered_with_what_was_meant() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(PATH, b"[setings]\n")
    assert caught.value.hint == "Did you mean settings?"


def test_a_key_that_proves_wrong_later_is_named_the_same_way() -> None:
    error = key_error(parse_config(PATH, WHOLE), ("keys", "server.restart"), "there is no such action")
    assert error.message == f'{PATH}, line 12: keys."server.restart": there is no such action.'


def test_a_directory_a_dangling_link_and_an_unreadable_file_are_errors(tmp_path: Path) -> None:
    (tmp_path / "directory.toml").mkdir()
    (tmp_path / "link.toml").symlink_to("nowhere.toml")
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    for name in ("directory", "link", "loop"):
        with pytest.raises(ConfigError, match=f"{name}.toml"):
            load_config(tmp_path / f"{name}.toml")
    assert not (tmp_path / "nowhere.toml").exists()


@contextmanager
def _nobody() -> Iterator[None]:
    """Root may read everything, so it is not root who reads."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_file_without_permission_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "hosts.toml").write_bytes(WHOLE)
    (tmp_path / "hosts.toml").chmod(0)
    with _nobody(), pytest.raises(ConfigError, match="Permission denied"):
        load_config(tmp_path / "hosts.toml")


def test_something_endless_is_not_read_for_ever() -> None:
    with pytest.raises(ConfigError, match="longer than"):
        load_config(Path("/dev/zero"))


@given(st.binary(max_size=200) | st.text(alphabet="[]{}\"'=.\n#,hosts settings ab1-", max_size=200).map(str.encode))
def test_no_bytes_whatever_raise_anything_else(source: bytes) -> None:
    try:
        assert parse_config(PATH, source).source == source
    except ConfigError as error:
        assert str(PATH) in error.message
