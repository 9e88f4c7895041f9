from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupytui.config.ssh_hosts import SshAlias, ssh_aliases


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".ssh" / "conf.d").mkdir(parents=True)
    return tmp_path


def _write(home: Path, text: str | bytes, name: str = "config") -> None:
    (home / ".ssh" / name).write_bytes(text.encode() if isinstance(text, str) else text)


def _names(home: Path) -> list[str]:
    return [alias.name for alias in ssh_aliases(home=home)]


def test_concrete_names_come_with_what_their_block_states(home: Path) -> None:
    _write(
        home,
        """
        Host gpu1 gpu2 *.internal !gpu3 # two boxes
          HostName = %h.example.org
          User=alice
        HOST="quoted"
        Match host gpu1
          HostName elsewhere
        Host lab
        \tHostname\t10.0.0.1
        Host lab *
          hostname too-late
        """,
    )
    assert ssh_aliases(home=home) == (
        SshAlias("gpu1", "gpu1.example.org", "alice"),
        SshAlias("gpu2", "gpu2.example.org", "alice"),
        SshAlias("quoted"),
        SshAlias("lab", "10.0.0.1"),
    )


def test_included_files_are_read_in_place_sorted_by_bytes_and_relative_to_dot_ssh(home: Path) -> None:
    _write(home, f"Host first\nInclude conf.d/* {home}/.ssh/abs* ~/.ssh/tilde missing/*\nHost last\n")
    _write(home, "Host b", "conf.d/b")
    _write(home, "Host a", "conf.d/a")
    _write(home, "Host B", "conf.d/B")
    _write(home, "Host hidden", "conf.d/.hidden")
    _write(home, "Host abs", "absolute")
    _write(home, "Host tilde", "tilde")
    assert _names(home) == ["first", "B", "a", "b", "abs", "tilde", "last"]


def test_a_file_that_includes_itself_ends(home: Path) -> None:
    _write(home, "Host a\nInclude config\n")
    assert _names(home) == ["a"]


def test_two_files_that_include_each_other_twice_end_soon(home: Path) -> None:
    _write(home, "Host a\nInclude config\nInclude config\nInclude config\n")
    assert _names(home) == ["a"]


def test_another_file_is_read_when_settings_name_one(home: Path) -> None:
    _write(home, "Host other", "work")
    assert ssh_aliases("~/.ssh/work", home) == (SshAlias("other"),)


def test_names_that_would_be_options_or_escape_sequences_are_left_out(home: Path) -> None:
    _write(home, b'Host -oProxyCommand=x a\x1b[2J caf\xe9 fine "two words" end"\nHost "-x" good\n')
    assert _names(home) == ["good"]


def test_no_file_a_directory_and_a_device_give_no_names(home: Path) -> None:
    assert _names(home) == []
    (home / ".ssh" / "config").mkdir()
    assert _names(home) == []
    assert ssh_aliases("/dev/zero", home) == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=100)
    | st.lists(st.sampled_from(["Host ", "a", "*", "=", '"', "\n", "Include ", "[", "#", "\\"])).map(
        lambda parts: "".join(parts).encode()
    )
)
def test_no_bytes_whatever_raise(home: Path, source: bytes) -> None:
    _write(home, source)
    for alias in ssh_aliases(home=home):
        assert alias.name
        assert not alias.name.startswith("-")
