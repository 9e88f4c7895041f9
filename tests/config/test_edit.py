from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jupytui.config.edit import add_hosts, add_tunnel, remove_hosts, remove_tunnels, set_tunnel_up
from jupytui.config.load import load_config
from jupytui.config.model import HostEntry, TunnelEntry, TunnelKind
from jupytui.errors import ConfigError, UsageError

NEW = HostEntry("new", "bob@new.example.org", ("gpu", "a b"))

KEPT = """# my machines
[hosts.gpu1]                  # the old one
tags = ["gpu"]
# watch = false

# the lab's
[hosts.lab]

# about settings
[settings]
refresh = 5
"""


def _file(directory: Path, text: str) -> Path:
    path = directory / "hosts.toml"
    path.write_bytes(text.encode())
    return path


def test_a_host_goes_behind_the_others_and_nothing_else_moves(tmp_path: Path) -> None:
    path = _file(tmp_path, KEPT)
    config = add_hosts(load_config(path), [NEW, HostEntry("b.c", "b.c", watch=False)])
    added = '\n[hosts.new]\nssh = "bob@new.example.org"\ntags = ["gpu", "a b"]\n\n[hosts."b.c"]\nwatch = false\n'
    assert path.read_text() == KEPT.replace("[hosts.lab]\n", "[hosts.lab]\n" + added)
    assert config == load_config(path)
    assert [host.name for host in config.hosts] == ["local", "gpu1", "lab", "new", "b.c"]


def test_removing_takes_the_table_and_leaves_the_comments_of_others(tmp_path: Path) -> None:
    path = _file(tmp_path, KEPT)
    remove_hosts(load_config(path), ["gpu1"])
    assert path.read_text() == KEPT.replace('[hosts.gpu1]                  # the old one\ntags = ["gpu"]\n', "")


def test_the_first_file_is_private_and_so_is_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "config" / "jupytui" / "hosts.toml"
    config = add_hosts(load_config(path), [NEW])
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert config.hosts == (HostEntry("local"), NEW)
    assert [entry.name for entry in path.parent.iterdir()] == ["hosts.toml"]


def test_removing_this_machine_hides_it_and_adding_shows_it_again(tmp_path: Path) -> None:
    path = _file(tmp_path, KEPT)
    hidden = remove_hosts(load_config(path), ["local"])
    assert "local" not in [host.name for host in hidden.watched()]
    shown = add_hosts(hidden, [HostEntry("local")])
    assert "local" in [host.name for host in shown.watched()]


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = _file(tmp_path, KEPT)
    config = load_config(path)
    path.write_text(KEPT + "# mine\n")
    with pytest.raises(ConfigError, match="has changed"):
        add_hosts(config, [NEW])
    assert path.read_text() == KEPT + "# mine\n"


def test_a_file_that_came_to_be_meanwhile_is_left_alone(tmp_path: Path) -> None:
    config = load_config(tmp_path / "hosts.toml")
    path = _file(tmp_path, KEPT)
    with pytest.raises(ConfigError, match="has changed"):
        add_hosts(config, [NEW])
    assert path.read_text() == KEPT


def test_a_link_still_points_to_the_file_that_is_kept_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    kept = _file(tmp_path / "dotfiles", KEPT)
    link = tmp_path / "hosts.toml"
    link.symlink_to("dotfiles/hosts.toml")
    add_hosts(load_config(link), [NEW])
    assert link.is_symlink()
    assert "[hosts.new]" in kept.read_text()


def test_a_failing_write_leaves_the_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _file(tmp_path, KEPT)
    config = load_config(path)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        add_hosts(config, [NEW])
    assert path.read_text() == KEPT
    assert [entry.name for entry in tmp_path.iterdir()] == ["hosts.toml"]


@pytest.mark.parametrize("name", ["gpu1", "local "])
def test_a_listed_name_is_not_added_twice_nor_a_bad_one_at_all(tmp_path: Path, name: str) -> None:
    path = _file(tmp_path, KEPT)
    with pytest.raises((UsageError, ConfigError)):
        add_hosts(load_config(path), [HostEntry(name, name)])
    assert path.read_text() == KEPT


@pytest.mark.parametrize("text", ["hosts = {a = {}, b = {}}\n", "[hosts]\na = {}\nb = {}\n", "hosts.a = {}\nx.y = 1\n"])
def test_another_layout_is_edited_rightly_or_refused_untouched(tmp_path: Path, text: str) -> None:
    path = _file(tmp_path, text)
    if "x.y" in text:
        with pytest.raises(ConfigError):
            load_config(path)
        return
    before = load_config(path)
    edits = (partial(remove_hosts, before, ["a"]), partial(add_hosts, before, [NEW]))
    for edit in edits:
        path.write_text(text)
        try:
            after = edit()
        except ConfigError as refused:
            assert "by hand" in refused.hint
            assert path.read_text() == text
        else:
            assert {host.name for host in after.hosts} ^ {host.name for host in before.hosts} <= {"a", "new"}


_NAMES = st.sampled_from(["a", "b", '"c.d"', "local"])
_LINES = st.sampled_from(
    [
        "",
        "# a comment",
        "  # indented",
        "tags = [\n  'x', # in\n\n]",
        "watch = true",
        "[settings]",
        "refresh = 7",
        "[keys]",
    ]
) | _NAMES.map(lambda name: f"[hosts.{name}]")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much], max_examples=300)
@given(lines=st.lists(_LINES, max_size=12), newline=st.sampled_from(["\n", "\r\n"]), ended=st.booleans())
def test_adding_and_removing_gives_the_same_bytes(tmp_path: Path, lines: list[str], newline: str, ended: bool) -> None:
    text = newline.join("\n".join(lines).split("\n")) + (newline if ended else "")
    path = _file(tmp_path, text)
    try:
        before = load_config(path)
    except ConfigError:
        assume(False)
    other = HostEntry("other", "other", ("x",))
    after = remove_hosts(remove_hosts(add_hosts(before, [NEW, other]), ["other"]), ["new"])
    assert path.read_bytes() == text.encode()
    assert after == before


TUNNELS = """# my machines
[hosts.gpu1]

[tunnels.lab]  # the one that matters
host = "gpu1"
# not 8888
to = "9999"
up = false  # by hand

[settings]
refresh = 5
"""
BACK = TunnelEntry("a b", "gpu1", "localhost:22", 7022, TunnelKind.REMOTE, True)


def test_a_tunnel_goes_behind_the_others_and_nothing_else_moves(tmp_path: Path) -> None:
    path = _file(tmp_path, TUNNELS)
    config = add_tunnel(load_config(path), BACK)
    lines = 'host = "gpu1"\nkind = "remote"\nto = "localhost:22"\nlocal = 7022\nup = true\n'
    assert path.read_text() == TUNNELS.replace("# by hand\n", f'# by hand\n\n[tunnels."a b"]\n{lines}')
    assert config == load_config(path)
    assert config.tunnels[1] == BACK
    remove_tunnels(config, ["a b", "not there"])
    assert path.read_text() == TUNNELS


def test_the_first_tunnel_goes_behind_everything(tmp_path: Path) -> None:
    path = _file(tmp_path, KEPT.replace("lab", "gpu2").removesuffix("\n"))
    add_tunnel(load_config(path), TunnelEntry("s", "gpu1", kind=TunnelKind.SOCKS))
    added = '\n\n[tunnels.s]\nhost = "gpu1"\nkind = "socks"'
    assert path.read_text() == KEPT.replace("lab", "gpu2").removesuffix("\n") + added


def test_a_tunnel_of_a_name_in_use_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, TUNNELS)
    with pytest.raises(UsageError, match="another tunnel 'lab'"):
        add_tunnel(load_config(path), TunnelEntry("lab", "gpu1", "1"))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_whether_a_tunnel_is_up_is_changed_in_its_own_line(tmp_path: Path, newline: str) -> None:
    path = _file(tmp_path, TUNNELS.replace("\n", newline))
    config = set_tunnel_up(load_config(path), "lab", True)
    assert path.read_bytes().decode() == TUNNELS.replace("up = false", "up = true").replace("\n", newline)
    assert config.tunnels[0].up
    bare = _file(tmp_path, TUNNELS.replace("up = false  # by hand\n", "").replace("\n", newline))
    set_tunnel_up(load_config(bare), "lab", True)
    assert bare.read_bytes().decode() == TUNNELS.replace("false  # by hand", "true").replace("\n", newline)


def test_a_tunnel_written_in_one_line_is_left_as_it_is(tmp_path: Path) -> None:
    text = '[hosts.gpu1]\n[tunnels]\nlab = {host = "gpu1", to = "1"}\n'
    path = _file(tmp_path, text)
    with pytest.raises(ConfigError, match=r"Give each tunnel a table of its own, as \[tunnels.NAME\]"):
        set_tunnel_up(load_config(path), "lab", True)
    assert path.read_text() == text
