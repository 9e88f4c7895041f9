"""What the unit says that brings tunnels up after a login; test_far.py has a systemd that reads it."""

from __future__ import annotations

import pytest

from jupytui.tunnels.keeper import unit


def environment() -> list[str]:
    lines = unit.unit_text(("/usr/bin/sleep", "infinity")).splitlines()
    return [line.removeprefix("Environment=") for line in lines if line.startswith("Environment=")]


def test_the_unit_finds_programs_where_we_find_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/home/alice/.local/bin:/usr/bin")
    assert "PATH=/home/alice/.local/bin:/usr/bin" in environment()


def test_a_path_is_quoted_as_systemd_reads_it_and_names_no_directory_that_depends_on_where_one_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", '/opt/50% off:.::bin:/a"b')
    assert '"PATH=/opt/50%% off:/a\\"b"' in environment()


@pytest.mark.parametrize("path", ["", "."])
def test_without_a_path_systemds_own_counts(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path)
    assert not [line for line in environment() if line.strip('"').startswith("PATH=")]


def test_nothing_else_of_our_environment_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "MARKER")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/tmp/MARKER")
    assert "MARKER" not in unit.unit_text(("/usr/bin/sleep", "infinity"))
