from __future__ import annotations

from pathlib import Path

import pytest

from jupytui.config.paths import find_paths, private_directory


def test_option_beats_environment_beats_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    environ = {"JUPYTUI_CONFIG": str(tmp_path / "env")}
    assert find_paths(str(tmp_path / "option"), environ).hosts == tmp_path / "option" / "hosts.toml"
    assert find_paths(None, environ).hosts == tmp_path / "env" / "hosts.toml"
    assert find_paths(None, {}).hosts.name == "hosts.toml"


def test_the_file_itself_may_be_named(tmp_path: Path) -> None:
    assert find_paths(str(tmp_path / "mine.toml"), {}).hosts == tmp_path / "mine.toml"
    odd = tmp_path / "config"
    odd.write_text("")
    assert find_paths(str(odd), {}).hosts == odd


def test_directories_are_made_private_and_left_alone_when_there(tmp_path: Path) -> None:
    made = private_directory(tmp_path / "a" / "b")
    assert [path.stat().st_mode & 0o777 for path in (made, made.parent)] == [0o700, 0o700]
    (tmp_path / "open").mkdir(mode=0o755)
    private_directory(tmp_path / "open")
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o755
