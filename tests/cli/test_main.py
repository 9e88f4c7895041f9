"""What a person or a script gets from the program itself, started as they start it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import ROOT, under_a_terminal


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("JUPYTUI_CONFIG", raising=False)
    return tmp_path


OPTIONS = ("--host", "--config", "--no-mouse", "--read-only", "--version")


def _jupytui(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    start = f"import sys; from jupytui.cli import main\n{code}\nsys.exit(main())"
    command = [sys.executable, *(["-c", start] if code else ["-m", "jupytui"]), *arguments]
    nothing = subprocess.DEVNULL
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=nothing, timeout=60, check=False)


def test_version_and_help_go_to_stdout() -> None:
    assert _jupytui("--version").stdout == "jupytui 0.1.0\n"
    text = _jupytui("--help").stdout
    for word in ("status", "kernels", "config", "completions", *OPTIONS, "exit status"):
        assert word in text


def test_without_a_terminal_there_is_a_sentence_and_status_2(home: Path) -> None:
    done = _jupytui()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "jupytui: This needs a terminal, and there is none. `jupytui status` works without.\n"


@pytest.mark.parametrize("line", ["nope", "status --nope", "config", "kernels explode", "kernels restart"])
def test_wrong_use_is_status_2_and_says_so_on_stderr(home: Path, line: str) -> None:
    done = _jupytui(*line.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert "jupytui" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("command", "needed"), [("config", "verb"), ("env", "verb, HOST"), ("tunnel", "verb")])
def test_only_what_is_needed_is_said_to_be_missing(home: Path, command: str, needed: str) -> None:
    assert _jupytui(command).stderr.splitlines()[-1].endswith(f"the following arguments are required: {needed}")


def test_config_path_prints_where_the_file_is_or_would_be(home: Path) -> None:
    assert _jupytui("config", "path").stdout == f"{home}/config/jupytui/hosts.toml\n"
    assert _jupytui("--config", "/x", "config", "path").stdout == "/x/hosts.toml\n"
    assert _jupytui("config", "path", "--config", "/x/y.toml").stdout == "/x/y.toml\n"


def test_config_check_says_what_is_right(home: Path) -> None:
    assert "is not there: this machine alone" in _jupytui("config", "check").stdout
    (home / "hosts.toml").write_text("[hosts.a]\n[keys]\nkernel.restart = 'R'\n")
    done = _jupytui("config", "check", "--config", str(home))
    assert (done.returncode, done.stdout) == (0, f"{home}/hosts.toml is right: 2 hosts, 1 key, 0 tunnels.\n")


def test_config_check_refuses_what_would_fail_later(home: Path) -> None:
    for text, says in (
        ("[settings]\ntheme = 'nrod'\n", "line 2: settings.theme: there is no theme nrod. Did you mean nord?"),
        ("[settings]\nssh_config = '/no/such'\n", "line 2: settings.ssh_config: there is no file /no/such."),
    ):
        (home / "hosts.toml").write_text(text)
        done = _jupytui("config", "check", "--config", str(home))
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"jupytui: {home}/hosts.toml, {says}")


@pytest.mark.parametrize("command", [["config", "check"], ["status"], ["tunnel", "ls"]])
def test_a_file_that_was_named_and_is_not_there_is_wrong_use(home: Path, command: list[str]) -> None:
    done = _jupytui(*command, "--config", f"{home}/mine.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"There is no {home}/mine.toml." in done.stderr


@pytest.mark.parametrize("command", [["config", "check"], ["status"], ["status", "--json"], ["kernels", "ls"]])
def test_a_wrong_file_stops_every_command_with_file_line_and_key(home: Path, command: list[str]) -> None:
    file = home / "hosts.toml"
    file.write_text("[hosts.a]\n\n[keys]\nkernel.restrat = 'R'\n")
    done = _jupytui(*command, "--config", str(home))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"jupytui: {file}, line 4: keys.kernel.restrat: there is no such action. Did you mean kernel.restart?\n"
    )
    assert file.read_text() == "[hosts.a]\n\n[keys]\nkernel.restrat = 'R'\n"


def test_a_wrong_file_stops_the_screen_before_it_is_drawn(home: Path) -> None:
    (home / "hosts.toml").write_text("[settings]\nrefresh = 'soon'\n")
    code = "import sys; from jupytui.cli import main; status = main(['--config', sys.argv[1]]); print('status', status)"
    with under_a_terminal(code, str(home)) as terminal:
        shown = terminal.wait_for("status 2")
    assert "hosts.toml, line 2: settings.refresh: expected a number of seconds" in shown
    assert "\x1b" not in shown


def test_a_host_that_is_not_listed_is_wrong_use(home: Path) -> None:
    done = _jupytui("status", "loacl")
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no host 'loacl'" in done.stderr
    assert "Did you mean local?" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_know_every_command(shell: str) -> None:
    done = _jupytui("completions", shell)
    assert done.returncode == 0
    for word in ("status", "kernels", "interrupt", "read-only", "json"):
        assert word in done.stdout


def test_a_mistake_of_ours_leaves_a_private_log_without_what_was_in_memory(home: Path) -> None:
    code = """
from jupytui.cli import config
def run(arguments):
    password = "hunter2"
    try:
        raise KeyError(password)
    except KeyError as error:
        raise ExceptionGroup(password, [RuntimeError(f"cannot use {password}")]) from error
config.run = run
"""
    done = _jupytui("config", "path", code=code)
    log = next((home / "state").rglob("crash-*.log"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"jupytui: this is a mistake in jupytui itself (ExceptionGroup). Please report {log}\n"
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text()
    assert "hunter2" not in text
    for word in ("KeyError", "RuntimeError", "ExceptionGroup", "in run"):
        assert word in text


def test_a_reader_that_goes_away_is_no_mistake(home: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "jupytui", "config", "path"]
    done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_no_mistake_of_ours(home: Path) -> None:
    command = [sys.executable, "-m", "jupytui", "config", "path"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    said = b"jupytui: the disk is full: the output could not be written whole.\n"
    assert (done.returncode, done.stderr) == (1, said)
    assert not list(home.rglob("crash-*.log"))


def test_a_terminal_that_cannot_show_a_character_shows_another(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = _jupytui("config", "path", "--config", "/ü.toml")
    assert (done.returncode, done.stdout) == (0, "/?.toml\n")


def test_control_c_is_a_clean_end(home: Path) -> None:
    code = """
import sys, time
from jupytui.cli import config, main
def run(arguments):
    print("waiting", flush=True)
    while True:
        time.sleep(0.1)  # a signal that comes just before one long sleep would not end it
config.run = run
print("status", main(["config", "path"]))
"""
    with under_a_terminal(code) as terminal:
        terminal.wait_for("waiting")
        terminal.type("\x03")
        assert "Traceback" not in terminal.wait_for("status 130")
